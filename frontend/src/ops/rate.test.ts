// Rates from counters that begin anew with each relay, and the line drawn of them.
import { describe, expect, test } from "vitest";
import { linePoints, pushed, ratePerSecond, type Reading } from "./rate";

function at(seconds: number, published: Record<string, number>): Reading {
  return { at: seconds * 1000, published: new Map(Object.entries(published)) };
}

describe("the rate", () => {
  test("is what all relays published in between", () => {
    const before = at(0, { a: 100, b: 50 });
    expect(ratePerSecond(before, at(2, { a: 120, b: 50 }))).toBe(10);
  });

  test("counts a relay that is new, or began anew, from nothing", () => {
    const before = at(0, { a: 100 });
    expect(ratePerSecond(before, at(1, { a: 7, b: 3 }))).toBe(10);
  });

  test("of a relay that is gone is nothing, and never negative", () => {
    expect(ratePerSecond(at(0, { a: 100 }), at(1, {}))).toBe(0);
    expect(ratePerSecond(at(1, { a: 1 }), at(1, { a: 9 }))).toBe(0);
  });
});

test("only the newest values are kept", () => {
  expect(pushed([1, 2, 3], 4, 3)).toEqual([2, 3, 4]);
});

describe("the line", () => {
  test("fills its box, with nothing at the bottom", () => {
    expect(linePoints([0, 5, 10], 100, 20)).toBe("0,20 50,10 100,0");
  });

  test("of nothing but zeros lies at the bottom, and of one value is none", () => {
    expect(linePoints([0, 0], 100, 20)).toBe("0,20 100,20");
    expect(linePoints([4], 100, 20)).toBe("");
  });
});
