// How instants are written, in the reader's own time zone.
import { beforeEach, describe, expect, test } from "vitest";
import { speak } from "../i18n/speaking";
import {
  millisecondOf,
  relativeInstant,
  secondOf,
  shortInstant,
} from "./instant";

const now = new Date(2026, 2, 10, 12, 0);

describe("in English", () => {
  beforeEach(() => speak("en"));

  test.each([
    [new Date(2026, 2, 10, 9, 5), "Today, 09:05"],
    [new Date(2026, 2, 9, 23, 59), "9 Mar, 23:59"],
    [new Date(2025, 11, 31, 23, 59), "31 Dec 2025, 23:59"],
  ])("%s reads %s", (instant, text) => {
    expect(shortInstant(instant, now)).toBe(text);
  });

  test.each([
    [new Date(2026, 2, 10, 12, 1), "now"],
    [new Date(2026, 2, 10, 11, 59, 30), "now"],
    [new Date(2026, 2, 10, 11, 59), "1 minute ago"],
    [new Date(2026, 2, 10, 9, 5), "2 hours ago"],
    [new Date(2026, 2, 9, 11, 0), "yesterday"],
    [new Date(2025, 2, 1, 12, 0), "last year"],
  ])("%s was %s", (instant, text) => {
    expect(relativeInstant(instant, now)).toBe(text);
  });

  test("seconds and milliseconds are written out", () => {
    const instant = new Date(2026, 2, 10, 9, 5, 7, 42);
    expect(secondOf(instant)).toBe("09:05:07");
    expect(millisecondOf(instant)).toBe("09:05:07.042");
  });
});

describe("in Russian", () => {
  beforeEach(() => speak("ru"));

  test("days, hours and milliseconds are Russian", () => {
    expect(shortInstant(new Date(2026, 2, 10, 9, 5), now)).toBe(
      "Сегодня, 09:05",
    );
    expect(relativeInstant(new Date(2026, 2, 10, 9, 5), now)).toBe(
      "2 часа назад",
    );
    expect(millisecondOf(new Date(2026, 2, 10, 9, 5, 7, 42))).toBe(
      "09:05:07,042",
    );
  });
});
