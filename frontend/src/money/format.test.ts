// How money is written.
import { beforeEach, expect, test } from "vitest";
import { speak } from "../i18n/speaking";
import { formatMoney, moneyParts, typedMoney } from "./format";
import { parseAmount } from "./parse";

beforeEach(() => speak("en"));

function roubles(amount_minor: bigint): string {
  return formatMoney({ amount_minor, currency: "RUB" });
}

test.each([
  [0n, "0.00\u00a0₽"],
  [1n, "0.01\u00a0₽"],
  [10n, "0.10\u00a0₽"],
  [10_000n, "100.00\u00a0₽"],
  [99_999n, "999.99\u00a0₽"],
  [100_000n, "1\u202f000.00\u00a0₽"],
  [123_456_789n, "1\u202f234\u202f567.89\u00a0₽"],
  [-500n, "\u22125.00\u00a0₽"],
])("%s kopecks read %j", (minor, text) => {
  expect(roubles(minor)).toBe(text);
});

test("the largest balance keeps its last kopeck", () => {
  expect(roubles(4_611_686_018_427_387_904n).replaceAll("\u202f", "")).toBe(
    "46116860184273879.04\u00a0₽",
  );
});

test("an unknown currency shows its code", () => {
  expect(formatMoney({ amount_minor: 1999n, currency: "XTS" })).toBe(
    "19.99\u00a0XTS",
  );
});

test("whole and rest can be set apart", () => {
  expect(moneyParts({ amount_minor: 1999n, currency: "RUB" })).toEqual({
    whole: "19",
    rest: ".99\u00a0₽",
  });
});

test("what is written can be read back", () => {
  const money = { amount_minor: 98_765_432_101n, currency: "RUB" };
  expect(parseAmount(formatMoney(money))).toEqual({ ok: true, money });
});

test("Russian has a comma before the kopecks", () => {
  speak("ru");
  expect(roubles(123_456_789n)).toBe("1\u202f234\u202f567,89\u00a0₽");
  expect(typedMoney({ amount_minor: 19_990n, currency: "RUB" })).toBe("199,90");
});

test("what is put into a field is what a person would type", () => {
  const typed = (amount_minor: bigint) =>
    typedMoney({ amount_minor, currency: "RUB" });
  expect([10_000n, 19_990n, 5n].map(typed)).toEqual(["100", "199.90", "0.05"]);
});
