// How much relays publish, from what each has published since it started.
import type { Relay } from "./api";

export interface Reading {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** What each relay has published, by its name. */
  readonly published: ReadonlyMap<string, number>;
}

export function reading(relays: readonly Relay[], at: number): Reading {
  return {
    at,
    published: new Map(
      relays.map(({ name, published_events }) => [name, published_events]),
    ),
  };
}

/** Events per second between two readings. A relay that was not there before has published all of its own since. */
export function ratePerSecond(before: Reading, after: Reading): number {
  const seconds = (after.at - before.at) / 1000;
  if (seconds <= 0) return 0;
  let events = 0;
  for (const [name, published] of after.published) {
    const known = before.published.get(name) ?? 0;
    // It counts from nothing again if it was restarted under its name.
    events += published >= known ? published - known : published;
  }
  return events / seconds;
}

/** The newest `most` values, with one more. */
export function pushed(
  values: readonly number[],
  value: number,
  most: number,
): readonly number[] {
  return [...values, value].slice(-most);
}

/** The points of a line through values from 0 to the largest, in a box of this size; none for fewer than two. */
export function linePoints(
  values: readonly number[],
  width: number,
  height: number,
): string {
  if (values.length < 2) return "";
  const most = Math.max(1, ...values);
  const step = width / (values.length - 1);
  return values
    .map((value, place) => {
      const x = place * step;
      const y = height - (value / most) * height;
      return `${round(x)},${round(y)}`;
    })
    .join(" ");
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
