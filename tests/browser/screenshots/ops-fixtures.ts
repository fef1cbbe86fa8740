// What the operators' API answers when much is wrong at once, so that pictures and tests see full tables.
import type { Page } from "@playwright/test";

const now = Date.now();
const ago = (minutes: number) => new Date(now - minutes * 60_000).toISOString();
const soon = (seconds: number) => new Date(now + seconds * 1000).toISOString();

/** A UUIDv7, as far as it is looked at. */
const uuid = (n: number) =>
  `0199a1b2-c3d4-7e5f-8a6b-${n.toString(16).padStart(12, "0")}`;

function group(queue: string, reason: string, letters: number, marked = 0) {
  return { queue, reason, letters, marked, oldest_at: ago(letters * 3) };
}

const PAYMENT = "payment.orders.v1";
const ORDER = "order.payments.v1";

const GROUPS = {
  payment: [
    group(PAYMENT, "database", 3),
    group(PAYMENT, "malformed", 128, 40),
    group(PAYMENT, "conflict", 12_400),
  ],
  order: [group(ORDER, "unknown_order", 2), group(ORDER, "exhausted", 21)],
};

const DETAIL: Readonly<Record<string, string>> = {
  database: "the database refused it: a payment's amount must be positive",
  malformed: "the body is not JSON: expected value at line 1 column 1",
  conflict: "the id was settled before with other contents",
  unknown_order: "there is no such order",
  exhausted: "it was put off 20 times, last because: there is no such account",
};

function letter(id: number, queue: string, reason: string) {
  const isMarked = reason === "malformed" && id % 3 === 0;
  return {
    id,
    queue,
    event_id: reason === "malformed" ? null : uuid(id),
    type:
      reason === "malformed"
        ? null
        : queue === PAYMENT
          ? "order.placed.v1"
          : "payment.captured.v1",
    whole_message: reason === "malformed",
    reason,
    detail: DETAIL[reason] ?? reason,
    occurrences: 1 + (id % 2),
    attempts: 1 + (id % 5),
    trace_id:
      reason === "malformed" ? null : "4bf92f3577b34da6a3ce929d0e0e4736",
    first_seen_at: ago(id + 20),
    last_seen_at: ago(id),
    redrive_at: isMarked ? soon(id) : null,
    redrive_by: isMarked ? "user 7" : null,
    redrive_request_id: isMarked ? uuid(9000) : null,
  };
}

function letters(service: "order" | "payment", reason: string | null) {
  const queue = service === "payment" ? PAYMENT : ORDER;
  const by_reason = GROUPS[service];
  const shown = by_reason.find((it) => it.reason === (reason ?? "database"));
  const most = Math.min(8, shown?.letters ?? 0);
  return {
    by_reason,
    items: Array.from({ length: most }, (_, place) =>
      letter(9 - place, queue, shown?.reason ?? ""),
    ),
    next_cursor: (shown?.letters ?? 0) > most ? 1 : null,
  };
}

function wholeLetter(service: "order" | "payment", id: number) {
  const found = letters(service, null).items.find((it) => it.id === id);
  const body = JSON.stringify({
    specversion: "1.0",
    id: uuid(id),
    type: "order.placed.v1",
    source: "gozon/order",
    time: ago(id),
    data: {
      order_id: uuid(77),
      user_id: 42,
      amount: { amount_minor: -19_990, currency: "RUB" },
    },
  });
  return {
    ...found,
    routing_key: "order.placed.v1",
    headers: {
      content_type: "application/cloudevents-batch+json",
      delivery_mode: 2,
      message_id: uuid(id),
      traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    },
    body,
    body_bytes: body.length,
  };
}

const STUCK = {
  items: [
    "request_is_dead_letter",
    "no_relay",
    "broker_away",
    "waits_in_outbox",
    "answer_is_dead_letter",
    "unanswered",
  ].map((cause, place) => ({
    order_id: uuid(100 + place),
    status: place % 3 === 2 ? "REFUNDING" : "NEW",
    since: ago(90 - place * 13),
    cause,
    attempts: 5 - (place % 4),
    next_attempt_at: place === 0 ? null : soon(30 * place),
  })),
  next_cursor: "more",
};

function entry(id: number, action: string, affected: number, reason: string) {
  const isRedrive = action === "dead_letters.redrive";
  return {
    id,
    at: ago(400 - id * 37),
    who: id % 3 === 0 ? "operator-token" : "user 7",
    action,
    parameters: {},
    affected,
    reason,
    request_id: isRedrive ? uuid(id) : null,
    progress: isRedrive
      ? {
          settled: Math.floor(affected * 0.7),
          died_again: Math.floor(affected * 0.2),
          marked: affected,
          cancelled: 0,
          discarded: 0,
          left:
            affected - Math.floor(affected * 0.7) - Math.floor(affected * 0.2),
        }
      : null,
  };
}

const LOG = {
  items: [
    entry(9, "dead_letters.redrive", 128, "the parser takes a trailing comma"),
    entry(7, "dead_letters.discard", 2, "test orders of the supplier"),
    entry(5, "dead_letters.cancel_redrive", 40, "the mend was not rolled out"),
    entry(
      3,
      "dead_letters.redrive",
      40,
      "a new version of the payment service",
    ),
  ],
  next_cursor: null,
};

function redriveUnderWay(requestId: string) {
  return {
    items: [
      {
        ...entry(11, "dead_letters.redrive", 128, "mended"),
        request_id: requestId,
      },
    ],
    next_cursor: null,
  };
}

function redriveAnswer(requestId: string, dry_run: boolean) {
  return {
    dry_run,
    letters: 128,
    by_reason: [],
    samples: [],
    last_due_at: null,
    last_id: dry_run ? null : 9,
    operation_id: dry_run ? null : 11,
    request_id: requestId,
  };
}

/** From now on the page is told of it. */
export async function bringTrouble(page: Page): Promise<void> {
  await page.route(/ops\/v1\/(order|payment)\/.*/, async (route) => {
    const request = route.request();
    const url = new URL(request.url());
    const [, , , name, part = "", id] = url.pathname.split("/");
    const asked = request.postDataJSON() as Asked | null;
    const json = answer(
      name === "order" ? "order" : "payment",
      id && part === "dead-letters" ? `letter ${id}` : part,
      {
        reason: url.searchParams.get("reason"),
        requestId: asked?.request_id ?? url.searchParams.get("request_id"),
        dryRun: asked?.dry_run ?? false,
      },
    );
    await (json === null ? route.continue() : route.fulfill({ json }));
  });
}

interface Asked {
  readonly request_id?: string;
  readonly dry_run?: boolean;
}

interface Details {
  readonly reason: string | null;
  readonly requestId: string | null;
  readonly dryRun: boolean;
}

/** Null where the shop may answer itself. */
function answer(
  service: "order" | "payment",
  what: string,
  { reason, requestId, dryRun }: Details,
): object | null {
  switch (what) {
    case "dead-letters":
      return letters(service, reason);
    case "letter redrive":
      return redriveAnswer(requestId ?? "", dryRun);
    case "letter about":
      return { orders: [] };
    case "stuck":
      return STUCK;
    case "operations":
      if (requestId) return redriveUnderWay(requestId);
      return service === "payment" ? LOG : { items: [], next_cursor: null };
    default: {
      const [kind, id] = what.split(" ");
      return kind === "letter" ? wholeLetter(service, Number(id)) : null;
    }
  }
}
