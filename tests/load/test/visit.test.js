// What a customer does when things go wrong, and how it is counted.
import assert from "node:assert/strict";
import { test } from "node:test";

import { judge } from "../stand-in/k6-metrics.js";
import { beginAtZero } from "../scripts/measures.js";
import { visit } from "../scripts/visit.js";
import { FakeShop } from "./fake-shop.js";

const WAITS = { pushMs: 500, readMs: 200, readEveryMs: 20 };

/** One visit, and by how much it moved each count. */
async function visited(faults, { orders = 10 } = {}) {
  const shop = await FakeShop.open(faults);
  const before = counts();
  try {
    const parts = { web: shop.url, order: shop.url, payment: shop.url };
    await visit(parts, 7, { orders, pauseMs: 0 }, { step: "all" }, WAITS);
  } finally {
    shop.close();
  }
  const after = counts();
  const moved = Object.keys(after).map((name) => [
    name,
    after[name] - before[name],
  ]);
  return {
    shop,
    moved: Object.fromEntries(moved.filter(([, by]) => by !== 0)),
  };
}

function counts() {
  const { summary } = judge({});
  const found = Object.entries(summary).map(([name, { values }]) => [
    name,
    // Of a rate, how often it was true.
    values.count ?? values.passes,
  ]);
  return Object.fromEntries(found);
}

const WELL = {
  orders_accepted: 10,
  orders_ended: 10,
  orders_paid: 9,
  orders_declined: 1,
  place_ms: 10,
  settle_ms: 10,
};

beginAtZero();
// A trend without a value has no count.
await visited();

test("a customer of a shop at ease sees every order end", async () => {
  const { shop, moved } = await visited();
  assert.deepEqual(moved, WELL);
  assert.equal(new Set(shop.keysOf("POST /api/v1/orders")).size, 10);
});

test("a shed order is placed again under its key after Retry-After", async () => {
  const began = Date.now();
  const { shop, moved } = await visited({
    answer: ({ route, nth }) =>
      route === "POST /api/v1/orders" && nth === 1
        ? {
            status: 503,
            headers: { "retry-after": "1" },
            body: { code: "overloaded" },
          }
        : undefined,
  });
  assert.deepEqual(moved, { ...WELL, sheds: 1 });
  const keys = shop.keysOf("POST /api/v1/orders");
  assert.equal(keys[0], keys[1]);
  assert.ok(Date.now() - began >= 1000);
});

test("an answer that got lost is asked for again under its key, and the order counts once", async () => {
  const { shop, moved } = await visited({
    answer: ({ route, nth }) =>
      route === "POST /api/v1/orders" && nth === 1 ? "cut" : undefined,
  });
  assert.deepEqual(moved, { ...WELL, errors: 1 });
  const keys = shop.keysOf("POST /api/v1/orders");
  assert.equal(keys.length, 11);
  assert.equal(keys[0], keys[1]);
});

test("a refusal for good is not asked for again, and the customer leaves", async () => {
  const { shop, moved } = await visited({
    answer: ({ route }) =>
      route === "POST /api/v1/orders" ? { status: 422 } : undefined,
  });
  assert.deepEqual(moved, { visits_given_up: 1, errors: 1 });
  assert.equal(shop.keysOf("POST /api/v1/orders").length, 1);
});

test("a socket that the shop closes is opened again with the newest cursor", async () => {
  const { shop, moved } = await visited({ closes: (nth) => nth === 3 });
  assert.deepEqual(moved, { ...WELL, sockets_reopened: 1 });
  assert.deepEqual(shop.cursors, [null, "after 2"]);
});

test("an end that is not pushed is read back", async () => {
  const { moved } = await visited({ pushed: (nth) => nth !== 3 });
  assert.deepEqual(moved, { ...WELL, pushes_missed: 1 });
});

test("an order without an end stays counted", async () => {
  const { moved } = await visited({
    end: (nth) => (nth === 3 ? "NEW" : undefined),
  });
  assert.equal(moved.orders_without_end, 1);
  assert.equal(moved.orders_accepted, 3);
  assert.equal(moved.orders_ended, 2);
});

test("an end that should not be is a contradiction", async () => {
  for (const end of [
    (nth) => (nth === 3 ? "CANCELLED" : undefined),
    (nth) => (nth === 10 ? "FINISHED" : undefined),
  ]) {
    const { moved } = await visited({ end });
    // The balance contradicts it, too.
    assert.equal(moved.contradictions, 2);
  }
});

test("a balance that is not what was put in less what was paid is a contradiction", async () => {
  const { moved } = await visited({ stolen: 1 });
  assert.deepEqual(moved, { ...WELL, contradictions: 1 });
});
