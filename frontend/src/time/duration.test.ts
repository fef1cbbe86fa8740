// How long something took, in words.
import { beforeEach, expect, test } from "vitest";
import { speak } from "../i18n/speaking";
import {
  formatDuration,
  microsecondsOf,
  millisecondsBetween,
} from "./duration";

beforeEach(() => speak("en"));

test.each([
  [0, "0 ms"],
  [0.42, "0.4 ms"],
  [12.4, "12 ms"],
  [999.4, "999 ms"],
  [3_240, "3.2 s"],
  [300_000, "5 min"],
  [7_200_000, "2 h"],
])("%s ms reads %j", (milliseconds, text) => {
  expect(formatDuration(milliseconds)).toBe(text);
});

test("Russian has its own units and a comma", () => {
  speak("ru");
  expect(formatDuration(0.42)).toBe("0,4 мс");
  expect(formatDuration(3_240)).toBe("3,2 с");
});

test("an instant keeps its microseconds, however many digits are written", () => {
  const second = microsecondsOf("2026-01-02T03:04:05Z");
  expect(microsecondsOf("2026-01-02T03:04:05.5Z") - second).toBe(500_000);
  expect(microsecondsOf("2026-01-02T03:04:05.123456Z") - second).toBe(123_456);
  expect(microsecondsOf("2026-01-02T06:04:05.1+03:00") - second).toBe(100_000);
});

test("what two clocks disagree on is nothing", () => {
  const [early, late] = ["2026-01-02T03:04:05Z", "2026-01-02T03:04:06Z"];
  expect(millisecondsBetween(early, late)).toBe(1000);
  expect(millisecondsBetween(late, early)).toBe(0);
});
