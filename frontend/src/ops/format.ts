// Numbers of the console, as the language of the page writes them.
import { language, LOCALES } from "../i18n/language.svelte";
import { formatDuration } from "../time/duration";
import { o } from "./words.svelte";

/** Two digits behind the point are enough for a rate, and none for a count. */
export function count(value: number): string {
  return value.toLocaleString(LOCALES[language.current], {
    maximumFractionDigits: value < 10 ? 1 : 0,
  });
}

export function ago(seconds: number): string {
  return o.outbox.ago(formatDuration(Math.max(0, seconds) * 1000));
}

export function duration(seconds: number): string {
  return formatDuration(Math.max(0, seconds) * 1000);
}

/** The start of a long name, which tells it from the others; the whole is in a tooltip. */
export function short(name: string): string {
  return name.length > 20 ? `${name.slice(0, 18)}…` : name;
}
