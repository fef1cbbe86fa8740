// The account of the person who is signed in: its balance, and the forms that open it and top it up.
import { failureOf, isRefusal, type Failure } from "../api/failure";
import * as api from "../api/shop-api";
import type { Account, Money } from "../api/types";
import { KeptAttempt } from "../forms/kept-attempt";
import { Submission } from "../forms/submission.svelte";
import type { Guard } from "./guard";
import type { ShopEvents } from "./shop.svelte";

export type AccountState =
  | { readonly kind: "loading" }
  | { readonly kind: "failed"; readonly failure: Failure }
  | { readonly kind: "none" }
  | { readonly kind: "open"; readonly account: Account };

export class AccountView {
  state: AccountState = $state.raw({ kind: "loading" });

  readonly opening: Submission<null, Account>;
  readonly toppingUp: Submission<Money, Account>;

  readonly #userId: bigint;
  readonly #guard: Guard;
  readonly #events: ShopEvents;
  /** Tells the person's other tabs that the balance is another one now. */
  readonly #tabs: BroadcastChannel;
  /** Counts readings, so that only the latest one's answer is shown. */
  #reading = 0;

  constructor(userId: bigint, guard: Guard, events: ShopEvents) {
    this.#userId = userId;
    this.#guard = guard;
    this.#events = events;
    const { isStillAsker } = events;
    this.#tabs = new BroadcastChannel(`gozon-account-${userId}`);
    this.#tabs.onmessage = () => void this.refresh();
    this.opening = new Submission<null, Account>(
      (_, key) => guard(api.openAccount(key)),
      {
        keep: new KeptAttempt(`${userId}-open-account`),
        onDone: (account) => this.#changed(account),
        isStillAsker,
      },
    );
    this.toppingUp = new Submission<Money, Account>(
      (amount, key) => guard(api.topUp(amount, key)),
      {
        keep: new KeptAttempt(`${userId}-top-up`),
        onDone: (account) => {
          this.#changed(account);
          // An order may have been paid between the top-up and its answer.
          void this.refresh();
        },
        isStillAsker,
      },
    );
  }

  get balance(): Money | null {
    return this.state.kind === "open" ? this.state.account.balance : null;
  }

  close(): void {
    this.#tabs.close();
    this.opening.stop();
    this.toppingUp.stop();
  }

  async refresh(): Promise<void> {
    const reading = ++this.#reading;
    let state: AccountState;
    try {
      const account = await this.#guard(api.readAccount());
      if (account.user_id !== this.#userId) {
        this.#events.onSessionDoubt();
        return;
      }
      state = { kind: "open", account };
    } catch (error) {
      state = isRefusal(error, "account_not_found")
        ? { kind: "none" }
        : { kind: "failed", failure: failureOf(error) };
    }
    // What is known is better than a message: the next decision or snapshot asks again.
    const keepKnown = state.kind === "failed" && this.state.kind !== "loading";
    if (reading === this.#reading && !keepKnown) this.state = state;
  }

  /** An answer that came from a call just made is newer than any reading under way. */
  #changed(account: Account): void {
    this.#reading += 1;
    this.state = { kind: "open", account };
    this.#tabs.postMessage("changed");
  }
}
