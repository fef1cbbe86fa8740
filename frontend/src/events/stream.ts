// The event stream: one WebSocket that resumes where it broke off, until it is closed for good.
import { decodeFrame, decodeText } from "../api/decode";
import type { EventFrame, OrdersFrame } from "../api/types";
import { backoffMs } from "./backoff";

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

/** From opening the socket to the first snapshot. */
const SNAPSHOT_LIMIT_MS = 10_000;

/** The shop says something every 20 seconds: after two beats missed, the connection is dead whatever the browser believes. */
const SILENCE_LIMIT_MS = 45_000;

/** A connection that lasted this long was good: the next failure counts as the first. */
const STEADY_MS = 10_000;

export interface StreamEvents {
  readonly onFrame: (frame: OrdersFrame) => void;
  readonly onConnection: (connection: Connection) => void;
  /** The shop did not let us in, or we cannot tell: a browser hides the status of a failed handshake. */
  readonly onShutOut: () => void;
}

export class EventStream {
  readonly #events: StreamEvents;
  #socket: WebSocket | null = null;
  #cursor: string | null = null;
  #failures = 0;
  #liveSince: number | null = null;
  #heardAt: Date | null = null;
  /** The one wait under way: for a snapshot, for any message after it, or for the next attempt. */
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(events: StreamEvents) {
    this.#events = events;
  }

  /** Connects now, in place of whatever was there; what is missed meanwhile comes with the snapshot. */
  connect(): void {
    this.#drop();
    this.#events.onConnection({ kind: "connecting" });

    const socket = new WebSocket(this.#url());
    this.#socket = socket;
    this.#timer = setTimeout(() => this.#failed(), SNAPSHOT_LIMIT_MS);
    let opened = false;
    socket.onopen = () => (opened = true);
    socket.onmessage = (message) => this.#receive(message.data);
    socket.onclose = ({ code }) => {
      this.#failed();
      if (!opened || code === POLICY_VIOLATION) this.#events.onShutOut();
    };
  }

  close(): void {
    this.#drop();
  }

  /** When the shop last said anything: what it told up to then was current then. */
  get heardAt(): Date | null {
    return this.#heardAt;
  }

  #receive(data: unknown): void {
    let frame: EventFrame | null;
    try {
      frame = decodeText(String(data), decodeFrame);
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
    if (since !== null && Date.now() - since >= STEADY_MS) this.#failures = 0;
    this.#failures += 1;
    this.#drop();

    const wait = backoffMs(this.#failures, Math.random());
    this.#timer = setTimeout(() => this.connect(), wait);
    // Offline is what the browser believes; attempts go on, since a shop on this very machine needs no network.
    this.#events.onConnection(
      navigator.onLine
        ? {
            kind: "waiting",
            retryAt: Date.now() + wait,
            failures: this.#failures,
          }
        : { kind: "offline" },
    );
  }

  /** Lets the socket go without hearing from it again. */
  #drop(): void {
    clearTimeout(this.#timer);
    this.#liveSince = null;
    const socket = this.#socket;
    if (!socket) return;
    this.#socket = null;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  #url(): string {
    const url = new URL("/api/v1/events", location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    if (this.#cursor !== null) url.searchParams.set("cursor", this.#cursor);
    return url.href;
  }
}

/** The close code by which the shop says: not allowed. */
const POLICY_VIOLATION = 1008;
