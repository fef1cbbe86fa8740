// What a person reads of what happened to an order.
import { beforeEach, describe, expect, test } from "vitest";
import type { TimelineItem } from "../api/types";
import { speak } from "../i18n/speaking";
import { anOrder, finished } from "./fixture";
import { awaited, decidedAfter, stepsOf } from "./timeline";

beforeEach(() => speak("en"));

function item(step: string, at: string, detail: string | null = null) {
  return {
    step,
    at: `2026-01-02T03:04:${at}Z`,
    detail,
    event_id: null,
    trace_id: null,
  } satisfies TimelineItem;
}

function labels(...timeline: TimelineItem[]): string[] {
  return stepsOf({ timeline }).map(({ label, sentence }) =>
    sentence === null ? label : `${label}: ${sentence}`,
  );
}

describe("the steps", () => {
  test("of a paid order that was given up", () => {
    expect(
      labels(
        item("placed", "05"),
        item("payment_requested", "05.1"),
        item("payment_decided", "05.2"),
        item("finished", "05.3"),
        item("refund_requested", "06"),
        item("refunded", "06.1"),
        item("cancelled", "06.2", "refunded"),
      ),
    ).toEqual([
      "Order placed",
      "Payment requested",
      "Paid",
      "Order finished",
      "You cancelled the order; refund requested",
      "Money returned to your account",
      "Order cancelled",
    ]);
  });

  test("end an order that its owner cancelled as wished for, and any other cancelled one as failed", () => {
    const tone = (reason: string) =>
      stepsOf({ timeline: [item("cancelled", "06", reason)] })[0]?.tone;
    expect(tone("refunded")).toBe("neutral");
    expect(tone("insufficient_funds")).toBe("bad");
  });

  test("of a declined order say why", () => {
    expect(
      labels(
        item("payment_requested_again", "05"),
        item("payment_decided", "05", "insufficient_funds"),
      ),
    ).toEqual([
      "Payment requested again",
      "Payment declined: There was not enough money in your account.",
    ]);
  });

  test("of a newer shop are shown as they are", () => {
    expect(labels(item("shipped", "05", "by sea"))).toEqual([
      "shipped: by sea",
    ]);
  });

  test("have the time since the one before, to the microsecond, and never less than none", () => {
    const timeline = [
      item("placed", "05.000100"),
      item("payment_requested", "05.001350"),
      item("payment_decided", "05.001"),
    ];
    expect(stepsOf({ timeline }).map((step) => step.sinceBefore)).toEqual([
      null,
      1.25,
      0,
    ]);
  });
});

test("an order waits for its payment, or for its money, or for nothing", () => {
  expect(awaited(anOrder(1))).toMatch(/payment/);
  expect(awaited(anOrder(1, { status: "REFUNDING" }))).toMatch(/money/);
  expect(awaited(finished(1))).toBeNull();
});

test("a decision has a time it took", () => {
  expect(decidedAfter(finished(1))).toBe(1000);
  expect(decidedAfter(anOrder(1))).toBeNull();
});
