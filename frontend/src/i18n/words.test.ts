// Both dictionaries say the same things, and numbers have the right form.
import { describe, expect, test } from "vitest";
import { en } from "./en";
import { firstSpoken } from "./language.svelte";
import { ru } from "./ru";

/** Every word by its path, and how many values it takes. */
function shape(words: object, path = ""): string[] {
  return Object.entries(words).flatMap(([name, word]: [string, unknown]) => {
    const here = `${path}.${name}`;
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

describe("the dictionaries", () => {
  test("have equal keys", () => {
    expect(shape(ru)).toEqual(shape(en));
  });

  test("leave nothing empty, and nothing in the other language", () => {
    for (const text of [...texts(en), ...texts(ru)]) expect(text).not.toBe("");
    for (const text of texts(en)) expect(text).not.toMatch(/[а-яё]/i);
    for (const text of texts(ru)) expect(text).not.toMatch(/[a-z]/i);
  });
});

describe("numbers", () => {
  test("Russian has three forms for whole numbers", () => {
    expect([0, 1, 2, 5, 11, 21, 22, 111].map(ru.orders.shown)).toEqual([
      "0 заказов",
      "1 заказ",
      "2 заказа",
      "5 заказов",
      "11 заказов",
      "21 заказ",
      "22 заказа",
      "111 заказов",
    ]);
  });

  test("English has two", () => {
    expect([0, 1, 2, 21].map(en.orders.shown)).toEqual([
      "0 orders",
      "1 order",
      "2 orders",
      "21 orders",
    ]);
  });
});

describe("the language of the browser", () => {
  test("is the first one wished for that the page speaks", () => {
    expect(firstSpoken(["de-DE", "ru-RU", "en"])).toBe("ru");
    expect(firstSpoken(["en-US", "ru"])).toBe("en");
    expect(firstSpoken(["RU"])).toBe("ru");
  });

  test("is English when the page speaks none of them", () => {
    expect(firstSpoken(["de", "run"])).toBe("en");
    expect(firstSpoken([])).toBe("en");
  });
});
