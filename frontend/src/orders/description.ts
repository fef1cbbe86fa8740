// What an order's description must be.
import { t } from "../i18n/words.svelte";

const MOST_CHARACTERS = 500;

/** In words what is wrong with it, or null. Characters are counted as the shop counts them, not in UTF-16 units. */
export function descriptionError(typed: string): string | null {
  if (typed.trim() === "") return t.fields.descriptionEmpty;
  const length = Array.from(typed).length;
  return length > MOST_CHARACTERS
    ? t.fields.descriptionTooLong(length, MOST_CHARACTERS)
    : null;
}
