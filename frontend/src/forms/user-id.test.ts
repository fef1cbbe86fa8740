// What counts as a user id.
import { expect, test } from "vitest";
import { parseUserId } from "./user-id";

test.each([
  ["1", 1n],
  [" 42 ", 42n],
  ["9007199254740993", 9_007_199_254_740_993n],
  ["9223372036854775807", 9_223_372_036_854_775_807n],
])("%j is a user id", (typed, id) => {
  expect(parseUserId(typed)).toBe(id);
});

test.each(["", "0", "-1", "1.5", "1e3", "one", "9223372036854775808"])(
  "%j is none",
  (typed) => {
    expect(parseUserId(typed)).toBeNull();
  },
);
