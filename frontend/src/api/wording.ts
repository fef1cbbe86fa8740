// Failures in words for the person in front of the page.
import type { Failure } from "./failure";

export type FieldName = "user_id" | "amount" | "description";

/** The shop's stable codes that a person can do something about; others speak through their `detail`. */
const REFUSALS: Readonly<Record<string, string>> = {
  account_not_found: "You have no account yet. Open one first.",
  amount_not_positive: "The amount must be more than zero.",
  amount_too_large: "The amount is too large.",
  balance_limit: "The account cannot hold that much.",
  cross_origin: "The shop refused the request because of where it came from.",
  description_empty: "Say what the order is for.",
  description_too_long: "The description is too long: 500 characters at most.",
  unauthenticated: "You are signed out. Sign in again.",
  user_id_invalid: "This is no valid user id.",
};

const FIELDS: Readonly<Record<string, FieldName>> = {
  amount_not_positive: "amount",
  amount_too_large: "amount",
  balance_limit: "amount",
  description_empty: "description",
  description_too_long: "description",
  user_id_invalid: "user_id",
};

export function wordsOf(failure: Failure): string {
  if (failure.kind === "refused") {
    return (
      REFUSALS[failure.code] ??
      (failure.detail || `The shop refused this (${failure.status}).`)
    );
  }
  switch (failure.cause) {
    case "network":
      return "The shop cannot be reached.";
    case "timeout":
      return "The shop took too long to answer.";
    case "server":
      return failure.retryAfterSeconds === null
        ? "The shop has trouble at the moment."
        : `The shop has trouble at the moment. Try again in ${failure.retryAfterSeconds} s.`;
    case "answer":
      return "The shop's answer could not be understood.";
  }
}

/** The field a refusal is about, if it is about one. */
export function fieldOf(failure: Failure): FieldName | null {
  return failure.kind === "refused" ? (FIELDS[failure.code] ?? null) : null;
}
