// What a run found, picked from k6's figures, and how it reads in a terminal.

/** A step is kept up with when at least this share of its orders is accepted in time… */
const KEPT_UP_SHARE = 0.95;

/** …and nearly all of them are decided within this time. */
const KEPT_UP_P99_MS = 1000;

/**
 * @typedef {{ median: number, p95: number, p99: number, max: number }} Latency
 *
 * @typedef {object} StepFound
 * @property {string} name
 * @property {number} asked Orders a second that its customers would place.
 * @property {number} accepted Orders a second.
 * @property {number} sheds Requests turned away, in all.
 * @property {Latency | null} place
 * @property {Latency | null} settle
 * @property {boolean} keptUp
 *
 * @typedef {object} Summary
 * @property {string} scenario
 * @property {string} about
 * @property {string} url
 * @property {string} endedAt
 * @property {number} seconds
 * @property {boolean} passed
 * @property {{ name: string, count: number }[]} counts
 * @property {number} errorRate
 * @property {Latency | null} place
 * @property {Latency | null} settle
 * @property {StepFound[]} steps
 * @property {string | null} limit What the steps say about how much the shop can do; for a stress test alone.
 * @property {{ metric: string, holds: string, found: number | null, ok: boolean }[]} thresholds
 */

/** The counts that are told, and what they are called. */
const COUNTS = [
  ["orders_accepted", "orders accepted"],
  ["orders_paid", "of them paid"],
  ["orders_declined", "of them declined"],
  ["orders_without_end", "of them without an end"],
  ["contradictions", "contradictions"],
  ["sheds", "requests shed (503, tried again)"],
  ["pushes_missed", "ends read back, not pushed"],
  ["sockets_reopened", "sockets reopened"],
  ["visits_given_up", "visits given up"],
  ["dropped_iterations", "customers k6 could not send"],
  ["interrupted", "visits interrupted"],
];

/**
 * @param {string} scenario
 * @param {string} url
 * @param {import("./scenarios.js").Scenario} plan
 * @param {any} data What k6 gives to `handleSummary`.
 * @returns {Summary}
 */
export function summarise(scenario, url, plan, data) {
  const { metrics } = data;
  const thresholds = thresholdsOf(metrics);
  const steps = (plan.steps ?? []).map((step) =>
    stepFound(step, plan.orders, metrics),
  );
  return {
    scenario,
    about: plan.about,
    url,
    endedAt: new Date().toISOString(),
    seconds: data.state.testRunDurationMs / 1000,
    passed: thresholds.every(({ ok }) => ok),
    counts: COUNTS.filter(([metric]) => metric in metrics).map(
      ([metric, name]) => ({ name, count: countOf(metrics, metric) }),
    ),
    errorRate: metrics.errors?.values.rate ?? 1,
    place: latencyOf(metrics, "place_ms"),
    settle: latencyOf(metrics, "settle_ms"),
    steps,
    limit: scenario === "stress" ? limitOf(steps) : null,
    thresholds,
  };
}

/**
 * @param {import("./scenarios.js").Step} step
 * @param {number} orders
 * @param {any} metrics
 * @returns {StepFound}
 */
function stepFound({ name, rate, seconds }, orders, metrics) {
  const of = `{step:${name}}`;
  const asked = rate * orders;
  const accepted = countOf(metrics, `orders_accepted${of}`) / seconds;
  const settle = latencyOf(metrics, `settle_ms${of}`);
  return {
    name,
    asked,
    accepted,
    sheds: countOf(metrics, `sheds${of}`),
    place: latencyOf(metrics, `place_ms${of}`),
    settle,
    keptUp:
      accepted >= asked * KEPT_UP_SHARE &&
      settle !== null &&
      settle.p99 <= KEPT_UP_P99_MS,
  };
}

/** @param {StepFound[]} steps */
function limitOf(steps) {
  const behind = steps.findIndex(({ keptUp }) => !keptUp);
  const last = behind === -1 ? steps[steps.length - 1] : steps[behind - 1];
  if (!last) return "It did not keep up with the first step.";
  const kept = `It kept up with ${number(last.asked)} orders a second`;
  if (behind === -1) return `${kept}, the most that were asked for.`;
  const { asked, accepted } = steps[behind];
  return `${kept}, and of ${number(asked)} it took ${number(accepted)}.`;
}

/** @param {any} metrics */
function thresholdsOf(metrics) {
  const found = [];
  for (const metric of Object.keys(metrics).sort()) {
    const { thresholds = {}, values } = metrics[metric];
    for (const holds of Object.keys(thresholds)) {
      const statistic = holds.split(/[<>=!]/)[0].trim();
      // Asked for only to have figures by step.
      if (holds.endsWith(">=0")) continue;
      const value = values[statistic] ?? null;
      found.push({ metric, holds, found: value, ok: thresholds[holds].ok });
    }
  }
  return found;
}

/**
 * @param {any} metrics
 * @param {string} metric
 * @returns {number}
 */
function countOf(metrics, metric) {
  return metrics[metric]?.values.count ?? 0;
}

/**
 * @param {any} metrics
 * @param {string} metric
 * @returns {Latency | null}
 */
function latencyOf(metrics, metric) {
  const values = metrics[metric]?.values;
  if (!values || !(values.count > 0)) return null;
  return {
    median: values.med,
    p95: values["p(95)"],
    p99: values["p(99)"],
    max: values.max,
  };
}

/**
 * A number as people read it: three figures that matter, thousands apart.
 * @param {number} value
 */
export function number(value) {
  const digits = Math.abs(value) >= 100 || Number.isInteger(value) ? 0 : 1;
  const [whole, fraction] = value.toFixed(digits).split(".");
  const apart = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return fraction ? `${apart}.${fraction}` : apart;
}

/** @param {number} rate */
export function percent(rate) {
  return `${(rate * 100).toFixed(2)} %`;
}

/**
 * What a threshold found, in its own unit.
 * @param {{ metric: string, holds: string, found: number | null }} threshold
 */
export function foundText({ metric, holds, found }) {
  if (found === null) return "nothing";
  if (holds.startsWith("rate")) return percent(found);
  return metric.includes("_ms") ? `${number(found)} ms` : number(found);
}

/**
 * @param {Summary} summary
 * @returns {string}
 */
export function textReport(summary) {
  const { scenario, about, url, seconds, limit } = summary;
  const lines = [
    "",
    `${scenario}: ${about}`,
    `${url}, ${number(Math.round(seconds))} s`,
    "",
    ...summary.counts.map(
      ({ name, count }) => `  ${name.padEnd(34)}${number(count).padStart(9)}`,
    ),
    `  ${"requests that went wrong".padEnd(34)}${percent(summary.errorRate).padStart(9)}`,
    "",
    row("milliseconds", ["median", "p95", "p99", "max"]),
    row("POST of an order to its answer", latencyCells(summary.place)),
    row("POST of an order to its end's push", latencyCells(summary.settle)),
  ];
  if (summary.steps.length > 0) {
    lines.push(
      "",
      row("step", ["asked/s", "taken/s", "shed", "median", "p95", "p99"]),
      ...summary.steps.map((step) =>
        row(step.name, [
          number(step.asked),
          number(step.accepted),
          number(step.sheds),
          ...latencyCells(step.settle).slice(0, 3),
        ]),
      ),
    );
  }
  if (limit) lines.push("", `  ${limit}`);
  lines.push(
    "",
    ...summary.thresholds.map(
      (threshold) =>
        `  ${threshold.ok ? "ok    " : "FAILED"} ${`${threshold.metric} ${threshold.holds}`.padEnd(44)} ${foundText(threshold)}`,
    ),
    "",
  );
  return lines.join("\n");
}

/**
 * @param {string} name
 * @param {string[]} cells
 */
function row(name, cells) {
  return `  ${name.padEnd(34)}${cells.map((cell) => cell.padStart(9)).join("")}`;
}

/** @param {Latency | null} latency */
export function latencyCells(latency) {
  if (latency === null) return ["-", "-", "-", "-"];
  const { median, p95, p99, max } = latency;
  return [median, p95, p99, max].map(number);
}
