// Both of the console's dictionaries say the same things.
import { expect, test } from "vitest";
import { en } from "./en";
import { ru } from "./ru";

/** Every word by its path, and how many values it takes. */
function shape(words: object, path = ""): string[] {
  return Object.entries(words).flatMap(([name, word]: [string, unknown]) => {
    const here = `${path}/${name}`;
    if (typeof word === "object" && word !== null) return shape(word, here);
    return typeof word === "function" ? `${here}(${word.length})` : here;
  });
}

function texts(words: object): string[] {
  return Object.values(words).flatMap((word: unknown) => {
    if (typeof word === "object" && word !== null) return texts(word);
    return typeof word === "string" ? [word] : [];
  });
}

test("the dictionaries have equal keys", () => {
  expect(shape(ru)).toEqual(shape(en));
});

test("they leave nothing empty, and nothing in the other language", () => {
  for (const text of [...texts(en), ...texts(ru)]) expect(text).not.toBe("");
  for (const text of texts(en)) expect(text).not.toMatch(/[а-яё]/i);
  for (const text of texts(ru)) expect(text).not.toMatch(/[a-z]/i);
});

test("Russian counts as Russian does", () => {
  expect([1, 2, 5, 21].map((count) => ru.redrive.heading(count))).toEqual([
    "Обработать заново 1 сообщение",
    "Обработать заново 2 сообщения",
    "Обработать заново 5 сообщений",
    "Обработать заново 21 сообщение",
  ]);
});
