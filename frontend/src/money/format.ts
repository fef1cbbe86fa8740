// Writes money for people: groups of three, two decimals behind the language's mark, the currency's sign; exact at any
// size. Groups are set apart by a space in every language, as the international standard has it: a comma would be a
// decimal mark to half of the readers, and to the fields of this page.
import type { Money } from "../api/types";
import { language, LOCALES, type Language } from "../i18n/language.svelte";

const GROUP_SPACE = "\u202f";
const SIGN_SPACE = "\u00a0";
const MINUS = "\u2212";

const DECIMAL_MARKS: Readonly<Record<Language, string>> = {
  en: decimalMark("en"),
  ru: decimalMark("ru"),
};

export interface MoneyParts {
  /** With the sign, in groups: `−1 234`. */
  readonly whole: string;
  /** With the mark and the currency: `.50 ₽`. */
  readonly rest: string;
}

/** Whole and rest apart, so that they can be set in different sizes. */
export function moneyParts({ amount_minor, currency }: Money): MoneyParts {
  const negative = amount_minor < 0n;
  const [roubles, kopecks] = digitsOf(negative ? -amount_minor : amount_minor);
  const whole = roubles.replace(/\B(?=(?:\d{3})+$)/g, GROUP_SPACE);
  const mark = DECIMAL_MARKS[language.current];
  return {
    whole: (negative ? MINUS : "") + whole,
    rest: `${mark}${kopecks}${SIGN_SPACE}${signOf(currency)}`,
  };
}

export function formatMoney(money: Money): string {
  const { whole, rest } = moneyParts(money);
  return whole + rest;
}

/** As a person would type it into a field. */
export function typedMoney({ amount_minor }: Money): string {
  const [roubles, kopecks] = digitsOf(amount_minor);
  return kopecks === "00"
    ? roubles
    : `${roubles}${DECIMAL_MARKS[language.current]}${kopecks}`;
}

function digitsOf(minor: bigint): [string, string] {
  const digits = minor.toString().padStart(3, "0");
  return [digits.slice(0, -2), digits.slice(-2)];
}

function decimalMark(speaking: Language): string {
  const parts = new Intl.NumberFormat(LOCALES[speaking]).formatToParts(0.5);
  return parts.find(({ type }) => type === "decimal")?.value ?? ".";
}

/** The currency's own sign, or its code where it has none. */
function signOf(currency: string): string {
  try {
    const parts = new Intl.NumberFormat(LOCALES[language.current], {
      style: "currency",
      currency,
      currencyDisplay: "narrowSymbol",
    }).formatToParts(0);
    return parts.find(({ type }) => type === "currency")?.value ?? currency;
  } catch {
    return currency;
  }
}
