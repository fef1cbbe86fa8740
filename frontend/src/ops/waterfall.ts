// An order's hops through both services as a waterfall: each hop begins where what led to it ended.
import { microsecondsOf } from "../time/duration";
import type { Hop } from "./api";

export interface Bar {
  readonly hop: Hop;
  /** From the hop that led to this one, in milliseconds; null for what has no instant. */
  readonly took: number | null;
  /** Where it begins and how long it is, as shares of the whole, 0 to 1. */
  readonly from: number;
  readonly length: number;
  /** A short name for its event: A, B and so on. */
  readonly event: string | null;
}

export interface Waterfall {
  readonly bars: readonly Bar[];
  /** From the first hop to the last, in milliseconds. */
  readonly total: number;
  /** The events by their short names. */
  readonly events: readonly (readonly [string, string])[];
}

/** In the order of time; what has no instant follows the last that happened to its event. */
export function inOrder(hops: readonly Hop[]): readonly Hop[] {
  const line = hops
    .filter((hop) => hop.at !== null)
    .sort((one, other) => instantOf(one) - instantOf(other));
  for (const hop of hops.filter(({ at }) => at === null)) {
    const last = line.findLastIndex(
      (other) =>
        other.service === hop.service && other.event_id === hop.event_id,
    );
    line.splice(last < 0 ? line.length : last + 1, 0, hop);
  }
  return line;
}

export function waterfallOf(hops: readonly Hop[]): Waterfall {
  const line = inOrder(hops);
  const instants = line.filter(({ at }) => at !== null).map(instantOf);
  const first = Math.min(...instants);
  const whole = Math.max(...instants) - first;
  const share = (microseconds: number) =>
    whole > 0 ? microseconds / whole : 0;
  const names = new Map<string, string>();
  const bars = line.map((hop, place): Bar => {
    const event = hop.event_id === null ? null : nameOf(names, hop.event_id);
    if (hop.at === null) return { hop, took: null, from: 0, length: 0, event };
    const at = instantOf(hop);
    const cause = causeOf(line, place);
    const begun = cause ? Math.min(instantOf(cause), at) : at;
    return {
      hop,
      took: (at - begun) / 1000,
      from: share(begun - first),
      length: share(at - begun),
      event,
    };
  });
  return {
    bars,
    total: instants.length === 0 ? 0 : whole / 1000,
    events: [...names].map(([id, name]) => [name, id] as const),
  };
}

/** Which step of the same event leads to a step; all others follow what is before them in time. */
const CAUSES: Readonly<Record<string, readonly string[]>> = {
  "outbox.picked_up": ["outbox.appended"],
  "outbox.published": ["outbox.picked_up", "outbox.appended"],
  "outbox.confirmed": ["outbox.published"],
  "inbox.received": ["outbox.published", "outbox.appended"],
  "inbox.duplicate": ["inbox.received"],
  "inbox.deferred": ["inbox.received"],
  "order.pushed": ["order.status"],
  dead_letter: ["inbox.received", "outbox.published"],
};

/** The message was on its way before its confirm; a repeat has no effect; and sockets are told last. */
const LEADS_TO_NOTHING: ReadonlySet<string> = new Set([
  "outbox.confirmed",
  "inbox.duplicate",
  "order.pushed",
]);

function causeOf(line: readonly Hop[], place: number): Hop | null {
  const hop = line[place];
  if (!hop) return null;
  const before = line.slice(0, place).filter(({ at }) => at !== null);
  for (const step of CAUSES[hop.step] ?? []) {
    const cause = before.findLast(
      (other) => other.step === step && other.event_id === hop.event_id,
    );
    if (cause) return cause;
  }
  return before.findLast(({ step }) => !LEADS_TO_NOTHING.has(step)) ?? null;
}

function instantOf({ at }: Hop): number {
  return at === null ? 0 : microsecondsOf(at);
}

function nameOf(names: Map<string, string>, id: string): string {
  const known = names.get(id);
  if (known !== undefined) return known;
  const place = names.size;
  const round = Math.floor(place / 26);
  const letter = String.fromCharCode(65 + (place % 26));
  const name = round === 0 ? letter : `${letter}${round}`;
  names.set(id, name);
  return name;
}
