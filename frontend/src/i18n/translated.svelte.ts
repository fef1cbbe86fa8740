// Words in the language of the page: one object whose members follow the person's choice.
import { language, type Language } from "./language.svelte";

/**
 * The dictionaries as one. Read a group from it where it is shown (`t.orders.heading`), and what is shown changes with
 * the language; a part of the page that loads apart brings dictionaries of its own.
 */
export function translated<Words extends object>(
  dictionaries: Readonly<Record<Language, Words>>,
): Words {
  const groups = Object.keys(dictionaries.en) as (keyof Words)[];
  const following = {} as Words;
  for (const group of groups) {
    Object.defineProperty(following, group, {
      enumerable: true,
      get: () => dictionaries[language.current][group],
    });
  }
  return following;
}
