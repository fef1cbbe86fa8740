// No dictionary has a word that nothing says.
import { expect, test } from "vitest";
import { en as operators } from "../ops/en";
import { en as customers } from "./en";

const SOURCES: Readonly<Record<string, string>> = import.meta.glob(
  ["../**/*.svelte", "../**/*.ts", "!../**/*.test.ts", "!../**/{en,ru}.ts"],
  { query: "?raw", import: "default", eager: true },
);
const source = Object.values(SOURCES).join("\n");

/** Looked up by what the shop sends: its statuses, codes and steps are not written here. */
const LOOKED_UP = ["failure", "step", "cause", "action", "service"];

/** Of these some words are looked up by a name that is written somewhere. */
const PARTLY_LOOKED_UP = ["orders", "health"];

test.each([
  ["the customers'", "t", customers],
  ["the operators'", "o", operators],
])("%s words are all said", (_, dictionary, words) => {
  const unsaid = Object.entries(words).flatMap(([part, its]) =>
    LOOKED_UP.includes(part)
      ? []
      : Object.keys(its)
          .filter((word) => !isSaid(dictionary, part, word))
          .map((word) => `${part}.${word}`),
  );
  expect(unsaid).toEqual([]);
});

function isSaid(dictionary: string, part: string, word: string): boolean {
  const direct = new RegExp(`\\b${dictionary}\\s*\\.${part}\\s*\\.${word}\\b`);
  return (
    direct.test(source) ||
    (PARTLY_LOOKED_UP.includes(part) && source.includes(`"${word}"`))
  );
}
