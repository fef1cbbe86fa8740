// Whole runs: what the script ends with, and what it leaves.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { FakeShop } from "./fake-shop.js";

const K6 = fileURLToPath(new URL("../stand-in/k6", import.meta.url));
const SCRIPT = fileURLToPath(new URL("../scripts/load.js", import.meta.url));

/** Runs the smoke scenario; its status, what it printed, and its report. */
async function smoke(url) {
  const folder = await mkdtemp(join(tmpdir(), "gozon-load-"));
  const variables = [
    "SCENARIO=smoke",
    `GOZON_URL=${url}`,
    `LOAD_REPORTS=${folder}`,
  ];
  const words = [
    "run",
    "--quiet",
    ...variables.flatMap((each) => ["-e", each]),
    SCRIPT,
  ];
  try {
    const { status, text } = await new Promise((resolve) => {
      execFile(K6, words, { timeout: 60_000 }, (error, out, complaints) => {
        resolve({ status: error ? error.code : 0, text: out + complaints });
      });
    });
    const html = await readFile(join(folder, "smoke.html"), "utf8").catch(
      () => null,
    );
    return { status, text, html };
  } finally {
    await rm(folder, { recursive: true });
  }
}

test("a run at a shop at ease passes and leaves a report", async () => {
  const shop = await FakeShop.open();
  try {
    const { status, text, html } = await smoke(shop.url);
    assert.match(text, /orders accepted +20\n/);
    assert.match(html, /orders accepted/);
    assert.equal(status, 0, text);
  } finally {
    shop.close();
  }
});

test("a run that finds a promise broken fails and says which", async () => {
  const shop = await FakeShop.open({ stolen: 1 });
  try {
    const { status, text, html } = await smoke(shop.url);
    assert.equal(status, 99, text);
    assert.match(text, /FAILED contradictions count==0/);
    assert.match(html, /failed: 1 of \d+ thresholds/);
  } finally {
    shop.close();
  }
});

test("a run without a shop says so", async () => {
  const { status, text, html } = await smoke("http://127.0.0.1:1");
  assert.equal(status, 107);
  assert.match(text, /no shop at http:\/\/127\.0\.0\.1:1/);
  assert.equal(html, null);
});
