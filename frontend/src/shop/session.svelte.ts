// Who is signed in, as the shop sees it, kept the same in every tab of this browser.
import { failureOf, isRefusal, type Failure } from "../api/failure";
import { closeSession, openSession, readSession } from "../api/shop-api";
import type { SessionInfo } from "../api/types";

export type SessionState =
  | { readonly kind: "loading" }
  | { readonly kind: "unreachable"; readonly failure: Failure }
  | { readonly kind: "out"; readonly ended: boolean }
  | { readonly kind: "in"; readonly info: SessionInfo };

export class Session {
  state: SessionState = $state.raw({ kind: "loading" });

  /** Tells the other tabs that the cookie, which they share, is another one now. */
  readonly #tabs = new BroadcastChannel("gozon-session");

  constructor() {
    this.#tabs.onmessage = () => void this.check();
  }

  /** Asks the shop who is signed in. When it cannot be asked, what was known stays. */
  async check(): Promise<void> {
    try {
      this.#enter(await readSession());
    } catch (error) {
      if (isRefusal(error, "unauthenticated")) this.end();
      else if (this.state.kind !== "in" && this.state.kind !== "out") {
        this.state = { kind: "unreachable", failure: failureOf(error) };
      }
    }
  }

  /** Asks the shop whether this is who is signed in; false when it cannot be asked. */
  async isStill(userId: bigint): Promise<boolean> {
    try {
      const info = await readSession();
      this.#enter(info);
      return info.user_id === userId;
    } catch (error) {
      if (isRefusal(error, "unauthenticated")) this.end();
      return false;
    }
  }

  /** Throws an ApiError when the shop refuses or cannot be reached. */
  async signIn(userId: bigint, operatorToken?: string): Promise<void> {
    this.#enter(await openSession(userId, operatorToken));
    this.#tabs.postMessage("changed");
  }

  /** Throws an ApiError when the shop could not be told: the session is then still open. */
  async signOut(): Promise<void> {
    try {
      await closeSession();
    } catch (error) {
      if (!isRefusal(error, "unauthenticated")) throw error;
    }
    this.state = { kind: "out", ended: false };
    this.#tabs.postMessage("changed");
  }

  /** The shop no longer knows this session. */
  end(): void {
    if (this.state.kind === "out") return;
    this.state = { kind: "out", ended: this.state.kind === "in" };
  }

  #enter(info: SessionInfo): void {
    const known = this.state;
    if (
      known.kind === "in" &&
      known.info.user_id === info.user_id &&
      known.info.roles.join() === info.roles.join()
    ) {
      return;
    }
    this.state = { kind: "in", info };
  }
}
