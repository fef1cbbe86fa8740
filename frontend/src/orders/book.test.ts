// The rules by which the list of orders follows the event stream.
import { describe, expect, test } from "vitest";
import type { Order, OrdersFrame } from "../api/types";
import { applyFrame, EMPTY_BOOK, merge, newestFirst } from "./book";
import { anOrder, cancelled, finished } from "./fixture";

const book = (...orders: Order[]) => merge(EMPTY_BOOK, orders);
const changes = (...orders: Order[]): OrdersFrame => ({
  type: "changes",
  cursor: "c",
  orders,
});
const snapshot = (resumed: boolean, ...orders: Order[]): OrdersFrame => ({
  type: "snapshot",
  cursor: "c",
  resumed,
  orders,
});
const numbers = (orders: readonly Order[]) =>
  orders.map((order) => Number(order.number));

describe("versions", () => {
  test("a newer version replaces the known one", () => {
    const next = applyFrame(book(anOrder(1)), changes(finished(1))).book;
    expect(next.get("order-1")?.status).toBe("FINISHED");
  });

  test("the same version again changes nothing at all", () => {
    const before = book(finished(1));
    const outcome = applyFrame(before, changes(finished(1)));
    expect(outcome.book).toBe(before);
    expect(outcome.decided).toEqual([]);
  });

  test("an older version never steps back", () => {
    const before = book(finished(1));
    expect(applyFrame(before, changes(anOrder(1))).book).toBe(before);
    expect(merge(before, [anOrder(1)])).toBe(before);
  });

  test("of two versions in one message the newer wins, whichever comes first", () => {
    for (const orders of [
      [anOrder(1), finished(1)],
      [finished(1), anOrder(1)],
    ]) {
      const { book: next, decided } = applyFrame(
        EMPTY_BOOK,
        changes(...orders),
      );
      expect(next.get("order-1")?.version).toBe(2);
      expect(numbers(decided)).toEqual([1]);
    }
  });

  test("the answer to placing an order does not undo its decision that came first", () => {
    const { book: next } = applyFrame(EMPTY_BOOK, changes(finished(1)));
    expect(merge(next, [anOrder(1)]).get("order-1")?.status).toBe("FINISHED");
  });
});

describe("decisions", () => {
  test("an order that was waiting is reported once", () => {
    const waiting = book(anOrder(1), anOrder(2));
    const { decided } = applyFrame(
      waiting,
      changes(cancelled(1, "insufficient_funds")),
    );
    expect(numbers(decided)).toEqual([1]);
  });

  test("an unknown order that arrives decided is reported", () => {
    expect(
      numbers(applyFrame(EMPTY_BOOK, changes(finished(1))).decided),
    ).toEqual([1]);
    expect(
      numbers(applyFrame(EMPTY_BOOK, snapshot(true, finished(1))).decided),
    ).toEqual([1]);
  });

  test("old orders in a first snapshot are no news", () => {
    const outcome = applyFrame(EMPTY_BOOK, snapshot(false, finished(1)));
    expect(outcome.decided).toEqual([]);
    expect(outcome.book.size).toBe(1);
  });

  test("a refund is reported when the money is back, and not before", () => {
    const refunding = anOrder(1, { status: "REFUNDING", version: 3 });
    const first = applyFrame(book(finished(1)), changes(refunding));
    expect(first.decided).toEqual([]);
    const refunded = { ...cancelled(1, "refunded"), version: 4 };
    const { decided } = applyFrame(first.book, changes(refunded));
    expect(numbers(decided)).toEqual([1]);
  });

  test("an order decided while the connection was away is news in a fresh snapshot", () => {
    const outcome = applyFrame(
      book(anOrder(1)),
      snapshot(false, finished(1), finished(2)),
    );
    expect(numbers(outcome.decided)).toEqual([1]);
  });

  test("a waiting order is no decision", () => {
    expect(applyFrame(EMPTY_BOOK, changes(anOrder(1))).decided).toEqual([]);
  });
});

describe("snapshots", () => {
  test("a resumed snapshot keeps everything known", () => {
    const outcome = applyFrame(
      book(finished(1), anOrder(2)),
      snapshot(true, finished(2)),
    );
    expect(numbers(newestFirst(outcome.book))).toEqual([2, 1]);
    expect(outcome.gap).toBe(false);
  });

  test("a fresh snapshot lets older orders go and says so", () => {
    const outcome = applyFrame(
      book(anOrder(1), anOrder(5)),
      snapshot(false, finished(5), finished(6)),
    );
    expect(numbers(newestFirst(outcome.book))).toEqual([6, 5]);
    expect(outcome.gap).toBe(true);
  });

  test("a fresh snapshot keeps an order placed a moment ago", () => {
    const outcome = applyFrame(
      book(anOrder(7)),
      snapshot(false, finished(5), finished(6)),
    );
    expect(numbers(newestFirst(outcome.book))).toEqual([7, 6, 5]);
    expect(outcome.gap).toBe(false);
  });

  test("an empty fresh snapshot removes nothing", () => {
    const before = book(anOrder(1));
    expect(applyFrame(before, snapshot(false)).book).toBe(before);
  });
});

test("the list shows the newest first, by number and not by text", () => {
  expect(
    numbers(newestFirst(book(anOrder(9), anOrder(10), anOrder(100)))),
  ).toEqual([100, 10, 9]);
});
