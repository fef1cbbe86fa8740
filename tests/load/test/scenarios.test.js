// The scenarios themselves.
import assert from "node:assert/strict";
import { test } from "node:test";

import {
  SCENARIOS,
  optionsOf,
  scenarioCalled,
  stepAt,
} from "../scripts/scenarios.js";

test("there are the five, and no other is taken for one", () => {
  const names = ["average", "smoke", "soak", "spike", "stress"];
  assert.deepEqual(Object.keys(SCENARIOS).sort(), names);
  assert.throws(
    () => scenarioCalled("avarage"),
    /no scenario "avarage"; there are smoke,/,
  );
});

test("each is bounded in time and in customers, and has figures of each step", () => {
  for (const [name, scenario] of Object.entries(SCENARIOS)) {
    const { scenarios, thresholds } = optionsOf(name, scenario);
    const { gracefulStop, maxVUs, vus, stages, maxDuration } = scenarios[name];
    assert.ok(
      gracefulStop && (maxVUs ?? vus) <= 400 && (stages ?? maxDuration),
      name,
    );
    assert.ok(thresholds.orders_without_end && thresholds.contradictions, name);
    const steps = (scenario.steps ?? []).map((step) => step.name);
    assert.equal(new Set(steps).size, steps.length, name);
    for (const step of steps) {
      // What would end a tag's value in the name of a threshold.
      assert.doesNotMatch(step, /[,:{}]/);
      assert.ok(`settle_ms{step:${step}}` in thresholds, step);
    }
  }
});

test("a limit on one step is not lost among the figures", () => {
  const { thresholds } = optionsOf("spike", SCENARIOS.spike);
  assert.deepEqual(thresholds["settle_ms{step:after}"], ["p(99)<1500"]);
  assert.deepEqual(thresholds["settle_ms{step:crowd}"], ["max>=0"]);
});

test("a customer comes in the step of its time", () => {
  const at = (seconds) => stepAt(SCENARIOS.spike, seconds * 1000);
  assert.deepEqual([0, 19.9, 20, 29.9, 30, 69, 75].map(at), [
    "before",
    "before",
    "crowd",
    "crowd",
    "recovery",
    "after",
    "after",
  ]);
  assert.equal(stepAt(SCENARIOS.smoke, 1000), "all");
});

test("a soak takes as many minutes as it is told to", () => {
  const seconds = (minutes) =>
    scenarioCalled("soak", minutes).steps.reduce(
      (sum, step) => sum + step.seconds,
      0,
    );
  assert.equal(seconds(undefined), 1800);
  assert.equal(seconds("3"), 180);
  for (const wrong of ["0", "-1", "481", "an hour"]) {
    assert.throws(() => scenarioCalled("soak", wrong), /MINUTES is/);
  }
});
