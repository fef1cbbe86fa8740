// What an order's description must be.

const MOST_CHARACTERS = 500;

/** In words what is wrong with it, or null. Characters are counted as the shop counts them, not in UTF-16 units. */
export function descriptionError(typed: string): string | null {
  if (typed.trim() === "") return "Say what the order is for.";
  const length = Array.from(typed).length;
  return length > MOST_CHARACTERS
    ? `The description has ${length} characters; ${MOST_CHARACTERS} is the most.`
    : null;
}
