// One request to the shop, with a time limit, turned into a decoded answer or an ApiError.
import { decodeProblem, decodeText, type Decoder } from "./decode";
import { ApiError, type Failure } from "./failure";
import { writeJson, type Json } from "./json";

const TIME_LIMIT_MS = 15_000;

/** Client errors after which the request may still have been carried out, or may be repeated as it is. */
const NOT_DEFINITIVE = new Set([408, 425, 429]);

interface Request<T> {
  readonly method: "GET" | "POST" | "DELETE";
  readonly path: string;
  readonly body?: Json;
  readonly idempotencyKey?: string;
  readonly decode: Decoder<T>;
}

export async function request<T>(call: Request<T>): Promise<T> {
  const headers = new Headers({ Accept: "application/json" });
  if (call.body !== undefined) headers.set("Content-Type", "application/json");
  if (call.idempotencyKey) headers.set("Idempotency-Key", call.idempotencyKey);

  let response: Response;
  let text: string;
  try {
    response = await fetch(call.path, {
      method: call.method,
      headers,
      body: call.body === undefined ? null : writeJson(call.body),
      credentials: "same-origin",
      cache: "no-store",
      signal: AbortSignal.timeout(TIME_LIMIT_MS),
    });
    text = await response.text();
  } catch (cause) {
    const slow = cause instanceof DOMException && cause.name === "TimeoutError";
    throw new ApiError(unsure(slow ? "timeout" : "network"), { cause });
  }

  if (!response.ok) throw new ApiError(readFailure(response, text));
  if (response.status === 204) return call.decode(undefined);
  try {
    return decodeText(text, call.decode);
  } catch (cause) {
    throw new ApiError(unsure("answer"), { cause });
  }
}

function readFailure(response: Response, text: string): Failure {
  const { status } = response;
  if (status < 400 || status >= 500 || NOT_DEFINITIVE.has(status)) {
    const seconds = Number(response.headers.get("Retry-After") ?? "");
    const usable = Number.isInteger(seconds) && seconds > 0;
    return unsure(
      status === 408 || status === 504 ? "timeout" : "server",
      usable ? seconds : null,
    );
  }
  try {
    return { kind: "refused", status, ...decodeText(text, decodeProblem) };
  } catch {
    // Something in between answered (a proxy, say): a refusal all the same, without the shop's words.
    const code = status === 401 ? "unauthenticated" : "unknown";
    return { kind: "refused", status, code, detail: "" };
  }
}

function unsure(
  cause: "network" | "timeout" | "server" | "answer",
  retryAfterSeconds: number | null = null,
): Failure {
  return { kind: "unsure", cause, retryAfterSeconds };
}
