// What exact JSON must keep.
import { describe, expect, test } from "vitest";
import { parseJson, writeJson } from "./json";

describe("reading", () => {
  test("a short whole number stays a number", () => {
    expect(parseJson('{"amount_minor":19900}')).toEqual({
      amount_minor: 19900,
    });
  });

  test("a long whole number keeps every digit", () => {
    expect(
      parseJson('{"a":9223372036854775807,"b":-4611686018427387904}'),
    ).toEqual({ a: "9223372036854775807", b: "-4611686018427387904" });
  });

  test("digits inside a string are left alone, escapes included", () => {
    const text = String.raw`{"description":"no \" 12345678901234567890 \\","n":1}`;
    expect(parseJson(text)).toEqual({
      description: String.raw`no " 12345678901234567890 ` + "\\",
      n: 1,
    });
  });

  test("a long fraction stays a number", () => {
    expect(parseJson("[0.12345678901234567890]")).toEqual([
      0.12345678901234568,
    ]);
  });

  test("broken JSON is refused", () => {
    expect(() => parseJson("{")).toThrow(SyntaxError);
  });
});

describe("writing", () => {
  test("a bigint is a plain number with all its digits", () => {
    expect(writeJson({ user_id: 9223372036854775807n })).toBe(
      '{"user_id":9223372036854775807}',
    );
  });

  test("nesting, strings and null are as usual", () => {
    const body = {
      amount: { amount_minor: 100n, currency: "RUB" },
      description: 'a "b"\u0000',
      note: null,
    };
    expect(writeJson(body)).toBe(
      '{"amount":{"amount_minor":100,"currency":"RUB"},"description":"a \\"b\\"\\u0000","note":null}',
    );
  });
});
