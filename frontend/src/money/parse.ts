// Reads an amount typed by a person into minor units, exactly: digits only, never a float.
import type { Money } from "../api/types";
import { t } from "../i18n/words.svelte";

/** The shop's limit for one order or top-up: a billion roubles. */
export const MAX_AMOUNT_MINOR = 100_000_000_000n;

export type AmountError =
  "empty" | "not_an_amount" | "too_many_decimals" | "zero" | "too_large";

export type ParsedAmount =
  | { readonly ok: true; readonly money: Money }
  | { readonly ok: false; readonly error: AmountError };

/** Digits, either plain or in groups of three, then an optional fraction after a point or a comma. */
const AMOUNT = /^(\d+|\d{1,3}(?: \d{3})+)(?:[.,](\d+))?$/;

/** Spaces that people and spreadsheets put between groups of digits. */
const GROUP_SPACE = /[\u00a0\u2009\u202f]/g;

export function parseAmount(typed: string): ParsedAmount {
  const text = typed.replace(GROUP_SPACE, " ").replace(/₽\s*$/, "").trim();
  if (text === "") return { ok: false, error: "empty" };

  const match = AMOUNT.exec(text);
  if (!match) return { ok: false, error: "not_an_amount" };
  const roubles = (match[1] ?? "").replaceAll(" ", "");
  const fraction = match[2] ?? "";
  if (fraction.length > 2) return { ok: false, error: "too_many_decimals" };

  const minor = BigInt(roubles + fraction.padEnd(2, "0"));
  if (minor === 0n) return { ok: false, error: "zero" };
  if (minor > MAX_AMOUNT_MINOR) return { ok: false, error: "too_large" };
  return { ok: true, money: { amount_minor: minor, currency: "RUB" } };
}

export function wordsOfAmountError(error: AmountError): string {
  switch (error) {
    case "empty":
      return t.fields.amountEmpty;
    case "not_an_amount":
      return t.fields.notAnAmount;
    case "too_many_decimals":
      return t.fields.tooManyDecimals;
    case "zero":
      return t.fields.amountZero;
    case "too_large":
      return t.fields.amountTooLarge;
  }
}
