// The bounds of the wait between attempts.
import { expect, test } from "vitest";
import { backoffMs } from "./backoff";

const almostOne = 1 - Number.EPSILON;

test.each([
  [1, 499],
  [2, 999],
  [3, 1_999],
  [6, 15_999],
  [7, 29_999],
  [1_000_000, 29_999],
])("after %s failures the wait is at most %s ms", (failures, most) => {
  expect(backoffMs(failures, almostOne)).toBe(most);
});

test("the wait may be nothing at all", () => {
  expect(backoffMs(5, 0)).toBe(0);
});
