// How what was found reads.
import assert from "node:assert/strict";
import { test } from "node:test";

import { htmlReport } from "../scripts/report.js";
import { number, summarise, textReport } from "../scripts/summary.js";

const PLAN = {
  about: "more & more",
  orders: 20,
  steps: [10, 20, 40].map((rate) => ({
    name: `${rate * 20} orders/s`,
    rate,
    seconds: 10,
  })),
};

/** A run whose steps took so many orders a second, each with this p99. */
function found(steps, thresholds = {}) {
  const metrics = { errors: { values: { rate: 0.0012 }, thresholds } };
  PLAN.steps.forEach(({ name, seconds }, index) => {
    const [accepted, p99] = steps[index];
    const count = accepted * seconds;
    const values = { med: 1, "p(95)": 2, "p(99)": p99, max: p99, count };
    metrics[`orders_accepted{step:${name}}`] = {
      values: { count },
      thresholds: { "count>=0": { ok: true } },
    };
    metrics[`settle_ms{step:${name}}`] = { values };
  });
  const data = { metrics, state: { testRunDurationMs: 30_000 } };
  return summarise("stress", "http://shop", PLAN, data);
}

test("the limit is the last step before the first that was not kept up with", () => {
  const at = (...steps) => found(steps).limit;
  assert.match(
    at([200, 50], [400, 60], [800, 70]),
    /kept up with 800 orders a second, the most/,
  );
  assert.match(
    at([200, 50], [400, 60], [700, 70]),
    /kept up with 400 orders a second, and of 800 it took 700/,
  );
  assert.match(
    at([200, 50], [400, 1500], [800, 70]),
    /kept up with 200 orders/,
  );
  assert.match(
    at([100, 50], [400, 60], [800, 70]),
    /not keep up with the first/,
  );
});

test("a broken threshold fails the run and is named", () => {
  const steps = [
    [200, 50],
    [400, 60],
    [800, 70],
  ];
  const good = found(steps, { "rate<0.01": { ok: true } });
  assert.equal(good.passed, true);
  assert.match(textReport(good), /ok +errors rate<0\.01 +0\.12 %/);
  assert.match(htmlReport(good), /"verdict passed"/);
  const bad = found(steps, { "rate<0.001": { ok: false } });
  assert.equal(bad.passed, false);
  assert.match(textReport(bad), /FAILED errors rate<0\.001 +0\.12 %/);
  assert.match(htmlReport(bad), /failed: 1 of 1 thresholds/);
});

test("the page needs nothing else, and what it shows is text", () => {
  const page = htmlReport(
    found([
      [200, 50],
      [400, 60],
      [800, 70],
    ]),
  );
  assert.doesNotMatch(page, /<script|<link|src=|@import|url\(/);
  assert.match(page, /more &#38; more/);
  assert.doesNotMatch(page, /NaN|undefined|null/);
});

test("numbers read as people write them", () => {
  assert.deepEqual([0, 7, 7.04, 99.96, 1234.5, 1_000_000].map(number), [
    "0",
    "7",
    "7.0",
    "100.0",
    "1,235",
    "1,000,000",
  ]);
});
