// What the console shows of both services, asked anew every two seconds while somebody looks.
import { failureOf, type Failure } from "../api/failure";
import type { Guard } from "../shop/guard";
import {
  listLetters,
  listStuck,
  ordersInLetters,
  readHealth,
  readLedger,
  readOutbox,
  readWebHealth,
  SERVICES,
  type Health,
  type Ledger,
  type LetterCount,
  type Outbox,
  type Service,
  type StuckOrder,
  type StuckPage,
  type WebHealth,
} from "./api";
import { pushed, ratePerSecond, reading, type Reading } from "./rate";

const EVERY_MS = 2_000;

/** Five minutes of looks. */
const KEPT = 150;

/** What is known of a service; a part that could not be read is null. */
export interface ServiceView {
  readonly health: Health | null;
  readonly outbox: Outbox | null;
  readonly letters: readonly LetterCount[] | null;
  /** Events published per second, and those that waited, of the last minutes. */
  readonly rates: readonly number[];
  readonly pending: readonly number[];
}

/** The role that serves this very page: what the replica that answered says, and how long it took. */
export interface WebView {
  readonly health: WebHealth;
  readonly milliseconds: number;
}

const NOTHING: ServiceView = {
  health: null,
  outbox: null,
  letters: null,
  rates: [],
  pending: [],
};

export type StuckCause =
  StuckOrder["cause"] | "request_is_dead_letter" | "no_consumer";

export interface StuckView {
  readonly order: StuckOrder;
  readonly cause: StuckCause;
}

export class Watch {
  services: Readonly<Record<Service, ServiceView>> = $state.raw({
    order: NOTHING,
    payment: NOTHING,
  });
  /** Null if it did not answer. */
  web: WebView | null = $state.raw(null);
  ledger: Ledger | null = $state.raw(null);
  stuck: readonly StuckView[] | null = $state.raw(null);
  /** There are more stuck orders than were asked for. */
  hasMoreStuck = $state(false);
  /** When everything asked for last came; null before the first time. */
  asOf: Date | null = $state.raw(null);
  failure: Failure | null = $state.raw(null);

  readonly #guard: Guard;
  readonly #last = new Map<Service, Reading>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;
  /** So many pages of stuck orders are shown. */
  #stuckPages = 1;

  constructor(guard: Guard) {
    this.#guard = guard;
  }

  /** Of both services. */
  get deadLetters(): number {
    return SERVICES.map((service) => this.services[service].letters ?? [])
      .flat()
      .reduce((total, { letters }) => total + letters, 0);
  }

  start(): () => void {
    const wake = () => {
      if (!document.hidden) this.#soon(0);
    };
    document.addEventListener("visibilitychange", wake);
    void this.#turn();
    return () => {
      this.#stopped = true;
      clearTimeout(this.#timer);
      document.removeEventListener("visibilitychange", wake);
    };
  }

  /** Asks now, after a change of one's own. */
  ask(): void {
    this.#soon(0);
  }

  /** Asks for a page more of stuck orders, from now on. */
  moreStuck(): void {
    this.#stuckPages += 1;
    this.ask();
  }

  #soon(milliseconds: number): void {
    clearTimeout(this.#timer);
    if (this.#stopped) return;
    this.#timer = setTimeout(() => void this.#turn(), milliseconds);
  }

  async #turn(): Promise<void> {
    if (!document.hidden) {
      const failures: unknown[] = [];
      const part = <T>(asked: Promise<T>): Promise<T | null> =>
        this.#guard(asked).catch((error: unknown) => {
          failures.push(error);
          return null;
        });
      await Promise.all([
        ...SERVICES.map((service) => this.#look(service, part)),
        part(askWeb()).then((web) => (this.web = web)),
        part(readLedger()).then((ledger) => (this.ledger = ledger)),
      ]);
      await this.#lookForStuck(part);
      if (this.#stopped) return;
      const [first] = failures;
      this.failure = first === undefined ? null : failureOf(first);
      if (first === undefined) this.asOf = new Date();
    }
    this.#soon(EVERY_MS);
  }

  async #look(
    service: Service,
    part: <T>(asked: Promise<T>) => Promise<T | null>,
  ): Promise<void> {
    const [health, outbox, letters] = await Promise.all([
      part(readHealth(service)),
      part(readOutbox(service)),
      part(listLetters(service, { limit: 1n })),
    ]);
    const known = this.services[service];
    let { rates, pending } = known;
    if (outbox) {
      const now = reading(outbox.relays, Date.now());
      const before = this.#last.get(service);
      if (before) rates = pushed(rates, ratePerSecond(before, now), KEPT);
      this.#last.set(service, now);
      pending = pushed(pending, outbox.pending, KEPT);
    }
    this.services = {
      ...this.services,
      [service]: {
        health,
        outbox,
        letters: letters?.by_reason ?? null,
        rates,
        pending,
      },
    };
  }

  async #lookForStuck(
    part: <T>(asked: Promise<T>) => Promise<T | null>,
  ): Promise<void> {
    const stuck: StuckView[] = [];
    let cursor: string | null = null;
    for (let page = 0; page < this.#stuckPages; page += 1) {
      const asked: StuckPage | null = await part(listStuck(cursor));
      if (!asked) {
        this.stuck = null;
        return;
      }
      stuck.push(...(await this.#withCauses(asked.items, part)));
      cursor = asked.next_cursor;
      if (cursor === null) break;
    }
    this.stuck = stuck;
    this.hasMoreStuck = cursor !== null;
  }

  /** What the order service cannot know of its orders, the payment service does. */
  async #withCauses(
    orders: readonly StuckOrder[],
    part: <T>(asked: Promise<T>) => Promise<T | null>,
  ): Promise<StuckView[]> {
    const unanswered = orders
      .filter(({ cause }) => cause === "unanswered")
      .map(({ order_id }) => order_id);
    const dead =
      unanswered.length === 0
        ? null
        : await part(ordersInLetters("payment", unanswered));
    const queue = this.services.payment.health?.queues[0];
    return orders.map((order) => ({
      order,
      cause:
        order.cause !== "unanswered"
          ? order.cause
          : dead?.orders.includes(order.order_id)
            ? "request_is_dead_letter"
            : queue?.consumers === 0
              ? "no_consumer"
              : order.cause,
    }));
  }
}

async function askWeb(): Promise<WebView> {
  const begun = performance.now();
  const health = await readWebHealth();
  return { health, milliseconds: performance.now() - begun };
}
