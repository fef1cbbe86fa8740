// How a call to the shop can fail: a definite no, or not knowing whether it was done.

export type Failure =
  /** The shop answered no, and did nothing. */
  | {
      readonly kind: "refused";
      readonly status: number;
      readonly code: string;
      readonly detail: string;
    }
  /** No usable answer: the request may or may not have been carried out. */
  | {
      readonly kind: "unsure";
      readonly cause: "network" | "timeout" | "server" | "answer";
      readonly retryAfterSeconds: number | null;
    };

export class ApiError extends Error {
  override readonly name = "ApiError";

  constructor(
    readonly failure: Failure,
    options?: ErrorOptions,
  ) {
    super(
      failure.kind === "refused"
        ? `refused: ${failure.code}`
        : `no usable answer: ${failure.cause}`,
      options,
    );
  }
}

export function isRefusal(error: unknown, code: string): boolean {
  return (
    error instanceof ApiError &&
    error.failure.kind === "refused" &&
    error.failure.code === code
  );
}

/** Any error as a Failure; what is no ApiError is a fault of this page and goes to the console. */
export function failureOf(error: unknown): Failure {
  if (error instanceof ApiError) return error.failure;
  console.error(error);
  return { kind: "unsure", cause: "answer", retryAfterSeconds: null };
}
