// The event stream: one connection that resumes where it broke off, until it is closed for good.
import { decodeFrame, decodeText } from "../api/decode";
import type { EventFrame, OrdersFrame } from "../api/types";
import { afterTurn, FIRST_ATTEMPT } from "./attempts";
import { backoffMs } from "./backoff";
import { openWire } from "./wire";

export type Connection =
  | { readonly kind: "connecting" }
  | { readonly kind: "live" }
  | {
      readonly kind: "waiting";
      readonly retryAt: number;
      /** How many attempts in a row have failed. */
      readonly failures: number;
    }
  | { readonly kind: "offline" };

/** From opening a connection to its snapshot. */
const SNAPSHOT_LIMIT_MS = 10_000;

/** The shop says something every 20 seconds: after two beats missed, the connection is dead whatever the browser believes. */
const SILENCE_LIMIT_MS = 45_000;

export interface StreamEvents {
  readonly onFrame: (frame: OrdersFrame) => void;
  readonly onConnection: (connection: Connection) => void;
  /** The shop did not let us in, or we cannot tell: a browser hides the status of a failed handshake. */
  readonly onShutOut: () => void;
}

export class EventStream {
  readonly #events: StreamEvents;
  #attempts = FIRST_ATTEMPT;
  /** Lets the present connection go. */
  #letGo: (() => void) | null = null;
  #cursor: string | null = null;
  #liveSince: number | null = null;
  #heardAt: Date | null = null;
  /** The one wait under way: for a snapshot, for any message after it, or for the next attempt. */
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(events: StreamEvents) {
    this.#events = events;
  }

  /** Connects now, in place of whatever was there; what is missed meanwhile comes with the snapshot. */
  connect(): void {
    this.#attempts = afterTurn(this.#attempts, { kind: "asked" });
    this.#open();
  }

  close(): void {
    this.#drop();
  }

  /** When the shop last said anything: what it told up to then was current then. */
  get heardAt(): Date | null {
    return this.#heardAt;
  }

  #open(): void {
    this.#drop();
    this.#events.onConnection({ kind: "connecting" });
    this.#timer = setTimeout(() => this.#failed(), SNAPSHOT_LIMIT_MS);
    this.#letGo = openWire(this.#attempts.carrier, this.#cursor, {
      onText: (text) => this.#receive(text),
      onEnd: ({ mayBeRefused }) => {
        this.#failed();
        if (mayBeRefused) this.#events.onShutOut();
      },
    });
  }

  #receive(text: string): void {
    let frame: EventFrame | null;
    try {
      frame = decodeText(text, decodeFrame);
    } catch (error) {
      // Start afresh: resuming would bring the same message again.
      console.error(error);
      this.#cursor = null;
      this.#failed();
      return;
    }
    const isSnapshot = frame?.type === "snapshot";
    if (isSnapshot || this.#liveSince !== null) {
      this.#heardAt = new Date();
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#failed(), SILENCE_LIMIT_MS);
    }
    if (frame === null || frame.type === "beat") return;
    this.#cursor = frame.cursor;
    if (isSnapshot) {
      this.#liveSince = Date.now();
      this.#events.onConnection({ kind: "live" });
    }
    this.#events.onFrame(frame);
  }

  #failed(): void {
    const since = this.#liveSince;
    const livedMs = since === null ? null : Date.now() - since;
    this.#attempts = afterTurn(this.#attempts, { kind: "ended", livedMs });
    this.#drop();

    const { failures } = this.#attempts;
    const wait = backoffMs(failures, Math.random());
    this.#timer = setTimeout(() => this.#open(), wait);
    // Offline is what the browser believes; attempts go on, since a shop on this very machine needs no network.
    this.#events.onConnection(
      navigator.onLine
        ? { kind: "waiting", retryAt: Date.now() + wait, failures }
        : { kind: "offline" },
    );
  }

  /** Lets the connection go without hearing from it again. */
  #drop(): void {
    clearTimeout(this.#timer);
    this.#liveSince = null;
    this.#letGo?.();
    this.#letGo = null;
  }
}
