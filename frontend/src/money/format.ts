// Writes money for people: groups of three, two decimals, the currency's sign; exact at any size.
import type { Money } from "../api/types";

const GROUP_SPACE = "\u202f";
const SIGN_SPACE = "\u00a0";
const MINUS = "\u2212";

const SIGNS: Readonly<Record<string, string>> = { RUB: "₽" };

export interface MoneyParts {
  /** With the sign, in groups: `−1 234`. */
  readonly whole: string;
  /** With the point and the currency: `.50 ₽`. */
  readonly rest: string;
}

/** Whole and rest apart, so that they can be set in different sizes. */
export function moneyParts({ amount_minor, currency }: Money): MoneyParts {
  const negative = amount_minor < 0n;
  const digits = (negative ? -amount_minor : amount_minor)
    .toString()
    .padStart(3, "0");
  const whole = digits.slice(0, -2).replace(/\B(?=(?:\d{3})+$)/g, GROUP_SPACE);
  return {
    whole: (negative ? MINUS : "") + whole,
    rest: `.${digits.slice(-2)}${SIGN_SPACE}${SIGNS[currency] ?? currency}`,
  };
}

export function formatMoney(money: Money): string {
  const { whole, rest } = moneyParts(money);
  return whole + rest;
}
