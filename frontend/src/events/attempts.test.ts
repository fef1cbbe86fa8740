// The decision which way to connect next, and when to ask without being told.
import { expect, test } from "vitest";
import { afterTurn, FIRST_ATTEMPT, isPollingDue, type Turn } from "./attempts";

const asked: Turn = { kind: "asked" };
const cameToNothing: Turn = { kind: "ended", livedMs: null };
const broke: Turn = { kind: "ended", livedMs: 500 };
const brokeAfterLong: Turn = { kind: "ended", livedMs: 10_000 };

function after(...turns: Turn[]) {
  return turns.reduce(afterTurn, FIRST_ATTEMPT);
}

test("a WebSocket is tried first", () => {
  expect(after()).toEqual({ carrier: "websocket", failures: 0 });
});

test("after a WebSocket that brought nothing come server-sent events", () => {
  expect(after(cameToNothing).carrier).toBe("server-sent");
});

test("after server-sent events that brought nothing either, a WebSocket is tried again, and so on", () => {
  const carriers = [1, 2, 3, 4].map(
    (failures) => after(...Array<Turn>(failures).fill(cameToNothing)).carrier,
  );
  expect(carriers).toEqual([
    "server-sent",
    "websocket",
    "server-sent",
    "websocket",
  ]);
});

test.each([[broke], [brokeAfterLong]])(
  "what was live and broke is tried as a WebSocket, whatever carried it",
  (turn) => {
    expect(after(turn).carrier).toBe("websocket");
    expect(after(cameToNothing, turn).carrier).toBe("websocket");
  },
);

test("who asks for a connection gets a WebSocket, and the failures before still count", () => {
  expect(after(cameToNothing, asked)).toEqual({
    carrier: "websocket",
    failures: 1,
  });
});

test("every end is a failure, and after a long life the first one", () => {
  expect(after(cameToNothing, cameToNothing, broke).failures).toBe(3);
  expect(after(cameToNothing, cameToNothing, brokeAfterLong).failures).toBe(1);
});

test("the page asks by itself after the third failure in a row, whatever carried them", () => {
  expect([0, 1, 2, 3, 4].map(isPollingDue)).toEqual([
    false,
    false,
    false,
    true,
    true,
  ]);
});
