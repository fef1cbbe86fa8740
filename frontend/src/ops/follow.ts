// Follows an order through both services, as `gozon trace` does: neither keeps which of the other's events it settled, so each is told them.
import { isRefusal } from "../api/failure";
import {
  findOrder,
  readTrace,
  SERVICES,
  type Hop,
  type Service,
  type ServiceTrace,
} from "./api";
import type { Sought } from "./sought";

/** The most events whose receipts one question may name. */
const EVENTS_MAX = 50;

export interface Followed {
  readonly id: string;
  /** Unknown if the order service does not know the order. */
  readonly number: number | null;
  readonly status: string | null;
  readonly traceId: string | null;
  readonly hops: readonly Hop[];
}

/** Null if neither service knows what is sought. */
export async function follow(sought: Sought): Promise<Followed | null> {
  if (sought.kind !== "trace") {
    const followed = await followOrder(sought.text, sought.kind === "id");
    if (followed || sought.kind === "number") return followed;
  }
  const query =
    sought.kind === "trace" ? { trace: sought.text } : { event: sought.text };
  for (const service of SERVICES) {
    const { order_id } = await findOrder(service, query);
    if (order_id !== null) return followOrder(order_id, true);
  }
  return null;
}

async function followOrder(
  name: string,
  isId: boolean,
): Promise<Followed | null> {
  const order = await trace("order", name, []);
  // The payment service may know an order that the order service has lost, but no numbers.
  if (!order && !isId) return null;
  const id = order?.order_id ?? name;
  const payment = await trace("payment", id, order ? sentBy(order) : []);
  if (!order && !payment) return null;
  // Asked again with the answers, for their receipts are hops too.
  const answers = payment ? sentBy(payment) : [];
  const again =
    order && answers.length > 0 ? await trace("order", id, answers) : order;
  return {
    id,
    number: again?.number ?? null,
    status: again?.status ?? null,
    traceId: again?.trace_id ?? null,
    hops: [...(again?.hops ?? []), ...(payment?.hops ?? [])],
  };
}

async function trace(
  service: Service,
  order: string,
  events: readonly string[],
): Promise<ServiceTrace | null> {
  try {
    return await readTrace(service, order, events.slice(0, EVENTS_MAX));
  } catch (error) {
    if (isRefusal(error, "order_not_found")) return null;
    throw error;
  }
}

function sentBy({ hops }: ServiceTrace): string[] {
  return hops.flatMap(({ step, event_id }) =>
    step === "outbox.appended" && event_id !== null ? [event_id] : [],
  );
}
