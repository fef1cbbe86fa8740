// The stand-in of `k6/metrics`: figures of a whole run, and of the tags that a threshold asks for.

/** @type {Map<string, { kind: string, submetrics: Map<string, object> }>} */
const metrics = new Map();

class Metric {
  #name;

  constructor(kind, name) {
    this.#name = name;
    metrics.set(name, { kind, whole: sinkOf(kind), parts: new Map() });
  }

  add(value, tags = {}) {
    const { whole, parts } = metrics.get(this.#name);
    whole.add(Number(value));
    for (const { tag, wanted, sink } of parts.values()) {
      if (tags[tag] === wanted) sink.add(Number(value));
    }
  }
}

export class Counter extends Metric {
  constructor(name) {
    super("counter", name);
  }
}

export class Rate extends Metric {
  constructor(name) {
    super("rate", name);
  }
}

export class Trend extends Metric {
  constructor(name) {
    super("trend", name);
  }
}

function sinkOf(kind) {
  const values = [];
  const sum = () => values.reduce((total, value) => total + value, 0);
  const sorted = () => [...values].sort((one, other) => one - other);
  const at = (all, share) => all[Math.round((all.length - 1) * share)];
  const figures = {
    counter: () => ({ count: sum() }),
    rate: () => {
      const passes = sum();
      const fails = values.length - passes;
      return { rate: passes / values.length, passes, fails };
    },
    trend: () => {
      const all = sorted();
      return {
        med: at(all, 0.5),
        "p(95)": at(all, 0.95),
        "p(99)": at(all, 0.99),
        max: at(all, 1),
        count: all.length,
      };
    },
  }[kind];
  return {
    add: (value) => values.push(value),
    isEmpty: () => values.length === 0,
    figures,
  };
}

/** Makes the parts that thresholds such as `settle_ms{step:day}` ask for. */
export function split(thresholds) {
  for (const name of Object.keys(thresholds)) {
    const found = /^(\w+)(?:\{(\w+):([^}]+)\})?$/.exec(name);
    const metric = found && metrics.get(found[1]);
    if (!metric)
      throw new Error(`a threshold on "${name}", which is no metric`);
    if (found[2]) {
      const [, , tag, wanted] = found;
      metric.parts.set(name, { tag, wanted, sink: sinkOf(metric.kind) });
    }
  }
}

/** What `handleSummary` is given, and whether every threshold holds. One without a sample is not looked at, as in k6. */
export function judge(thresholds) {
  const summary = {};
  let holds = true;
  for (const [name, { whole, parts }] of metrics) {
    const sinks = [[name, whole]];
    for (const [part, { sink }] of parts) sinks.push([part, sink]);
    for (const [of, sink] of sinks) {
      const values = sink.isEmpty() ? {} : sink.figures();
      const judged = {};
      for (const text of thresholds[of] ?? []) {
        const ok = sink.isEmpty() || compare(text, values);
        judged[text] = { ok };
        holds &&= ok;
      }
      if (!sink.isEmpty() || of in thresholds) {
        summary[of] = { values, thresholds: judged };
      }
    }
  }
  return { summary, holds };
}

function compare(text, values) {
  const [, statistic, sign, limit] = /^([\w()]+)(<|<=|>|>=|==)([\d.]+)$/.exec(
    text,
  );
  const value = values[statistic];
  const wanted = Number(limit);
  return {
    "<": value < wanted,
    "<=": value <= wanted,
    ">": value > wanted,
    ">=": value >= wanted,
    "==": value === wanted,
  }[sign];
}
