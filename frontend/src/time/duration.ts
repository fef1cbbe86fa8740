// How long something took, measured from the shop's own instants, which have microseconds and a Date has not.
import { language, LOCALES } from "../i18n/language.svelte";
import { t } from "../i18n/words.svelte";

/** Microseconds since 1970 of an instant as the shop writes it (RFC 3339). */
export function microsecondsOf(instant: string): number {
  const fraction = /\.(\d+)/.exec(instant)?.[1] ?? "";
  const wholeSeconds = Date.parse(instant.replace(/\.\d+/, ""));
  return wholeSeconds * 1000 + Number(fraction.slice(0, 6).padEnd(6, "0"));
}

/** From one instant to another, in milliseconds; what two clocks disagree on is nothing. */
export function millisecondsBetween(from: string, to: string): number {
  return Math.max(0, microsecondsOf(to) - microsecondsOf(from)) / 1000;
}

/** `0.4 ms`, `12 ms`, `3.2 s`, `5 min`: two digits say enough. */
export function formatDuration(milliseconds: number): string {
  const number = (value: number, digits: number) =>
    value.toLocaleString(LOCALES[language.current], {
      maximumFractionDigits: digits,
    });
  if (milliseconds < 10) return t.time.milliseconds(number(milliseconds, 1));
  if (milliseconds < 1000) return t.time.milliseconds(number(milliseconds, 0));
  const seconds = milliseconds / 1000;
  if (seconds < 60) return t.time.seconds(number(seconds, 1));
  if (seconds < 3600) return t.time.minutes(number(seconds / 60, 0));
  return t.time.hours(number(seconds / 3600, 0));
}
