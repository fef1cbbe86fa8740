// The five scenarios: how many customers come when, what each of them does, and what must hold of it.
//
// Latencies are those of a laptop with two cores that runs the shop, its servers and k6 at once, with a margin.

/**
 * A stretch of time in which so many customers come per second.
 * @typedef {{ name: string, rate: number, seconds: number }} Step
 *
 * @typedef {object} Scenario
 * @property {string} about What it finds out.
 * @property {number} orders The orders of each customer.
 * @property {number} pauseMs How long a customer thinks between two orders.
 * @property {number} [customers] So many customers at once, each once.
 * @property {Step[]} [steps] Or customers who come whether or not the earlier ones are done.
 * @property {number} [customersMax] The most of them at once.
 * @property {Record<string, string[]>} limits What must hold besides the promises.
 */

/** What must hold of every scenario: few errors, no order without its end, no end that contradicts the books. */
const PROMISES = {
  errors: ["rate<0.01"],
  orders_accepted: ["count>0"],
  orders_without_end: ["count==0"],
  contradictions: ["count==0"],
};

/** What a shop with room to spare does besides: it turns nobody away, and every push comes. */
const AT_EASE = {
  errors: ["rate<0.001"],
  sheds: ["count==0"],
  pushes_missed: ["count==0"],
  place_ms: ["p(95)<500", "p(99)<1000"],
  settle_ms: ["p(99)<1500"],
};

/** When every limit of waiting has passed: an order that was accepted just before the end has its end by then. */
const LAST_ONES = "120s";

/** @type {Record<string, Scenario>} */
export const SCENARIOS = {
  smoke: {
    about: "two customers, to see that everything works",
    orders: 10,
    pauseMs: 0,
    customers: 2,
    limits: AT_EASE,
  },
  average: {
    about: "an ordinary day: a hundred orders a second",
    orders: 10,
    pauseMs: 200,
    steps: [
      { name: "opening", rate: 5, seconds: 10 },
      { name: "day", rate: 10, seconds: 60 },
    ],
    customersMax: 200,
    limits: AT_EASE,
  },
  stress: {
    about: "more in each step, to find where the shop stops keeping up",
    orders: 20,
    pauseMs: 0,
    steps: [10, 20, 40, 80, 120, 160, 240, 320].map((rate) => ({
      name: `${rate * 20} orders/s`,
      rate,
      seconds: 15,
    })),
    customersMax: 400,
    // What comes after is for finding out; this much is promised.
    limits: {
      "place_ms{step:200 orders/s}": AT_EASE.place_ms,
      "settle_ms{step:200 orders/s}": AT_EASE.settle_ms,
    },
  },
  spike: {
    about: "a crowd from one second to the next, and how soon it is forgotten",
    orders: 10,
    pauseMs: 0,
    steps: [
      { name: "before", rate: 5, seconds: 20 },
      { name: "crowd", rate: 150, seconds: 10 },
      { name: "recovery", rate: 5, seconds: 20 },
      { name: "after", rate: 5, seconds: 20 },
    ],
    customersMax: 400,
    limits: {
      "place_ms{step:after}": AT_EASE.place_ms,
      "settle_ms{step:after}": AT_EASE.settle_ms,
    },
  },
  soak: {
    about: "an ordinary day, for long: what grows, leaks or slows down",
    orders: 10,
    pauseMs: 200,
    steps: ["first", "second", "third"].map((name) => ({
      name: `${name} third`,
      rate: 10,
      seconds: 600,
    })),
    customersMax: 200,
    limits: {
      ...AT_EASE,
      "settle_ms{step:third third}": ["p(99)<1500"],
    },
  },
};

/**
 * A scenario by its name; of a soak, each of its steps takes a third of so many minutes.
 * @param {string} name
 * @param {string | undefined} minutes
 * @returns {Scenario}
 */
export function scenarioCalled(name, minutes) {
  const found = SCENARIOS[name];
  if (!found) {
    const known = Object.keys(SCENARIOS).join(", ");
    throw new Error(`there is no scenario "${name}"; there are ${known}`);
  }
  if (!minutes || name !== "soak") return found;
  const seconds = Math.round(Number(minutes) * 20);
  if (!(seconds > 0 && seconds <= 8 * 60 * 20)) {
    throw new Error(`MINUTES is "${minutes}"; it is a number up to 480`);
  }
  return {
    ...found,
    steps: found.steps?.map((step) => ({ ...step, seconds })),
  };
}

/**
 * k6's options of a scenario.
 * @param {string} name
 * @param {Scenario} scenario
 * @returns {import("k6/options").Options}
 */
export function optionsOf(name, scenario) {
  return {
    scenarios: { [name]: executorOf(scenario) },
    thresholds: { ...PROMISES, ...scenario.limits, ...everyStep(scenario) },
    summaryTrendStats: ["med", "p(95)", "p(99)", "max", "count"],
    setupTimeout: "30s",
  };
}

/**
 * @param {Scenario} scenario
 * @returns {import("k6/options").Scenario}
 */
function executorOf({ customers, steps = [], customersMax = 1 }) {
  if (customers !== undefined) {
    return {
      executor: "per-vu-iterations",
      vus: customers,
      iterations: 1,
      maxDuration: "2m",
      gracefulStop: LAST_ONES,
    };
  }
  return {
    executor: "ramping-arrival-rate",
    startRate: steps[0].rate,
    timeUnit: "1s",
    // Made beforehand, since making one takes time when time is measured.
    preAllocatedVUs: Math.ceil(customersMax / 4),
    maxVUs: customersMax,
    // A stage without a duration is a jump.
    stages: steps.flatMap(({ rate, seconds }) => [
      { target: rate, duration: "0s" },
      { target: rate, duration: `${seconds}s` },
    ]),
    gracefulStop: LAST_ONES,
  };
}

/**
 * k6 keeps figures by tag only where a threshold asks for them; these hold always.
 * @param {Scenario} scenario
 * @returns {Record<string, string[]>}
 */
function everyStep({ steps = [], limits }) {
  /** @type {Record<string, string[]>} */
  const thresholds = {};
  for (const { name } of steps) {
    for (const [metric, holds] of [
      ["orders_accepted", "count>=0"],
      ["orders_ended", "count>=0"],
      ["sheds", "count>=0"],
      ["place_ms", "max>=0"],
      ["settle_ms", "max>=0"],
    ]) {
      const of = `${metric}{step:${name}}`;
      thresholds[of] = limits[of] ?? [holds];
    }
  }
  return thresholds;
}

/**
 * The step a customer comes in who comes so long after the beginning.
 * @param {Scenario} scenario
 * @param {number} afterMs
 * @returns {string}
 */
export function stepAt({ steps = [] }, afterMs) {
  let ends = 0;
  for (const { name, seconds } of steps) {
    ends += seconds * 1000;
    if (afterMs < ends) return name;
  }
  return steps.length > 0 ? steps[steps.length - 1].name : "all";
}
