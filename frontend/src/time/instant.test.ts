// How instants are written, in the reader's own time zone.
import { expect, test } from "vitest";
import { shortInstant } from "./instant";

const now = new Date(2026, 2, 10, 12, 0);

test.each([
  [new Date(2026, 2, 10, 9, 5), "Today, 09:05"],
  [new Date(2026, 2, 9, 23, 59), "9 Mar, 23:59"],
  [new Date(2025, 11, 31, 23, 59), "31 Dec 2025, 23:59"],
])("%s reads %s", (instant, text) => {
  expect(shortInstant(instant, now)).toBe(text);
});
