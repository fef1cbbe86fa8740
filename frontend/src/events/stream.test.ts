// How the event stream connects, resumes, waits and gives up a socket, against a socket made of nothing.
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { EventStream, type Connection } from "./stream";

class FakeSocket {
  static all: FakeSocket[] = [];
  static get last(): FakeSocket {
    const socket = FakeSocket.all.at(-1);
    if (!socket) throw new Error("no socket was opened");
    return socket;
  }
  onopen: (() => void) | null = null;
  onmessage: ((message: { data: string }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  closed = false;
  constructor(readonly url: string) {
    FakeSocket.all.push(this);
  }
  close() {
    this.closed = true;
  }
  sends(frame: object) {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }
  goesLive(cursor: string) {
    this.onopen?.();
    this.sends({ type: "snapshot", cursor, resumed: false, orders: [] });
  }
}

function aStream() {
  const connections: Connection[] = [];
  const frames: string[] = [];
  const onShutOut = vi.fn();
  const stream = new EventStream({
    onFrame: (frame) => frames.push(frame.cursor),
    onConnection: (connection) => connections.push(connection),
    onShutOut,
  });
  stream.connect();
  return { stream, connections, frames, onShutOut };
}

beforeEach(() => {
  vi.useFakeTimers();
  FakeSocket.all = [];
  vi.stubGlobal("WebSocket", FakeSocket);
  vi.stubGlobal("location", { href: "https://shop.example/orders?a=1" });
  vi.stubGlobal("navigator", { onLine: true });
  vi.spyOn(Math, "random").mockReturnValue(0.5);
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

describe("connecting", () => {
  test("uses the page's own host, securely when the page is", () => {
    aStream();
    expect(FakeSocket.last.url).toBe("wss://shop.example/api/v1/events");
  });

  test("is live with the snapshot, not before", () => {
    const { connections, frames } = aStream();
    FakeSocket.last.onopen?.();
    expect(connections).toEqual([{ kind: "connecting" }]);
    FakeSocket.last.goesLive("c1");
    expect(connections.at(-1)).toEqual({ kind: "live" });
    expect(frames).toEqual(["c1"]);
  });

  test("gives up a socket that brings no snapshot in time", () => {
    const { connections } = aStream();
    FakeSocket.last.onopen?.();
    vi.advanceTimersByTime(10_000);
    expect(FakeSocket.last.closed).toBe(true);
    expect(connections.at(-1)?.kind).toBe("waiting");
  });
});

describe("reconnecting", () => {
  test("resumes with the newest cursor after the wait", () => {
    const { connections } = aStream();
    FakeSocket.last.goesLive("c1");
    FakeSocket.last.sends({ type: "changes", cursor: "c 2", orders: [] });
    FakeSocket.last.onclose?.({ code: 1013 });
    expect(connections.at(-1)).toEqual({
      kind: "waiting",
      retryAt: Date.now() + 250,
      failures: 1,
    });
    vi.advanceTimersByTime(250);
    expect(FakeSocket.all).toHaveLength(2);
    expect(FakeSocket.last.url).toBe(
      "wss://shop.example/api/v1/events?cursor=c+2",
    );
  });

  test("waits longer with every failure and afresh after a steady connection", () => {
    const { connections } = aStream();
    const waits = () => {
      FakeSocket.last.onclose?.({ code: 1006 });
      const last = connections.at(-1);
      if (last?.kind !== "waiting") throw new Error("not waiting");
      return last.retryAt - Date.now();
    };
    expect(waits()).toBe(250);
    vi.advanceTimersByTime(250);
    expect(waits()).toBe(500);
    vi.advanceTimersByTime(500);
    expect(waits()).toBe(1_000);
    vi.advanceTimersByTime(1_000);

    FakeSocket.last.goesLive("c1");
    vi.advanceTimersByTime(10_000);
    expect(waits()).toBe(250);
  });

  test("a connection that is cut at once does not start the waits afresh", () => {
    const { connections } = aStream();
    const ends: number[] = [];
    for (let round = 0; round < 3; round += 1) {
      FakeSocket.last.goesLive("c1");
      FakeSocket.last.onclose?.({ code: 1013 });
      const last = connections.at(-1);
      if (last?.kind === "waiting") ends.push(last.retryAt - Date.now());
      vi.advanceTimersByTime(ends.at(-1) ?? 0);
    }
    expect(ends).toEqual([250, 500, 1_000]);
  });

  test("happens at once when asked for, and the old socket is not heard again", () => {
    const { stream, frames } = aStream();
    const old = FakeSocket.last;
    old.goesLive("c1");
    stream.connect();
    expect(FakeSocket.all).toHaveLength(2);
    expect(old.closed).toBe(true);
    old.sends({ type: "changes", cursor: "late", orders: [] });
    expect(frames).toEqual(["c1"]);
  });

  test("says offline when the browser does, and tries all the same", () => {
    const { connections } = aStream();
    vi.stubGlobal("navigator", { onLine: false });
    FakeSocket.last.onclose?.({ code: 1006 });
    expect(connections.at(-1)).toEqual({ kind: "offline" });
    vi.advanceTimersByTime(250);
    expect(FakeSocket.all).toHaveLength(2);
  });
});

describe("a connection that has died without a word", () => {
  test("is given up after two beats missed, and known to have lived up to the last message", () => {
    const { stream, connections } = aStream();
    FakeSocket.last.goesLive("c1");
    const last = new Date();
    vi.advanceTimersByTime(44_999);
    expect(connections.at(-1)).toEqual({ kind: "live" });
    vi.advanceTimersByTime(1);
    expect(FakeSocket.last.closed).toBe(true);
    expect(connections.at(-1)?.kind).toBe("waiting");
    expect(stream.heardAt).toEqual(last);
    vi.advanceTimersByTime(250);
    expect(FakeSocket.last.url).toContain("cursor=c1");
  });

  test.each([
    { type: "beat" },
    { type: "changes", cursor: "c2", orders: [] },
    { type: "of a newer shop" },
  ])("has not died while it says %o", (frame) => {
    const { stream, connections } = aStream();
    FakeSocket.last.goesLive("c1");
    for (let beat = 0; beat < 5; beat += 1) {
      vi.advanceTimersByTime(20_000);
      FakeSocket.last.sends(frame);
    }
    expect(connections.at(-1)).toEqual({ kind: "live" });
    expect(FakeSocket.all).toHaveLength(1);
    expect(stream.heardAt).toEqual(new Date());
  });

  test("is no other while the snapshot is awaited: a beat brings none", () => {
    const { connections } = aStream();
    FakeSocket.last.onopen?.();
    vi.advanceTimersByTime(9_000);
    FakeSocket.last.sends({ type: "beat" });
    vi.advanceTimersByTime(1_000);
    expect(connections.at(-1)?.kind).toBe("waiting");
  });
});

describe("being shut out", () => {
  test("is suspected when the handshake fails", () => {
    const { onShutOut } = aStream();
    FakeSocket.last.onclose?.({ code: 1006 });
    expect(onShutOut).toHaveBeenCalledOnce();
  });

  test("is suspected when the shop says not allowed", () => {
    const { onShutOut } = aStream();
    FakeSocket.last.goesLive("c1");
    FakeSocket.last.onclose?.({ code: 1008 });
    expect(onShutOut).toHaveBeenCalledOnce();
  });

  test("is not suspected when a live connection breaks", () => {
    const { onShutOut } = aStream();
    FakeSocket.last.goesLive("c1");
    FakeSocket.last.onclose?.({ code: 1006 });
    expect(onShutOut).not.toHaveBeenCalled();
  });
});

describe("messages", () => {
  test("of an unknown type are not for this page", () => {
    const { connections, frames } = aStream();
    FakeSocket.last.goesLive("c1");
    FakeSocket.last.sends({ type: "heartbeat" });
    expect(frames).toEqual(["c1"]);
    expect(connections.at(-1)).toEqual({ kind: "live" });
  });

  test("that make no sense end the connection, and the next starts without a cursor", () => {
    vi.spyOn(console, "error").mockReturnValue(undefined);
    aStream();
    FakeSocket.last.goesLive("c1");
    FakeSocket.last.sends({ type: "changes", cursor: 5 });
    vi.advanceTimersByTime(250);
    expect(FakeSocket.all).toHaveLength(2);
    expect(FakeSocket.last.url).toBe("wss://shop.example/api/v1/events");
  });
});

test("after closing nothing happens any more", () => {
  const { stream, connections } = aStream();
  FakeSocket.last.goesLive("c1");
  stream.close();
  FakeSocket.last.onclose?.({ code: 1006 });
  vi.advanceTimersByTime(60_000);
  expect(FakeSocket.all).toHaveLength(1);
  expect(connections.at(-1)).toEqual({ kind: "live" });
});
