// How the event stream connects, resumes, waits and gives a connection up, against connections made of nothing.
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { EventStream, type Connection } from "./stream";

/** A connection, whatever carries it. */
abstract class FakeWire {
  static all: FakeWire[] = [];
  static get last(): FakeWire {
    const wire = FakeWire.all.at(-1);
    if (!wire) throw new Error("no connection was opened");
    return wire;
  }
  onopen: (() => void) | null = null;
  onmessage: ((message: { data: string }) => void) | null = null;
  closed = false;
  constructor(readonly url: string) {
    FakeWire.all.push(this);
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
  abstract ends(code?: number): void;
}

class FakeSocket extends FakeWire {
  onclose: ((event: { code: number }) => void) | null = null;
  ends(code = 1006) {
    this.onclose?.({ code });
  }
}

class FakeSource extends FakeWire {
  onerror: (() => void) | null = null;
  ends() {
    this.onerror?.();
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
  FakeWire.all = [];
  vi.stubGlobal("WebSocket", FakeSocket);
  vi.stubGlobal("EventSource", FakeSource);
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
    expect(FakeWire.last.url).toBe("wss://shop.example/api/v1/events");
  });

  test("is live with the snapshot, not before", () => {
    const { connections, frames } = aStream();
    FakeWire.last.onopen?.();
    expect(connections).toEqual([{ kind: "connecting" }]);
    FakeWire.last.goesLive("c1");
    expect(connections.at(-1)).toEqual({ kind: "live" });
    expect(frames).toEqual(["c1"]);
  });

  test("gives up a socket that brings no snapshot in time", () => {
    const { connections } = aStream();
    FakeWire.last.onopen?.();
    vi.advanceTimersByTime(10_000);
    expect(FakeWire.last.closed).toBe(true);
    expect(connections.at(-1)?.kind).toBe("waiting");
  });
});

describe("reconnecting", () => {
  test("resumes with the newest cursor after the wait", () => {
    const { connections } = aStream();
    FakeWire.last.goesLive("c1");
    FakeWire.last.sends({ type: "changes", cursor: "c 2", orders: [] });
    FakeWire.last.ends(1013);
    expect(connections.at(-1)).toEqual({
      kind: "waiting",
      retryAt: Date.now() + 250,
      failures: 1,
    });
    vi.advanceTimersByTime(250);
    expect(FakeWire.all).toHaveLength(2);
    expect(FakeWire.last.url).toBe(
      "wss://shop.example/api/v1/events?cursor=c+2",
    );
  });

  test("waits longer with every failure and afresh after a steady connection", () => {
    const { connections } = aStream();
    const waits = () => {
      FakeWire.last.ends();
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

    FakeWire.last.goesLive("c1");
    vi.advanceTimersByTime(10_000);
    expect(waits()).toBe(250);
  });

  test("a connection that is cut at once does not start the waits afresh", () => {
    const { connections } = aStream();
    const ends: number[] = [];
    for (let round = 0; round < 3; round += 1) {
      FakeWire.last.goesLive("c1");
      FakeWire.last.ends(1013);
      const last = connections.at(-1);
      if (last?.kind === "waiting") ends.push(last.retryAt - Date.now());
      vi.advanceTimersByTime(ends.at(-1) ?? 0);
    }
    expect(ends).toEqual([250, 500, 1_000]);
  });

  test("happens at once when asked for, and the old socket is not heard again", () => {
    const { stream, frames } = aStream();
    const old = FakeWire.last;
    old.goesLive("c1");
    stream.connect();
    expect(FakeWire.all).toHaveLength(2);
    expect(old.closed).toBe(true);
    old.sends({ type: "changes", cursor: "late", orders: [] });
    expect(frames).toEqual(["c1"]);
  });

  test("says offline when the browser does, and tries all the same", () => {
    const { connections } = aStream();
    vi.stubGlobal("navigator", { onLine: false });
    FakeWire.last.ends();
    expect(connections.at(-1)).toEqual({ kind: "offline" });
    vi.advanceTimersByTime(250);
    expect(FakeWire.all).toHaveLength(2);
  });
});

describe("where no WebSocket gets through", () => {
  function refused() {
    const made = aStream();
    FakeWire.last.ends();
    vi.advanceTimersByTime(250);
    return made;
  }

  test("the same frames come as server-sent events, from the page's own host", () => {
    const { connections, frames } = refused();
    expect(FakeWire.last).toBeInstanceOf(FakeSource);
    expect(FakeWire.last.url).toBe("https://shop.example/api/v1/events");
    FakeWire.last.goesLive("c1");
    FakeWire.last.sends({ type: "changes", cursor: "c2", orders: [] });
    expect(connections.at(-1)).toEqual({ kind: "live" });
    expect(frames).toEqual(["c1", "c2"]);
  });

  test("they are given up after two beats missed, and the next connection resumes as a WebSocket", () => {
    refused();
    const source = FakeWire.last;
    source.goesLive("c1");
    vi.advanceTimersByTime(45_000);
    expect(source.closed).toBe(true);
    vi.advanceTimersByTime(30_000);
    expect(FakeWire.last).toBeInstanceOf(FakeSocket);
    expect(FakeWire.last.url).toContain("cursor=c1");
  });

  test("a browser's own way of connecting them again is not used", () => {
    refused();
    const source = FakeWire.last;
    source.goesLive("c1");
    source.ends();
    expect(source.closed).toBe(true);
    source.sends({ type: "changes", cursor: "late", orders: [] });
    vi.advanceTimersByTime(30_000);
    expect(FakeWire.all[2]?.url).toContain("cursor=c1");
  });

  test("a session that is over is suspected there, too", () => {
    const { onShutOut } = refused();
    onShutOut.mockClear();
    FakeWire.last.ends();
    expect(onShutOut).toHaveBeenCalledOnce();
  });

  test("who asks to connect gets a WebSocket first", () => {
    const { stream } = refused();
    stream.connect();
    expect(FakeWire.last).toBeInstanceOf(FakeSocket);
  });
});

describe("a connection that has died without a word", () => {
  test("is given up after two beats missed, and known to have lived up to the last message", () => {
    const { stream, connections } = aStream();
    FakeWire.last.goesLive("c1");
    const last = new Date();
    vi.advanceTimersByTime(44_999);
    expect(connections.at(-1)).toEqual({ kind: "live" });
    vi.advanceTimersByTime(1);
    expect(FakeWire.last.closed).toBe(true);
    expect(connections.at(-1)?.kind).toBe("waiting");
    expect(stream.heardAt).toEqual(last);
    vi.advanceTimersByTime(250);
    expect(FakeWire.last.url).toContain("cursor=c1");
  });

  test.each([
    { type: "beat" },
    { type: "changes", cursor: "c2", orders: [] },
    { type: "of a newer shop" },
  ])("has not died while it says %o", (frame) => {
    const { stream, connections } = aStream();
    FakeWire.last.goesLive("c1");
    for (let beat = 0; beat < 5; beat += 1) {
      vi.advanceTimersByTime(20_000);
      FakeWire.last.sends(frame);
    }
    expect(connections.at(-1)).toEqual({ kind: "live" });
    expect(FakeWire.all).toHaveLength(1);
    expect(stream.heardAt).toEqual(new Date());
  });

  test("is no other while the snapshot is awaited: a beat brings none", () => {
    const { connections } = aStream();
    FakeWire.last.onopen?.();
    vi.advanceTimersByTime(9_000);
    FakeWire.last.sends({ type: "beat" });
    vi.advanceTimersByTime(1_000);
    expect(connections.at(-1)?.kind).toBe("waiting");
  });
});

describe("being shut out", () => {
  test("is suspected when the handshake fails", () => {
    const { onShutOut } = aStream();
    FakeWire.last.ends();
    expect(onShutOut).toHaveBeenCalledOnce();
  });

  test("is suspected when the shop says not allowed", () => {
    const { onShutOut } = aStream();
    FakeWire.last.goesLive("c1");
    FakeWire.last.ends(1008);
    expect(onShutOut).toHaveBeenCalledOnce();
  });

  test("is not suspected when a live connection breaks", () => {
    const { onShutOut } = aStream();
    FakeWire.last.goesLive("c1");
    FakeWire.last.ends();
    expect(onShutOut).not.toHaveBeenCalled();
  });
});

describe("messages", () => {
  test("of an unknown type are not for this page", () => {
    const { connections, frames } = aStream();
    FakeWire.last.goesLive("c1");
    FakeWire.last.sends({ type: "heartbeat" });
    expect(frames).toEqual(["c1"]);
    expect(connections.at(-1)).toEqual({ kind: "live" });
  });

  test("that make no sense end the connection, and the next starts without a cursor", () => {
    vi.spyOn(console, "error").mockReturnValue(undefined);
    aStream();
    FakeWire.last.goesLive("c1");
    FakeWire.last.sends({ type: "changes", cursor: 5 });
    vi.advanceTimersByTime(250);
    expect(FakeWire.all).toHaveLength(2);
    expect(FakeWire.last.url).toBe("wss://shop.example/api/v1/events");
  });
});

test("after closing nothing happens any more", () => {
  const { stream, connections } = aStream();
  FakeWire.last.goesLive("c1");
  stream.close();
  FakeWire.last.ends();
  vi.advanceTimersByTime(60_000);
  expect(FakeWire.all).toHaveLength(1);
  expect(connections.at(-1)).toEqual({ kind: "live" });
});
