// A run as one HTML file that needs nothing else.
import { foundText, latencyCells, number, percent } from "./summary.js";

/** @typedef {import("./summary.js").Summary} Summary */

const STYLE = `
  :root { color-scheme: light dark; --line: #8884; --soft: #8882; --good: #1a7f4b; --bad: #c62f2f; --bar: #3b7dd8; }
  @media (prefers-color-scheme: dark) { :root { --good: #4cc38a; --bad: #ff7b72; --bar: #6ea8ff; } }
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
  h1 { font-size: 1.6rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
  p { margin: .25rem 0; } .about { opacity: .75; }
  .verdict { display: inline-block; margin-top: 1rem; padding: .15rem .75rem; border-radius: 1rem; color: #fff; font-weight: 600; }
  .passed { background: #1a7f4b; } .failed { background: #c62f2f; }
  .tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: .75rem; margin-top: 1.25rem; }
  .tile { background: var(--soft); border-radius: .5rem; padding: .75rem 1rem; }
  .tile b { display: block; font-size: 1.5rem; font-variant-numeric: tabular-nums; }
  .wide { overflow-x: auto; }
  table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
  th, td { text-align: right; padding: .35rem .6rem; border-bottom: 1px solid var(--line); white-space: nowrap; }
  th { font-weight: 600; } th:first-child, td:first-child { text-align: left; }
  .bar { display: block; height: .5rem; border-radius: .25rem; background: var(--bar); }
  td.bars { width: 30%; min-width: 8rem; }
  .good { color: var(--good); } .bad { color: var(--bad); font-weight: 600; }
  code { font-size: .9em; }
`;

/**
 * @param {Summary} summary
 * @returns {string}
 */
export function htmlReport(summary) {
  const title = `Gozon under load: ${summary.scenario}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escape(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${escape(title)}</h1>
<p class="about">${escape(summary.about)}</p>
<p class="about">${escape(summary.url)}, ${number(Math.round(summary.seconds))} s, ended ${escape(summary.endedAt)}</p>
${verdict(summary)}
${tiles(summary)}
${latencies(summary)}
${steps(summary)}
${thresholds(summary)}
${counts(summary)}
</body>
</html>
`;
}

/** @param {Summary} summary */
function verdict({ passed, thresholds }) {
  const failed = thresholds.filter(({ ok }) => !ok).length;
  return passed
    ? `<p class="verdict passed">passed</p>`
    : `<p class="verdict failed">failed: ${failed} of ${thresholds.length} thresholds</p>`;
}

/** @param {Summary} summary */
function tiles({ counts, seconds, settle, errorRate }) {
  const accepted = counts.find(({ name }) => name === "orders accepted");
  const tile = (/** @type {string} */ value, /** @type {string} */ name) =>
    `<div class="tile"><b>${value}</b>${name}</div>`;
  return `<div class="tiles">${[
    tile(number(accepted?.count ?? 0), "orders accepted"),
    tile(number((accepted?.count ?? 0) / seconds), "orders a second"),
    tile(settle ? `${number(settle.p99)} ms` : "-", "POST to push, p99"),
    tile(percent(errorRate), "requests that went wrong"),
  ].join("")}</div>`;
}

/** @param {Summary} summary */
function latencies({ place, settle }) {
  return `<h2>Latency, ms</h2>
${table(
  ["", "median", "p95", "p99", "max"],
  [
    ["POST of an order to its answer", ...latencyCells(place)],
    ["POST of an order to the push of its end", ...latencyCells(settle)],
  ].map((cells) => cells.map(cell)),
)}`;
}

/** @param {Summary} summary */
function steps({ steps, limit }) {
  if (steps.length === 0) return "";
  const most = Math.max(...steps.map(({ settle }) => settle?.p99 ?? 0), 1);
  const rows = steps.map((step) => [
    cell(step.name),
    cell(number(step.asked)),
    cell(number(step.accepted)),
    cell(number(step.sheds)),
    ...latencyCells(step.settle).slice(0, 3).map(cell),
    bar((step.settle?.p99 ?? 0) / most),
    step.keptUp
      ? `<td class="good">kept up</td>`
      : `<td class="bad">fell behind</td>`,
  ]);
  return `<h2>Step by step</h2>
${limit ? `<p>${escape(limit)}</p>` : ""}
<p class="about">Orders a second that customers would place, and that were accepted; then POST to push in ms.</p>
${table(["step", "asked/s", "taken/s", "shed", "median", "p95", "p99", "", ""], rows)}`;
}

/** @param {Summary} summary */
function thresholds({ thresholds }) {
  const rows = thresholds.map((threshold) => [
    `<td><code>${escape(threshold.metric)}</code></td>`,
    `<td><code>${escape(threshold.holds)}</code></td>`,
    cell(foundText(threshold)),
    threshold.ok
      ? `<td class="good">holds</td>`
      : `<td class="bad">broken</td>`,
  ]);
  return `<h2>Thresholds</h2>\n${table(["measure", "must be", "found", ""], rows)}`;
}

/** @param {Summary} summary */
function counts({ counts }) {
  const rows = counts.map(({ name, count }) => [name, number(count)].map(cell));
  return `<h2>Counts</h2>\n${table(["", "in all"], rows)}`;
}

/**
 * @param {string[]} heads
 * @param {string[][]} rows Cells as HTML.
 */
function table(heads, rows) {
  const head = heads.map((name) => `<th>${escape(name)}</th>`).join("");
  const body = rows.map((cells) => `<tr>${cells.join("")}</tr>`).join("\n");
  return `<div class="wide"><table>
<thead><tr>${head}</tr></thead>
<tbody>
${body}
</tbody>
</table></div>`;
}

/** @param {string} text */
function cell(text) {
  return `<td>${escape(text)}</td>`;
}

/** @param {number} share */
function bar(share) {
  return `<td class="bars"><span class="bar" style="width:${(share * 100).toFixed(1)}%"></span></td>`;
}

/** @param {string} text */
function escape(text) {
  return text.replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`);
}
