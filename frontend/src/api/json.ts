// JSON in which whole numbers stay exact: money and ids are 64-bit on the wire, and a JavaScript number is not.

/** A string or a number of a JSON text; strings are matched only to be skipped. */
const STRING_OR_NUMBER = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** Whole numbers with this many digits or more may not fit a JavaScript number. */
const LONG_WHOLE_NUMBER = /^-?\d{16,}$/;

/** Reads JSON; whole numbers too long for a JavaScript number arrive as strings of digits. */
export function parseJson(text: string): unknown {
  const exact = text.replace(STRING_OR_NUMBER, (token) =>
    LONG_WHOLE_NUMBER.test(token) ? `"${token}"` : token,
  );
  return JSON.parse(exact);
}

export type Json =
  | string
  | number
  | bigint
  | boolean
  | null
  | { readonly [name: string]: Json }
  | readonly Json[];

/** Writes JSON; a bigint becomes a plain number with all its digits. */
export function writeJson(value: Json): string {
  if (typeof value === "bigint") return value.toString();
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(writeJson).join(",")}]`;
  const members = Object.entries(value).map(
    ([name, member]) => `${JSON.stringify(name)}:${writeJson(member)}`,
  );
  return `{${members.join(",")}}`;
}
