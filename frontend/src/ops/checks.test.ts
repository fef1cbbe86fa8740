// What the console calls well, worth a look, or failing.
import { beforeAll, describe, expect, test } from "vitest";
import { speak } from "../i18n/speaking";
import type { Health, Ledger, Outbox, Relay } from "./api";
import { checksOf, ledgerCheck, webChecks, type Level } from "./checks";

beforeAll(() => speak("en"));

const CONSUMER: Health["consumers"][number] = {
  name: "c",
  told_seconds: 1,
  connected: true,
  paused: false,
  unacknowledged: 0,
  fresh: 0,
  duplicates: 0,
  deferred: 0,
  dead_letters: 0,
};

const HEALTH: Health = {
  service: "order",
  version: "1",
  database_milliseconds: 1,
  broker_problem: null,
  queues: [],
  consumers: [CONSUMER],
  reconciler_lease_seconds: 5,
};

const RELAY: Relay = {
  name: "r",
  silent_seconds: 0.5,
  lanes: 64,
  published_events: 1,
  broker: "ok",
  told_seconds: 0.5,
};

function outbox(...relays: Relay[]): Outbox {
  return {
    pending: 0,
    pending_is_capped: false,
    oldest_seconds: null,
    parked: 0,
    parked_oldest_seconds: null,
    partition_days_ahead: 7,
    relays,
    lanes: [],
  };
}

function level(part: string, health: Health | null, box: Outbox | null): Level {
  const found = checksOf("order", health, box, null).find(
    (it) => it.part === part,
  );
  if (!found) throw new Error(`no check of ${part}`);
  return found.level;
}

test("a service that works is well in every part", () => {
  const checks = checksOf("order", HEALTH, outbox(RELAY), []);
  expect(checks.map((it) => it.level)).toEqual(checks.map(() => "ok"));
  expect(checks.map((it) => it.part)).toEqual([
    "Service",
    "Database",
    "Broker",
    "Consumers",
    "Reconciler",
    "Relays",
    "Dead letters",
  ]);
});

test("a broker that does not answer fails, and why is said", () => {
  const health = { ...HEALTH, broker_problem: "connection refused" };
  const broker = checksOf("order", health, null, null).find(
    ({ part }) => part === "Broker",
  );
  expect(broker).toMatchObject({ level: "fail", words: "connection refused" });
});

test("a service that does not answer fails", () => {
  expect(level("Service", null, null)).toBe("fail");
});

describe("relays", () => {
  test("fail when none is alive", () => {
    expect(level("Relays", HEALTH, outbox())).toBe("fail");
    const gone = { ...RELAY, silent_seconds: 9, told_seconds: 9 };
    expect(level("Relays", HEALTH, outbox(gone))).toBe("fail");
  });

  test("that lost the broker say so, also when they count as alive no more", () => {
    const away = { ...RELAY, broker: "away" as const, silent_seconds: 9 };
    expect(level("Relays", HEALTH, outbox(away))).toBe("fail");
    const blocked = { ...RELAY, broker: "blocked" as const };
    expect(level("Relays", HEALTH, outbox(blocked))).toBe("warn");
  });

  test("of long ago do not count", () => {
    const old = {
      ...RELAY,
      name: "old",
      broker: "away" as const,
      silent_seconds: 900,
      told_seconds: 900,
    };
    expect(level("Relays", HEALTH, outbox(RELAY, old))).toBe("ok");
  });
});

test("consumers that are silent, cut off or paused do not work", () => {
  for (const change of [
    { told_seconds: 60 },
    { connected: false },
    { paused: true },
  ]) {
    const health = { ...HEALTH, consumers: [{ ...CONSUMER, ...change }] };
    expect(level("Consumers", health, null)).toBe("fail");
  }
});

test("the ledger fails for any drift, and is looked at when its check is old", () => {
  const now = new Date("2026-01-01T00:10:00Z");
  const pass = (drifting_accounts: number, completed_at: string): Ledger => ({
    last_pass: { accounts: 3, drifting_accounts, drift_minor: 5, completed_at },
  });
  const judged = (ledger: Ledger | null) =>
    ledgerCheck(ledger, now, String).level;
  expect(judged(pass(0, "2026-01-01T00:09:00Z"))).toBe("ok");
  expect(judged(pass(1, "2026-01-01T00:09:00Z"))).toBe("fail");
  expect(judged(pass(0, "2025-12-31T00:09:00Z"))).toBe("warn");
  expect(judged({ last_pass: null })).toBe("warn");
  expect(judged(null)).toBe("fail");
});

describe("the role that serves the page", () => {
  const health = { version: "1", up_seconds: 3600 };

  test("works as long as a replica answers, and fails when none does", () => {
    const checks = webChecks({ health, milliseconds: 12 });
    expect(checks.map(({ level }) => level)).toEqual(["ok", "ok", "ok"]);
    expect(webChecks(null).map(({ level }) => level)).toEqual(["fail"]);
  });
});
