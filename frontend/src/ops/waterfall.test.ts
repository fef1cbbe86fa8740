// The waterfall of an order: what led to what, and how long it took.
import { describe, expect, test } from "vitest";
import type { Hop } from "./api";
import { waterfallOf } from "./waterfall";

function hop(
  milliseconds: number | null,
  step: string,
  event_id: string | null = null,
  service: Hop["service"] = "order",
): Hop {
  const at =
    milliseconds === null
      ? null
      : new Date(Date.UTC(2026, 0, 1) + milliseconds).toISOString();
  return {
    at,
    step,
    event_id,
    service,
    detail: "",
    owner: null,
    lane: 1,
    epoch: 1,
    attempts: null,
  };
}

const PAID = [
  hop(20, "inbox.received", "1", "payment"),
  hop(0, "order.requested"),
  hop(2, "outbox.appended", "1"),
  hop(6, "outbox.picked_up", "1"),
  hop(10, "outbox.published", "1"),
  hop(14, "outbox.confirmed", "1"),
  hop(21, "payment.decided", null, "payment"),
  hop(30, "order.status"),
  hop(31, "order.pushed"),
  hop(32, "inbox.duplicate", "1", "payment"),
  hop(33, "order.status"),
];

describe("the waterfall", () => {
  test("measures each hop from what led to it, not from what came before", () => {
    const { bars, total } = waterfallOf(PAID);
    expect(bars.map(({ hop: { step }, took }) => [step, took])).toEqual([
      ["order.requested", 0],
      ["outbox.appended", 2],
      ["outbox.picked_up", 4],
      ["outbox.published", 4],
      ["outbox.confirmed", 4],
      ["inbox.received", 10],
      ["payment.decided", 1],
      ["order.status", 9],
      ["order.pushed", 1],
      ["inbox.duplicate", 12],
      ["order.status", 3],
    ]);
    expect(total).toBe(33);
  });

  test("places each bar within the whole", () => {
    const published = waterfallOf(PAID).bars[3];
    expect(published?.from).toBeCloseTo(6 / 33);
    expect(published?.length).toBeCloseTo(4 / 33);
    for (const { from, length } of waterfallOf(PAID).bars) {
      expect(from + length).toBeLessThanOrEqual(1 + 1e-9);
    }
  });

  test("puts what has no instant behind its event, and gives events short names", () => {
    const { bars, events } = waterfallOf([
      hop(null, "outbox.waiting", "9"),
      hop(0, "outbox.appended", "9"),
      hop(5, "order.status"),
    ]);
    expect(bars.map(({ hop: { step } }) => step)).toEqual([
      "outbox.appended",
      "outbox.waiting",
      "order.status",
    ]);
    expect(bars[1]?.took).toBeNull();
    expect(events).toEqual([["A", "9"]]);
  });

  test("of clocks that disagree has no negative time", () => {
    const { bars } = waterfallOf([
      hop(10, "outbox.published", "1"),
      hop(9, "inbox.received", "1", "payment"),
    ]);
    expect(bars.every(({ took }) => took !== null && took >= 0)).toBe(true);
  });

  test("of nothing is empty", () => {
    expect(waterfallOf([])).toEqual({ bars: [], total: 0, events: [] });
  });
});
