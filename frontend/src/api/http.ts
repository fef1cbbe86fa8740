// One request to the shop, with a time limit, turned into a decoded answer or an ApiError.
import { decodeProblem, decodeText, type Decoder } from "./decode";
import { ApiError, type Failure } from "./failure";
import { writeJson, type Json } from "./json";

const TIME_LIMIT_MS = 15_000;

/** Client errors after which the request may still have been carried out, or may be repeated as it is. */
const NOT_DEFINITIVE = new Set([408, 425, 429]);

/** The refusal that is a server error all the same: too much was under way, and nothing was done. */
const NOTHING_DONE = "overloaded";

interface Request<T> {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Json | undefined;
  readonly decode: Decoder<T>;
  /** The answer that stands for 304. */
  readonly unchanged?: T;
}

interface Answered<T> {
  readonly answer: T;
  /** The answer's entity tag. */
  readonly tag: string | null;
}

export async function request<T>(call: Request<T>): Promise<Answered<T>> {
  const headers = new Headers({ Accept: "application/json", ...call.headers });
  if (call.body !== undefined) headers.set("Content-Type", "application/json");

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

  const tag = response.headers.get("ETag");
  if (response.status === 304 && call.unchanged !== undefined) {
    return { answer: call.unchanged, tag };
  }
  if (!response.ok) throw new ApiError(readFailure(response, text));
  if (response.status === 204) return { answer: call.decode(undefined), tag };
  try {
    return { answer: decodeText(text, call.decode), tag };
  } catch (cause) {
    throw new ApiError(unsure("answer"), { cause });
  }
}

function readFailure(response: Response, text: string): Failure {
  const { status } = response;
  const problem = readProblem(text);
  if (problem?.code === NOTHING_DONE) {
    return { kind: "refused", status, ...problem };
  }
  if (status < 400 || status >= 500 || NOT_DEFINITIVE.has(status)) {
    const seconds = Number(response.headers.get("Retry-After") ?? "");
    const usable = Number.isInteger(seconds) && seconds > 0;
    return unsure(
      status === 408 || status === 504 ? "timeout" : "server",
      usable ? seconds : null,
    );
  }
  if (problem) return { kind: "refused", status, ...problem };
  // Something in between answered (a proxy, say): a refusal all the same, without the shop's words.
  const code = status === 401 ? "unauthenticated" : "unknown";
  return { kind: "refused", status, code, detail: "" };
}

function readProblem(text: string): { code: string; detail: string } | null {
  try {
    const { code, detail } = decodeText(text, decodeProblem);
    return { code, detail: detail ?? "" };
  } catch {
    return null;
  }
}

function unsure(
  cause: "network" | "timeout" | "server" | "answer",
  retryAfterSeconds: number | null = null,
): Failure {
  return { kind: "unsure", cause, retryAfterSeconds };
}
