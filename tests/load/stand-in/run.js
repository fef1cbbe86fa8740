// The stand-in of `k6 run`: the two executors that the scenarios use, setup, thresholds and summary.
import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

import { iteration } from "./k6-execution.js";
import { Counter, judge, split } from "./k6-metrics.js";

/** k6's own statuses. */
const THRESHOLDS_FAILED = 99;
const SCRIPT_FAILED = 107;

/** How often it is looked whether a customer is due. */
const TICK_MS = 5;

const [command, ...rest] = process.argv.slice(2);
if (command === "version") {
  console.log("k6 v2.0.0 (the tests' stand-in in Node)");
} else if (command === "run") {
  process.exitCode = await run(rest);
} else {
  console.error(`the stand-in knows no command "${command}"`);
  process.exitCode = 1;
}

async function run(words) {
  globalThis.__ENV = { ...process.env };
  let file = "";
  while (words.length > 0) {
    const word = words.shift();
    if (word === "--quiet") continue;
    if (word === "-e") {
      const [name, ...value] = words.shift().split("=");
      globalThis.__ENV[name] = value.join("=");
    } else {
      file = word;
    }
  }
  let script, data;
  try {
    script = await import(pathToFileURL(resolve(file)).href);
    split(script.options.thresholds);
    data = await script.setup();
  } catch (error) {
    console.error(`error: ${error.message}`);
    return SCRIPT_FAILED;
  }
  const began = Date.now();
  const scenario = Object.values(script.options.scenarios)[0];
  await execute(scenario, (number) => {
    const store = { startTime: began, iterationInTest: number };
    return iteration
      .run(store, () => script.default(data))
      .catch((error) => console.error(`Uncaught (in promise) ${error.stack}`));
  });
  const { summary, holds } = judge(script.options.thresholds);
  const state = { testRunDurationMs: Date.now() - began };
  const written = script.handleSummary({ metrics: summary, state });
  for (const [where, text] of Object.entries(written)) {
    if (where === "stdout") console.log(text);
    else await writeFile(where, text);
  }
  return holds ? 0 : THRESHOLDS_FAILED;
}

async function execute({ executor, vus, iterations, stages, maxVUs }, begin) {
  if (executor === "per-vu-iterations") {
    const all = Array.from({ length: vus * iterations }, (_, each) => each);
    await Promise.all(all.map(begin));
    return;
  }
  const dropped = new Counter("dropped_iterations");
  const running = new Set();
  let number = 0;
  for (const { target, duration } of stages) {
    const seconds = parseInt(duration, 10);
    const began = performance.now();
    for (let sent = 0; sent < target * seconds;) {
      const passed = (performance.now() - began) / 1000;
      const due = Math.min(target * passed, target * seconds);
      for (; sent < due; sent += 1) {
        if (running.size >= maxVUs) {
          dropped.add(1);
          continue;
        }
        const one = begin(number);
        number += 1;
        running.add(one);
        one.finally(() => running.delete(one));
      }
      await new Promise((done) => setTimeout(done, TICK_MS));
    }
  }
  await Promise.all(running);
}
