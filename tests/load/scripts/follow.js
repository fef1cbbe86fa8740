// The socket of one customer: it tells when orders end, and goes on where it broke off.
import { clearTimeout, setTimeout } from "k6/timers";
import { WebSocket } from "k6/websockets";

import { errors, socketsReopened } from "./measures.js";

/** How often a socket in a row is opened in vain. */
const ATTEMPTS = 8;

/** The pause after the first failure, doubled from one to the next. */
const PAUSE_MS = 100;

/** From opening a socket to its first frame. */
const SNAPSHOT_LIMIT_MS = 10_000;

/**
 * @typedef {{ status: string, at: number }} End An order's end and when it was told.
 *
 * @typedef {object} Follow
 * @property {Promise<boolean>} live Whether a first frame came.
 * @property {(id: string, withinMs: number) => Promise<End | null>} end An order's end, or null when it is not told in time.
 * @property {() => void} close Without it the visit would not end.
 */

/**
 * Opens a socket that follows a customer's orders.
 * @param {string} base The shop's address, `http://…`.
 * @param {string} token
 * @param {Record<string, string>} tags
 * @returns {Follow}
 */
export function follow(base, token, tags) {
  /** @type {Map<string, End>} */
  const ended = new Map();
  /** @type {Map<string, (end: End) => void>} */
  const waiting = new Map();
  /** @type {string | null} */
  let cursor = null;
  /** @type {WebSocket | null} */
  let socket = null;
  let failures = 0;
  let closed = false;
  /** The one wait under way: for a first frame, or for the next attempt. */
  let timer = 0;
  /** @type {(live: boolean) => void} */
  let tellLive = () => {};
  const live = new Promise((/** @type {(live: boolean) => void} */ resolve) => {
    tellLive = resolve;
  });

  function connect() {
    let url = `${base.replace(/^http/, "ws")}/api/v1/events`;
    if (cursor !== null) {
      url += `?cursor=${encodeURIComponent(cursor)}`;
      socketsReopened.add(1, tags);
    }
    const opened = new WebSocket(url, null, {
      headers: { authorization: `Bearer ${token}` },
      tags: { ...tags, name: "GET /api/v1/events" },
    });
    socket = opened;
    timer = setTimeout(() => failed(opened), SNAPSHOT_LIMIT_MS);
    opened.addEventListener("message", (event) => {
      if (opened === socket && "data" in event) receive(String(event.data));
    });
    // A failed handshake may be told by both.
    opened.addEventListener("error", () => failed(opened));
    opened.addEventListener("close", () => failed(opened));
  }

  /** @param {string} text */
  function receive(text) {
    const at = Date.now();
    const frame = JSON.parse(text);
    // The stream is quiet, and lives.
    if (frame.type === "beat") return;
    cursor = frame.cursor;
    if (frame.type === "snapshot") {
      clearTimeout(timer);
      failures = 0;
      errors.add(false, tags);
      tellLive(true);
    }
    for (const { id, status } of frame.orders) {
      if (status === "NEW" || ended.has(id)) continue;
      const end = { status, at };
      ended.set(id, end);
      waiting.get(id)?.(end);
    }
  }

  /** @param {WebSocket} which */
  function failed(which) {
    if (closed || which !== socket) return;
    clearTimeout(timer);
    socket = null;
    which.close();
    failures += 1;
    // One that had been live may end: the shop says so when it stops. That it cannot be opened is an error.
    if (failures > 1 || cursor === null) errors.add(true, tags);
    if (failures > ATTEMPTS) {
      tellLive(false);
      return;
    }
    timer = setTimeout(connect, PAUSE_MS * 2 ** (failures - 1));
  }

  connect();
  return {
    live,
    end(id, withinMs) {
      return new Promise((resolve) => {
        const known = ended.get(id);
        if (known) {
          resolve(known);
          return;
        }
        const late = setTimeout(() => tell(null), withinMs);
        /** @param {End | null} end */
        function tell(end) {
          clearTimeout(late);
          waiting.delete(id);
          resolve(end);
        }
        waiting.set(id, tell);
      });
    },
    close() {
      closed = true;
      clearTimeout(timer);
      socket?.close();
    },
  };
}
