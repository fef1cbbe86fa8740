// What may be pasted to follow an order.
import { expect, test } from "vitest";
import { soughtOf } from "./sought";

const ID = "0193a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b";
const TRACE = "0af7651916cd43dd8448eb211c80319c";

test.each([
  [` ${ID.toUpperCase()} `, { kind: "id", text: ID }],
  ["#17", { kind: "number", text: "17" }],
  ["№ 17", { kind: "number", text: "17" }],
  [TRACE, { kind: "trace", text: TRACE }],
  [`00-${TRACE}-b7ad6b7169203331-01`, { kind: "trace", text: TRACE }],
])("%s", (pasted, sought) => {
  expect(soughtOf(pasted)).toEqual(sought);
});

test.each(["", "0", "-1", "teapot", `${ID}0`, "12345678901234567890"])(
  "%s is nothing",
  (pasted) => {
    expect(soughtOf(pasted)).toBeNull();
  },
);
