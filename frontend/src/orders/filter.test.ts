// Which orders a filter lets through.
import { expect, test } from "vitest";
import { anOrder, cancelled, finished } from "./fixture";
import { filterOf, FILTERS, passes } from "./filter";

test("every order but a strange one passes one filter besides all", () => {
  const refunding = anOrder(1, { status: "REFUNDING" });
  const through = [
    anOrder(1),
    refunding,
    finished(1),
    cancelled(1, "refunded"),
  ].map((order) => FILTERS.filter((filter) => passes(order, filter)));
  expect(through).toEqual([
    ["all", "waiting"],
    ["all", "waiting"],
    ["all", "paid"],
    ["all", "cancelled"],
  ]);
  const strange = anOrder(1, { status: "SHIPPED" });
  expect(FILTERS.filter((filter) => passes(strange, filter))).toEqual(["all"]);
});

test("an address that asks for nothing known shows all", () => {
  expect(filterOf("paid")).toBe("paid");
  expect(filterOf("lost")).toBe("all");
  expect(filterOf(null)).toBe("all");
});
