// One customer's visit: session, account, top-up, socket, orders one after another, and the books at the end.
import { send, sleepMs } from "./client.js";
import { follow } from "./follow.js";
import {
  contradictions,
  ordersAccepted,
  ordersDeclined,
  ordersEnded,
  ordersPaid,
  ordersWithoutEnd,
  placeMs,
  pushesMissed,
  settleMs,
  visitsGivenUp,
} from "./measures.js";

const PRICE_MINOR = 1000;

/** Every so manieth order costs more than there is. */
const UNPAYABLE_EVERY = 10;

/** How long the socket has to tell an end before it is read back, and for how long and how often that is tried. */
const WAITS = { pushMs: 15_000, readMs: 60_000, readEveryMs: 1000 };

/**
 * Where a part of the shop is; all the same behind one entrance.
 * @typedef {{ web: string, order: string, payment: string }} Shop
 *
 * @typedef {object} Customer
 * @property {Shop} shop
 * @property {number} userId
 * @property {Record<string, string>} tags
 * @property {string} token
 * @property {typeof WAITS} waits
 */

/**
 * @param {Shop} shop
 * @param {number} userId
 * @param {{ orders: number, pauseMs: number }} plan
 * @param {Record<string, string>} tags
 */
export async function visit(shop, userId, plan, tags, waits = WAITS) {
  const { orders, pauseMs } = plan;
  const token = await signIn(shop, userId, tags);
  if (token === null) {
    visitsGivenUp.add(1, tags);
    return;
  }
  const customer = { shop, userId, tags, token, waits };
  const toppedUp = orders * PRICE_MINOR;
  const arrived = await openAccount(customer, toppedUp);
  const events = arrived ? follow(shop.order, token, tags) : null;
  try {
    if (events === null || !(await events.live)) {
      visitsGivenUp.add(1, tags);
      return;
    }
    let paid = 0;
    for (let index = 1; index <= orders; index += 1) {
      const payable = index % UNPAYABLE_EVERY !== 0;
      const amount = payable ? PRICE_MINOR : toppedUp + 1;
      const status = await order(customer, events, index, amount);
      if (status === null) {
        visitsGivenUp.add(1, tags);
        return;
      }
      if (status !== (payable ? "FINISHED" : "CANCELLED")) {
        contradiction(customer, `an order of ${amount} ended ${status}`);
      }
      if (status === "FINISHED") paid += amount;
      if (pauseMs > 0) await sleepMs(pauseMs * (0.5 + Math.random()));
    }
    await checkBalance(customer, toppedUp - paid);
  } finally {
    events?.close();
  }
}

/**
 * @param {Shop} shop
 * @param {number} userId
 * @param {Record<string, string>} tags
 * @returns {Promise<string | null>}
 */
async function signIn(shop, userId, tags) {
  const answer = await send({
    method: "POST",
    url: `${shop.web}/api/v1/session`,
    name: "POST /api/v1/session",
    body: { user_id: userId },
    expected: [200],
    tags,
  });
  return answer?.body.token ?? null;
}

/**
 * @param {Customer} customer
 * @param {number} amount
 */
async function openAccount({ shop, userId, token, tags }, amount) {
  const opened = await send({
    method: "POST",
    url: `${shop.payment}/api/v1/account`,
    name: "POST /api/v1/account",
    token,
    key: `load-${userId}-account`,
    expected: [200, 201],
    tags,
  });
  if (opened === null) return false;
  const toppedUp = await send({
    method: "POST",
    url: `${shop.payment}/api/v1/account/top-ups`,
    name: "POST /api/v1/account/top-ups",
    token,
    key: `load-${userId}-top-up`,
    body: { amount: rub(amount) },
    expected: [201],
    tags,
  });
  return toppedUp !== null;
}

/**
 * Places an order and waits for its end. Null when it was not accepted, or no end is to be found.
 * @param {Customer} customer
 * @param {import("./follow.js").Follow} events
 * @param {number} index
 * @param {number} amount
 * @returns {Promise<string | null>}
 */
async function order(customer, events, index, amount) {
  const { shop, userId, token, tags, waits } = customer;
  const placed = await send({
    method: "POST",
    url: `${shop.order}/api/v1/orders`,
    name: "POST /api/v1/orders",
    token,
    key: `load-${userId}-${index}`,
    body: { amount: rub(amount), description: `order ${index} of a load test` },
    expected: [201],
    tags,
  });
  if (placed === null) return null;
  ordersAccepted.add(1, tags);
  ordersWithoutEnd.add(1, tags);
  placeMs.add(placed.tookMs, tags);
  const { id } = placed.body;
  const end =
    (await events.end(id, waits.pushMs)) ?? (await readBack(customer, id));
  if (end === null) {
    console.error(`order ${id} has no end`);
    return null;
  }
  ordersWithoutEnd.add(-1, tags);
  ordersEnded.add(1, tags);
  (end.status === "FINISHED" ? ordersPaid : ordersDeclined).add(1, tags);
  settleMs.add(end.at - placed.sentAt, tags);
  return end.status;
}

/**
 * Asks for an order until it has ended.
 * @param {Customer} customer
 * @param {string} id
 * @returns {Promise<import("./follow.js").End | null>}
 */
async function readBack({ shop, token, tags, waits }, id) {
  const until = Date.now() + waits.readMs;
  while (Date.now() < until) {
    const read = await send({
      method: "GET",
      url: `${shop.order}/api/v1/orders/${id}`,
      name: "GET /api/v1/orders/{id}",
      token,
      expected: [200],
      tags,
    });
    const status = read?.body.status ?? "NEW";
    if (status !== "NEW") {
      pushesMissed.add(1, tags);
      return { status, at: Date.now() };
    }
    await sleepMs(waits.readEveryMs);
  }
  return null;
}

/**
 * @param {Customer} customer
 * @param {number} expected
 */
async function checkBalance(customer, expected) {
  const { shop, token, tags } = customer;
  const account = await send({
    method: "GET",
    url: `${shop.payment}/api/v1/account`,
    name: "GET /api/v1/account",
    token,
    expected: [200],
    tags,
  });
  const found = account?.body.balance.amount_minor;
  if (account !== null && found !== expected) {
    contradiction(customer, `the balance is ${found}, not ${expected}`);
  }
}

/**
 * @param {Customer} customer
 * @param {string} what
 */
function contradiction({ userId, tags }, what) {
  contradictions.add(1, tags);
  console.error(`user ${userId}: ${what}`);
}

/** @param {number} amount */
function rub(amount) {
  return { amount_minor: amount, currency: "RUB" };
}
