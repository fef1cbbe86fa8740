// What one signed-in person sees of the shop: the account, the orders and the stream that keeps them current.
import { failureOf, isRefusal, type Failure } from "../api/failure";
import * as api from "../api/shop-api";
import type { Account, EventFrame, Money, Order } from "../api/types";
import { EventStream, type Connection } from "../events/stream";
import { watchWake } from "../events/wake";
import { Submission } from "../forms/submission.svelte";
import { applyFrame, EMPTY_BOOK, merge, newestFirst } from "../orders/book";
import { announcementOf } from "../orders/wording";
import { announcer } from "../ui/announcer.svelte";

export type AccountState =
  | { readonly kind: "loading" }
  | { readonly kind: "failed"; readonly failure: Failure }
  | { readonly kind: "none" }
  | { readonly kind: "open"; readonly account: Account };

export interface ShopEvents {
  /** The shop may see somebody else in this session, or nobody. */
  readonly onSessionDoubt: () => void;
}

export class Shop {
  account: AccountState = $state.raw({ kind: "loading" });
  connection: Connection = $state.raw({ kind: "connecting" });

  #book = $state.raw(EMPTY_BOOK);
  readonly orders = $derived(newestFirst(this.#book));
  /** Whether the list was ever read; before that an empty book means nothing. */
  listed = $state(false);
  listFailure: Failure | null = $state.raw(null);
  listing = $state(false);
  #older: string | null = $state(null);

  readonly opening = new Submission((_: null, key) =>
    this.#guard(api.openAccount(key)),
  );
  readonly toppingUp = new Submission((amount: Money, key) =>
    this.#guard(api.topUp(amount, key)),
  );
  readonly placing = new Submission((order: api.NewOrder, key) =>
    this.#guard(api.placeOrder(order, key)),
  );

  readonly #userId: bigint;
  readonly #events: ShopEvents;
  readonly #stream: EventStream;
  readonly #stopWatching: () => void;
  /** Counts account readings, so that only the latest one's answer is shown. */
  #accountReading = 0;
  /** Counts how often the list began anew, so that a page of an earlier list is let go. */
  #list = 0;
  #interrupted = false;

  constructor(userId: bigint, events: ShopEvents) {
    this.#userId = userId;
    this.#events = events;
    this.#stream = new EventStream({
      onFrame: (frame) => this.#take(frame),
      onConnection: (connection) => this.#connectionChanged(connection),
      onShutOut: () => events.onSessionDoubt(),
    });
    this.#stopWatching = watchWake({
      onWake: () => {
        this.#stream.connect();
        events.onSessionDoubt();
      },
      onLook: () => {
        if (this.connection.kind !== "live") this.#stream.connect();
      },
      onNetworkLost: () => this.#stream.connect(),
    });
    this.#stream.connect();
    void this.refreshAccount();
    void this.listAnew();
  }

  close(): void {
    this.#stopWatching();
    this.#stream.close();
  }

  reconnect(): void {
    this.#stream.connect();
  }

  /** Answers whether it was done. */
  async openAccount(): Promise<boolean> {
    const account = await this.opening.submit(null);
    if (account) this.#showAccount(account);
    return account !== null;
  }

  /** Answers whether it was done. */
  async topUp(amount: Money): Promise<boolean> {
    const account = await this.toppingUp.submit(amount);
    if (account) {
      this.#showAccount(account);
      // An order may have been paid between the top-up and its answer.
      void this.refreshAccount();
    }
    return account !== null;
  }

  /** Answers with the order as it was placed. */
  async placeOrder(order: api.NewOrder): Promise<Order | null> {
    const placed = await this.placing.submit(order);
    if (placed) this.#book = merge(this.#book, [placed]);
    return placed;
  }

  async refreshAccount(): Promise<void> {
    const reading = ++this.#accountReading;
    let state: AccountState;
    try {
      const account = await this.#guard(api.readAccount());
      state = { kind: "open", account };
    } catch (error) {
      state = isRefusal(error, "account_not_found")
        ? { kind: "none" }
        : { kind: "failed", failure: failureOf(error) };
    }
    // A balance once known is better than a message: the next decision or snapshot asks again.
    const keepKnown = state.kind === "failed" && this.account.kind === "open";
    if (reading === this.#accountReading && !keepKnown) this.account = state;
  }

  /** Reads the newest orders; what is known is kept. */
  async listAnew(): Promise<void> {
    this.#list += 1;
    this.#older = null;
    await this.#readPage(null);
  }

  get hasOlder(): boolean {
    return this.#older !== null;
  }

  async listOlder(): Promise<void> {
    if (this.#older !== null && !this.listing)
      await this.#readPage(this.#older);
  }

  async #readPage(cursor: string | null): Promise<void> {
    const list = this.#list;
    this.listing = true;
    this.listFailure = null;
    try {
      const page = await this.#guard(api.listOrders(cursor));
      if (list !== this.#list) return;
      this.#book = merge(this.#book, page.items);
      this.#older = page.next_cursor;
      this.listed = true;
    } catch (error) {
      if (list === this.#list) this.listFailure = failureOf(error);
    } finally {
      if (list === this.#list) this.listing = false;
    }
  }

  #take(frame: EventFrame): void {
    if (frame.orders.some((order) => order.user_id !== this.#userId)) {
      this.#events.onSessionDoubt();
      return;
    }
    const { book, decided, gap } = applyFrame(this.#book, frame);
    this.#book = book;
    if (frame.type === "snapshot") this.listed = true;
    if (gap || this.listFailure) void this.listAnew();
    if (decided.length > 0) announcer.say(announcementOf(decided));
    // A snapshot may tell of decisions made before anything was known here.
    if (decided.length > 0 || frame.type === "snapshot") {
      void this.refreshAccount();
    }
  }

  #connectionChanged(connection: Connection): void {
    this.connection = connection;
    if (connection.kind === "live") {
      if (this.#interrupted) announcer.say("Live updates are back.");
      this.#interrupted = false;
    } else if (connection.kind !== "connecting" && !this.#interrupted) {
      this.#interrupted = true;
      announcer.say("Live updates are interrupted. Reconnecting.");
    }
  }

  /** An answer that came from a call just made is newer than any reading under way. */
  #showAccount(account: Account): void {
    this.#accountReading += 1;
    this.account = { kind: "open", account };
  }

  async #guard<T>(call: Promise<T>): Promise<T> {
    try {
      return await call;
    } catch (error) {
      if (isRefusal(error, "unauthenticated")) this.#events.onSessionDoubt();
      throw error;
    }
  }
}
