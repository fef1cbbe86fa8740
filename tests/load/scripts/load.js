// What k6 runs: `k6 run -e SCENARIO=average -e GOZON_URL=http://localhost:8080 load.js`.
//
//   SCENARIO           smoke, average, stress, spike or soak
//   MINUTES            how long a soak takes; 30 when not given
//   GOZON_URL          the shop's entrance
//   GOZON_ORDER_URL    the order and the payment service themselves, where there is no entrance before them
//   GOZON_PAYMENT_URL
//   LOAD_REPORTS       a folder that exists, for SCENARIO.html and SCENARIO.json
import exec from "k6/execution";
import http from "k6/http";

import { beginAtZero } from "./measures.js";
import { htmlReport } from "./report.js";
import { optionsOf, scenarioCalled, stepAt } from "./scenarios.js";
import { summarise, textReport } from "./summary.js";
import { visit } from "./visit.js";

const name = __ENV.SCENARIO || "smoke";
const scenario = scenarioCalled(name, __ENV.MINUTES);

export const options = optionsOf(name, scenario);

const web = (__ENV.GOZON_URL || "http://localhost:8080").replace(/\/+$/, "");
const shop = {
  web,
  order: (__ENV.GOZON_ORDER_URL || web).replace(/\/+$/, ""),
  payment: (__ENV.GOZON_PAYMENT_URL || web).replace(/\/+$/, ""),
};

/** Users of one run and of another are not the same; JavaScript counts to nine million of such ranges. */
const USERS_OF_A_RUN = 1_000_000_000;

/** Each run brings users of its own, so that it may be repeated on the same shop. */
export async function setup() {
  const url = `${web}/api/openapi.json`;
  const { status, error } = await http.asyncRequest("GET", url, null, {
    timeout: "10s",
  });
  if (status !== 200) {
    throw new Error(`no shop at ${url}: ${error || `status ${status}`}`);
  }
  beginAtZero();
  const range = 1 + Math.floor(Math.random() * 9_000_000);
  return { firstUser: range * USERS_OF_A_RUN };
}

/** @param {{ firstUser: number }} run */
export default async function customer({ firstUser }) {
  const { startTime, iterationInTest } = exec.scenario;
  const step = stepAt(scenario, Date.now() - startTime);
  await visit(shop, firstUser + iterationInTest, scenario, { step });
}

/** @param {any} data */
export function handleSummary(data) {
  const summary = summarise(name, web, scenario, data);
  /** @type {Record<string, string>} */
  const written = { stdout: textReport(summary) };
  if (__ENV.LOAD_REPORTS) {
    const file = `${__ENV.LOAD_REPORTS}/${name}`;
    written[`${file}.html`] = htmlReport(summary);
    written[`${file}.json`] = `${JSON.stringify(summary, null, 2)}\n`;
  }
  return written;
}
