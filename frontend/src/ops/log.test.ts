// How two logs are read as one.
import { expect, test } from "vitest";
import { inOrder, type Line } from "./log.svelte";

const line = (at: string): Line => ({ at }) as Line;
const times = (lines: readonly Line[]) => lines.map(({ at }) => at);

test("two logs that were read to their ends are one, the newest first", () => {
  const orders = { lines: [line("5"), line("2")], next: null };
  const payments = { lines: [line("4"), line("1")], next: null };
  expect(times(inOrder([orders, payments]))).toEqual(["5", "4", "2", "1"]);
});

test("what may have something unread before it waits for the next page", () => {
  const orders = { lines: [line("5"), line("3")], next: 7 };
  const payments = { lines: [line("4"), line("2")], next: null };
  expect(times(inOrder([orders, payments]))).toEqual(["5", "4", "3"]);
});
