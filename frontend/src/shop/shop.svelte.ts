// What one signed-in person sees of the shop: the account, the orders and the stream that keeps them current.
import * as api from "../api/shop-api";
import type { Order, OrdersFrame } from "../api/types";
import { isPollingDue } from "../events/attempts";
import { Poller } from "../events/poller";
import { EventStream, type Connection } from "../events/stream";
import { watchWake } from "../events/wake";
import { KeptAttempt } from "../forms/kept-attempt";
import { Submission } from "../forms/submission.svelte";
import { t } from "../i18n/words.svelte";
import { Orders } from "../orders/orders.svelte";
import { announcementOf } from "../orders/wording";
import { announcer } from "../ui/announcer.svelte";
import { AccountView } from "./account.svelte";
import { guardOf, type Guard } from "./guard";

export interface ShopEvents {
  /** The shop may see somebody else in this session, or nobody. */
  readonly onSessionDoubt: () => void;
  /** Whether the shop says that this person is still signed in. */
  readonly isStillAsker: () => Promise<boolean>;
}

export class Shop {
  connection: Connection = $state.raw({ kind: "connecting" });
  /** The stream was cut off and has not come back. */
  interrupted = $state(false);
  /** The page asks by itself, and is answered. */
  polling = $state(false);
  /** Counts what was asked by itself, for whoever wants to ask along. */
  polls = $state(0);

  readonly guard: Guard;
  readonly account: AccountView;
  readonly orders: Orders;
  readonly placing: Submission<api.NewOrder, Order>;

  readonly #userId: bigint;
  readonly #events: ShopEvents;
  readonly #stream: EventStream;
  readonly #poller: Poller;
  readonly #stopWatching: () => void;
  readonly #cancelling = new Map<string, Cancelling>();

  constructor(userId: bigint, events: ShopEvents) {
    this.#userId = userId;
    this.#events = events;
    this.guard = guardOf(events.onSessionDoubt);
    const { isStillAsker } = events;
    this.account = new AccountView(userId, this.guard, events);
    this.orders = new Orders(
      this.guard,
      (orders) => this.#areOurs(orders),
      (decided) => this.#decided(decided),
    );
    this.placing = new Submission<api.NewOrder, Order>(
      (order, key) => this.guard(api.placeOrder(order, key)),
      {
        keep: new KeptAttempt(`${userId}-place-order`),
        onDone: (placed) => this.orders.add(placed),
        isStillAsker,
      },
    );
    this.#poller = new Poller(async (isAsked) => {
      const outcome = await this.orders.poll();
      if (!isAsked()) return;
      this.polling = outcome !== "no answer";
      // An order may have come and been paid between two questions.
      if (outcome === "news") void this.account.refresh();
      this.polls += 1;
    });
    this.#stream = new EventStream({
      onFrame: (frame) => this.#take(frame),
      onConnection: (connection) => this.#connectionChanged(connection),
      onShutOut: () => events.onSessionDoubt(),
    });
    this.#stopWatching = watchWake({
      onWake: () => {
        this.#stream.connect();
        this.#checkAttempts();
        events.onSessionDoubt();
      },
      onLook: () => {
        if (this.connection.kind !== "live") this.#stream.connect();
        this.#checkAttempts();
      },
      onNetworkLost: () => this.#stream.connect(),
    });
    this.#stream.connect();
    void this.account.refresh();
    void this.orders.listAnew();
  }

  close(): void {
    this.#stopWatching();
    this.#poller.stop();
    this.#stream.close();
    this.account.close();
    for (const submission of this.#submissions()) submission.stop();
  }

  reconnect(): void {
    this.#stream.connect();
    this.#checkAttempts();
  }

  /** The way to give one order up; the same one for as long as the person is here. */
  cancelling(id: string): Cancelling {
    const known = this.#cancelling.get(id);
    if (known) return known;
    const made = new Submission<api.Cancellation, Order>(
      (cancellation, key) => this.guard(api.cancelOrder(cancellation, key)),
      {
        keep: new KeptAttempt(`${this.#userId}-cancel-${id}`),
        onDone: (order) => this.orders.add(order),
        isStillAsker: this.#events.isStillAsker,
      },
    );
    this.#cancelling.set(id, made);
    return made;
  }

  #submissions() {
    return [
      this.account.opening,
      this.account.toppingUp,
      this.placing,
      ...this.#cancelling.values(),
    ];
  }

  /** What is not known may be known now. */
  #checkAttempts(): void {
    for (const submission of this.#submissions()) void submission.checkNow();
  }

  #take(frame: OrdersFrame): void {
    if (!this.#areOurs(frame.orders)) return;
    this.orders.take(frame);
    // A snapshot may tell of decisions made before anything was known here.
    if (frame.type === "snapshot") void this.account.refresh();
  }

  /** What is somebody else's is not shown: another person may have signed in meanwhile. */
  #areOurs(orders: readonly Order[]): boolean {
    const ours = orders.every((order) => order.user_id === this.#userId);
    if (!ours) this.#events.onSessionDoubt();
    return ours;
  }

  #decided(orders: readonly Order[]): void {
    announcer.say(announcementOf(orders));
    void this.account.refresh();
  }

  #connectionChanged(connection: Connection): void {
    if (this.connection.kind === "live")
      this.orders.asOf = this.#stream.heardAt;
    this.connection = connection;
    if (connection.kind === "live") {
      this.#poller.stop();
      this.polling = false;
      if (this.interrupted) announcer.say(t.connection.back);
      this.interrupted = false;
      return;
    }
    if (connection.kind === "connecting") return;
    if (connection.kind === "waiting" && isPollingDue(connection.failures)) {
      this.#poller.start();
    }
    if (!this.interrupted) announcer.say(t.connection.interrupted);
    this.interrupted = true;
  }
}

export type Cancelling = Submission<api.Cancellation, Order>;
