// Failures in words for the person in front of the page.
import type { en } from "../i18n/en";
import { t } from "../i18n/words.svelte";
import type { Failure } from "./failure";

export type FieldName = "user_id" | "amount" | "description";

/** The shop's stable codes that have words of their own here; others speak through their `detail`. */
type KnownCode = {
  [Code in keyof typeof en.failure]: (typeof en.failure)[Code] extends string
    ? Code
    : never;
}[keyof typeof en.failure];

const FIELDS: Readonly<Record<string, FieldName>> = {
  amount_not_positive: "amount",
  amount_too_large: "amount",
  balance_limit: "amount",
  description_empty: "description",
  description_invalid: "description",
  description_too_long: "description",
  user_id_invalid: "user_id",
};

export function wordsOf(failure: Failure): string {
  if (failure.kind === "refused") {
    if (isKnown(failure.code)) return t.failure[failure.code];
    return failure.detail || t.failure.refused(failure.status);
  }
  const { cause, retryAfterSeconds } = failure;
  return cause === "server" && retryAfterSeconds !== null
    ? t.failure.serverRetry(retryAfterSeconds)
    : t.failure[cause];
}

/** The field a refusal is about, if it is about one. */
export function fieldOf(failure: Failure): FieldName | null {
  return failure.kind === "refused" ? (FIELDS[failure.code] ?? null) : null;
}

function isKnown(code: string): code is KnownCode {
  const words: Readonly<Record<string, unknown>> = t.failure;
  return Object.hasOwn(words, code) && typeof words[code] === "string";
}
