// Keeps what a form has sent over a reload of the page, until it is known what became of it.

/** What was sent, under which key and when, for as long as nobody knows whether it was done. */
export interface Attempt<Input> {
  readonly input: Input;
  readonly key: string;
  /** In milliseconds since 1970. */
  readonly at: number;
}

/** The shop forgets a key after 24 hours: repeated after that, the request would be a new one. */
const REPEATABLE_MS = 23 * 3_600_000;

export type Kept<Input> =
  | { readonly kind: "none" }
  | { readonly kind: "repeatable"; readonly attempt: Attempt<Input> }
  /** Too old to be repeated under its key. */
  | { readonly kind: "lost" };

/** One place of this tab's storage. A browser that keeps nothing makes it forget, and no more. */
export class KeptAttempt<Input> {
  readonly #slot: string;

  constructor(slot: string) {
    this.#slot = `gozon-attempt-${slot}`;
  }

  read(now: number): Kept<Input> {
    try {
      const text = sessionStorage.getItem(this.#slot);
      if (text === null) return { kind: "none" };
      const attempt = JSON.parse(text, reviveBigint) as Attempt<Input>;
      return now - attempt.at < REPEATABLE_MS
        ? { kind: "repeatable", attempt }
        : { kind: "lost" };
    } catch {
      return { kind: "none" };
    }
  }

  write(attempt: Attempt<Input>): void {
    try {
      sessionStorage.setItem(
        this.#slot,
        JSON.stringify(attempt, replaceBigint),
      );
    } catch {
      // The attempt lasts as long as the page.
    }
  }

  clear(): void {
    try {
      sessionStorage.removeItem(this.#slot);
    } catch {
      // There was nothing to forget.
    }
  }
}

/** JSON has no bigint: it goes as an object that nothing else looks like. */
function replaceBigint(_name: string, value: unknown): unknown {
  return typeof value === "bigint" ? { bigint: value.toString() } : value;
}

function reviveBigint(_name: string, value: unknown): unknown {
  const isBigint =
    typeof value === "object" &&
    value !== null &&
    Object.keys(value).length === 1 &&
    "bigint" in value;
  return isBigint ? BigInt(String(value.bigint)) : value;
}
