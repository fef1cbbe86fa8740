// Which address shows what.
import { expect, test } from "vitest";
import { orderPath, routeOf } from "./route";

test("each address has its page", () => {
  expect(routeOf("/")).toEqual({ kind: "shop" });
  expect(routeOf("/orders/0199-a")).toEqual({ kind: "order", id: "0199-a" });
  expect(routeOf("/orders/0199-a/")).toEqual({ kind: "order", id: "0199-a" });
  expect(routeOf("/ops")).toEqual({ kind: "ops", rest: "" });
  expect(routeOf("/ops/dead-letters/7")).toEqual({
    kind: "ops",
    rest: "dead-letters/7",
  });
});

test("any other address is unknown", () => {
  for (const path of ["/orders", "/orders/1/2", "/opsx", "/shop"]) {
    expect(routeOf(path)).toEqual({ kind: "unknown" });
  }
});

test("the address of an order leads back to it", () => {
  expect(routeOf(orderPath("0199-a"))).toEqual({ kind: "order", id: "0199-a" });
});
