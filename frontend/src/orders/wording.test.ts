// The words for an order's status.
import { expect, test } from "vitest";
import { anOrder, cancelled, finished } from "./fixture";
import { announcementOf, wordsOfStatus } from "./wording";

test("each reason for a cancellation has words", () => {
  expect(wordsOfStatus(cancelled(1, "no_account")).sentence).toBe(
    "You had no account to pay from.",
  );
  expect(wordsOfStatus(cancelled(1, "insufficient_funds")).sentence).toBe(
    "There was not enough money in your account.",
  );
  expect(wordsOfStatus(cancelled(1, "refunded")).sentence).toBe(
    "You cancelled it, and your money is back.",
  );
});

test("an order that its owner cancelled has not failed", () => {
  expect(wordsOfStatus(cancelled(1, "refunded")).tone).toBe("neutral");
  expect(wordsOfStatus(cancelled(1, "insufficient_funds")).tone).toBe("bad");
});

test("an order whose money is on its way back is waited for, as a new one is", () => {
  const refunding = wordsOfStatus(anOrder(1, { status: "REFUNDING" }));
  expect(refunding.label).toBe("Refunding");
  expect(refunding.tone).toBe(wordsOfStatus(anOrder(1)).tone);
});

test("a reason this page does not know still reads as a sentence", () => {
  expect(wordsOfStatus(cancelled(1, "card_expired")).sentence).toBe(
    "The payment was declined.",
  );
});

test("a status this page does not know is shown as it is, without a colour that promises something", () => {
  expect(wordsOfStatus(anOrder(1, { status: "SHIPPED" }))).toEqual({
    label: "SHIPPED",
    tone: "neutral",
    sentence: "",
  });
});

test("few decisions are announced one by one, many by their count", () => {
  expect(announcementOf([finished(17)])).toBe(
    "Order 17: finished. Paid from your account.",
  );
  expect(announcementOf([1, 2, 3, 4].map((n) => finished(n)))).toBe(
    "4 orders were decided.",
  );
});
