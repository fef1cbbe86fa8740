// What counts as an amount, and that not a kopeck is lost.
import { describe, expect, test } from "vitest";
import { parseAmount } from "./parse";

describe("an amount", () => {
  test.each([
    ["100", 10_000n],
    ["0.01", 1n],
    ["0.1", 10n],
    ["0.30", 30n],
    ["199.9", 19_990n],
    ["199,90", 19_990n],
    ["1.10", 110n],
    ["8.29", 829n],
    ["007", 700n],
    [" 12.50 ", 1_250n],
    ["1 234 567,89", 123_456_789n],
    ["1\u202f234.50\u00a0₽", 123_450n],
    ["999999999.99", 99_999_999_999n],
    ["1 000 000 000", 100_000_000_000n],
  ])("%j is %s kopecks", (typed, minor) => {
    expect(parseAmount(typed)).toEqual({
      ok: true,
      money: { amount_minor: minor, currency: "RUB" },
    });
  });
});

describe("no amount", () => {
  test.each([
    ["", "empty"],
    ["   ", "empty"],
    ["0", "zero"],
    ["0.00", "zero"],
    ["-5", "not_an_amount"],
    ["+5", "not_an_amount"],
    ["1e3", "not_an_amount"],
    ["0x10", "not_an_amount"],
    ["NaN", "not_an_amount"],
    ["Infinity", "not_an_amount"],
    ["five", "not_an_amount"],
    ["5.", "not_an_amount"],
    [".5", "not_an_amount"],
    ["1.2.3", "not_an_amount"],
    ["1,000.50", "not_an_amount"],
    ["10 00", "not_an_amount"],
    ["１２", "not_an_amount"],
    ["1.234", "too_many_decimals"],
    ["1,000", "too_many_decimals"],
    ["1000000000.01", "too_large"],
    ["9".repeat(400), "too_large"],
  ])("%j is refused as %s", (typed, error) => {
    expect(parseAmount(typed)).toEqual({ ok: false, error });
  });
});
