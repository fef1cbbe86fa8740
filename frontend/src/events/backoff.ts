// How long to wait before the next attempt: full jitter, so that many pages do not return at once.

const FIRST_MS = 500;
const MOST_MS = 30_000;

/** Anything from nothing to a ceiling that doubles with every failure. `random` is in [0, 1). */
export function backoffMs(failures: number, random: number): number {
  const ceiling = Math.min(MOST_MS, FIRST_MS * 2 ** Math.max(0, failures - 1));
  return Math.floor(ceiling * random);
}
