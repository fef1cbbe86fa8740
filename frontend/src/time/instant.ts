// Writes an instant for people, in the language of the page: short when it is near, complete in the tooltip.
import { language, LOCALES, type Language } from "../i18n/language.svelte";
import { t } from "../i18n/words.svelte";

interface Formats {
  readonly time: Intl.DateTimeFormat;
  readonly second: Intl.DateTimeFormat;
  readonly millisecond: Intl.DateTimeFormat;
  readonly dayAndTime: Intl.DateTimeFormat;
  readonly dateAndTime: Intl.DateTimeFormat;
  readonly complete: Intl.DateTimeFormat;
  readonly ago: Intl.RelativeTimeFormat;
}

const FORMATS: Readonly<Record<Language, Formats>> = {
  en: formats("en"),
  ru: formats("ru"),
};

/** The time alone for today, the day before it for this year, the year for all else. */
export function shortInstant(instant: Date, now: Date): string {
  const { time, dayAndTime, dateAndTime } = FORMATS[language.current];
  if (instant.toDateString() === now.toDateString()) {
    return t.time.today(time.format(instant));
  }
  return instant.getFullYear() === now.getFullYear()
    ? dayAndTime.format(instant)
    : dateAndTime.format(instant);
}

export function completeInstant(instant: Date): string {
  return FORMATS[language.current].complete.format(instant);
}

/** `12:03:11`. */
export function secondOf(instant: Date): string {
  return FORMATS[language.current].second.format(instant);
}

/** `12:03:11.482`, with the language's decimal mark. */
export function millisecondOf(instant: Date): string {
  return FORMATS[language.current].millisecond.format(instant);
}

const SECONDS_IN: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] =
  [
    ["year", 31_556_952],
    ["month", 2_629_746],
    ["day", 86_400],
    ["hour", 3_600],
    ["minute", 60],
  ];

/** `3 minutes ago`, in the largest unit of which there is one; what is younger than a minute is now, and stands still. */
export function relativeInstant(instant: Date, now: Date): string {
  const { ago } = FORMATS[language.current];
  const seconds = Math.floor((now.getTime() - instant.getTime()) / 1000);
  for (const [unit, size] of SECONDS_IN) {
    if (seconds >= size) return ago.format(-Math.floor(seconds / size), unit);
  }
  return ago.format(0, "second");
}

function formats(speaking: Language): Formats {
  const locale = LOCALES[speaking];
  const format = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat(locale, options);
  const second = {
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  } as const;
  return {
    time: format({ timeStyle: "short" }),
    second: format(second),
    millisecond: format({ ...second, fractionalSecondDigits: 3 }),
    dayAndTime: format({
      day: "numeric",
      month: "short",
      hour: "2-digit",
      minute: "2-digit",
    }),
    dateAndTime: format({ dateStyle: "medium", timeStyle: "short" }),
    complete: format({ dateStyle: "full", timeStyle: "long" }),
    ago: new Intl.RelativeTimeFormat(locale, { numeric: "auto" }),
  };
}
