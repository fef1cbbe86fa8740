// Requests of a careful customer: the same key again after a failure, later again when the shop is full.
import http from "k6/http";
import { setTimeout } from "k6/timers";

import { errors, sheds } from "./measures.js";

/** How often a request is sent at most. */
const ATTEMPTS = 6;

/** The pause after the first failure, doubled from one to the next. */
const PAUSE_MS = 200;

/** The longest time the shop may ask to wait. */
const RETRY_AFTER_MAX_MS = 10_000;

const TIMEOUT = "20s";

/**
 * @typedef {object} Call
 * @property {string} method
 * @property {string} url
 * @property {string} name What the request is called in k6's own figures: its route.
 * @property {string} [token]
 * @property {string} [key] The idempotency key.
 * @property {unknown} [body]
 * @property {number[]} expected The statuses that are right.
 * @property {Record<string, string>} tags
 *
 * @typedef {object} Answer
 * @property {any} body
 * @property {number} sentAt When it was first sent since the shop last turned it away: an attempt that seemed to fail may
 * have had its effect.
 * @property {number} tookMs
 */

/**
 * Sends a request until it is answered as expected; null when that never happens.
 * @param {Call} call
 * @returns {Promise<Answer | null>}
 */
export async function send(call) {
  const { method, url, name, token, key, body, expected, tags } = call;
  /** @type {Record<string, string>} */
  const headers = { "content-type": "application/json" };
  if (token) headers.authorization = `Bearer ${token}`;
  if (key) headers["idempotency-key"] = key;
  const params = {
    headers,
    timeout: TIMEOUT,
    tags: { ...tags, name },
    // A shed request is no failed one in k6's own figures either.
    responseCallback: http.expectedStatuses(...expected, 503),
  };
  let sentAt = 0;
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    sentAt ||= Date.now();
    const text = body === undefined ? null : JSON.stringify(body);
    const response = await http.asyncRequest(method, url, text, params);
    const answer = parse(response.body);
    const shed = response.status === 503 && answer?.code === "overloaded";
    const right = expected.includes(response.status) && answer !== null;
    errors.add(!right && !shed, tags);
    if (right) {
      return { body: answer, sentAt, tookMs: response.timings.duration };
    }
    if (shed) {
      sheds.add(1, tags);
      sentAt = 0;
    }
    // What the shop refuses for good is refused again.
    if (response.status >= 400 && response.status < 500) return null;
    if (attempt < ATTEMPTS) await sleepMs(pauseMs(response, attempt));
  }
  return null;
}

/** @param {number} ms */
export function sleepMs(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/**
 * As long as the shop says, and a little longer for some than for others, or doubled with each failure.
 * @param {import("k6/http").RefinedResponse<any>} response
 * @param {number} attempt
 */
function pauseMs(response, attempt) {
  const asked = Number(response.headers["Retry-After"]) * 1000;
  if (asked > 0) {
    return Math.min(asked, RETRY_AFTER_MAX_MS) * (1 + Math.random() / 2);
  }
  return PAUSE_MS * 2 ** (attempt - 1) * (0.5 + Math.random());
}

/** @param {unknown} body */
function parse(body) {
  try {
    return JSON.parse(String(body));
  } catch {
    return null;
  }
}
