// Which attempt to connect comes next: over a WebSocket; where that does not get through, over server-sent events; and
// after some failures in a row the page asks by itself meanwhile.
import type { Carrier } from "./wire";

/** So many attempts in a row have to fail before the page asks by itself. */
const FAILURES_BEFORE_POLLING = 3;

/** A connection that lasted this long was good: the next failure counts as the first. */
const STEADY_MS = 10_000;

export interface Attempts {
  /** What carries the present attempt, or the next one. */
  readonly carrier: Carrier;
  /** How many have failed in a row. */
  readonly failures: number;
}

export const FIRST_ATTEMPT: Attempts = { carrier: "websocket", failures: 0 };

export type Turn =
  /** Somebody asks for a connection now: the network may be another one than before. */
  | { readonly kind: "asked" }
  /** The attempt ended, after so long a life; null if it brought no snapshot. */
  | { readonly kind: "ended"; readonly livedMs: number | null };

/**
 * Server-sent events keep one of the few connections that requests go over. So they are the way only for an attempt
 * after a WebSocket that brought nothing; whatever else happens, a WebSocket is tried first.
 */
export function afterTurn(attempts: Attempts, turn: Turn): Attempts {
  if (turn.kind === "asked") return { ...attempts, carrier: "websocket" };
  const { livedMs } = turn;
  const failures =
    livedMs !== null && livedMs >= STEADY_MS ? 1 : attempts.failures + 1;
  const broughtNothing = attempts.carrier === "websocket" && livedMs === null;
  return { carrier: broughtNothing ? "server-sent" : "websocket", failures };
}

export function isPollingDue(failures: number): boolean {
  return failures >= FAILURES_BEFORE_POLLING;
}
