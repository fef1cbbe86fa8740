// The orders of the person who is signed in, as far as this page knows them, and how it learns of them.
import { failureOf, type Failure } from "../api/failure";
import * as api from "../api/shop-api";
import type { Order, OrdersFrame } from "../api/types";
import type { Guard } from "../shop/guard";
import {
  applyFrame,
  applyNewest,
  EMPTY_BOOK,
  merge,
  newestFirst,
} from "./book";

export class Orders {
  #book = $state.raw(EMPTY_BOOK);
  /** The newest first. */
  readonly all = $derived(newestFirst(this.#book));
  /** Whether they were ever read; before that an empty book means nothing. */
  listed = $state(false);
  failure: Failure | null = $state.raw(null);
  listing = $state(false);
  /** When what is shown was last known to be so. */
  asOf: Date | null = $state.raw(null);
  #older: string | null = $state(null);

  readonly #guard: Guard;
  readonly #areOurs: (orders: readonly Order[]) => boolean;
  readonly #onDecided: (orders: readonly Order[]) => void;
  /** Counts how often the list began anew, so that a page of an earlier list is let go. */
  #list = 0;
  /** The entity tag of the newest orders, as they were last asked for. */
  #tag: string | null = null;

  constructor(
    guard: Guard,
    areOurs: (orders: readonly Order[]) => boolean,
    onDecided: (orders: readonly Order[]) => void,
  ) {
    this.#guard = guard;
    this.#areOurs = areOurs;
    this.#onDecided = onDecided;
  }

  get(id: string): Order | undefined {
    return this.#book.get(id);
  }

  add(order: Order): void {
    this.#book = merge(this.#book, [order]);
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

  /** Takes in a message of the event stream. */
  take(frame: OrdersFrame): void {
    const { book, decided, gap } = applyFrame(this.#book, frame);
    this.#book = book;
    this.asOf = new Date();
    if (frame.type === "snapshot") this.listed = true;
    if (gap || this.failure) void this.listAnew();
    if (decided.length > 0) this.#onDecided(decided);
  }

  /** Asks for the newest orders, if they have changed. */
  async poll(): Promise<"news" | "no news" | "no answer"> {
    try {
      const news = await this.#guard(api.listOrdersIfNew(this.#tag));
      if (news && !this.#areOurs(news.answer.items)) return "no answer";
      this.asOf = new Date();
      this.failure = null;
      if (news === null) return "no news";
      this.#tag = news.tag;
      const { book, decided } = applyNewest(this.#book, news.answer.items);
      this.#book = book;
      this.listed = true;
      if (decided.length > 0) this.#onDecided(decided);
      return "news";
    } catch {
      // The next turn asks again, and the page says since when it does not know.
      return "no answer";
    }
  }

  async #readPage(cursor: string | null): Promise<void> {
    const list = this.#list;
    this.listing = true;
    this.failure = null;
    try {
      const page = await this.#guard(api.listOrders(cursor));
      if (list !== this.#list || !this.#areOurs(page.items)) return;
      this.#book = merge(this.#book, page.items);
      this.#older = page.next_cursor;
      this.listed = true;
      this.asOf = new Date();
    } catch (error) {
      if (list === this.#list) this.failure = failureOf(error);
    } finally {
      if (list === this.#list) this.listing = false;
    }
  }
}
