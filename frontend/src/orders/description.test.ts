// Which descriptions may be sent.
import { expect, test } from "vitest";
import { descriptionError } from "./description";

test("an ordinary description is fine", () => {
  expect(descriptionError("A kettle")).toBeNull();
});

test("blank is refused", () => {
  expect(descriptionError("")).not.toBeNull();
  expect(descriptionError("  \t")).not.toBeNull();
});

test("500 characters are fine and 501 are not, however many bytes each takes", () => {
  expect(descriptionError("🫖".repeat(500))).toBeNull();
  expect(descriptionError("я".repeat(501))).toBe(
    "The description has 501 characters; 500 is the most.",
  );
});
