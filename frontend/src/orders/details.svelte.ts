// One order with all that happened to it, read again whenever it has changed.
import { failureOf, isRefusal, type Failure } from "../api/failure";
import * as api from "../api/shop-api";
import type { OrderDetails } from "../api/types";
import type { Guard } from "../shop/guard";

export class Details {
  current: OrderDetails | null = $state.raw(null);
  /** There is no such order, or it is not this person's. */
  missing = $state(false);
  failure: Failure | null = $state.raw(null);

  readonly #id: string;
  readonly #guard: Guard;
  /** Counts readings, so that an earlier one's answer never replaces a later one's. */
  #reading = 0;
  #tag: string | null = null;

  constructor(id: string, guard: Guard) {
    this.#id = id;
    this.#guard = guard;
  }

  async refresh(): Promise<void> {
    const reading = ++this.#reading;
    try {
      const call = api.readOrderIfNew(this.#id, this.#tag);
      const news = await this.#guard(call);
      if (reading !== this.#reading) return;
      this.failure = null;
      this.missing = false;
      if (news === null) return;
      this.#tag = news.tag;
      this.current = news.answer;
    } catch (error) {
      if (reading !== this.#reading) return;
      this.missing = isRefusal(error, "order_not_found");
      this.failure = this.missing ? null : failureOf(error);
    }
  }
}
