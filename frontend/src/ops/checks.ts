// What is well and what is not, as an operator at 3 a.m. wants it told: part by part, the worst first in words.
import type { Health, Ledger, LetterCount, Outbox, Service } from "./api";
import { count, duration } from "./format";
import type { WebView } from "./watch.svelte";
import { o } from "./words.svelte";
import { secondOf } from "../time/instant";

export type Level = "ok" | "warn" | "fail";

export interface Check {
  readonly part: string;
  readonly level: Level;
  readonly words: string;
}

/** Beyond this silence a relay counts as gone; consumers tell of themselves every five seconds. */
export const RELAY_SILENT_SECONDS = 3;
export const CONSUMER_SILENT_SECONDS = 15;

const SLOW_DATABASE_MS = 250;

/** A pass takes seconds, and half a minute lies between two; of many accounts it takes longer. */
const LEDGER_OLD_MS = 15 * 60 * 1000;

export function checksOf(
  service: Service,
  health: Health | null,
  outbox: Outbox | null,
  letters: readonly LetterCount[] | null,
): readonly Check[] {
  const checks: Check[] = [
    check(
      o.health.service,
      health ? "ok" : "fail",
      health ? health.version : o.health.away,
    ),
  ];
  if (health) {
    const slow = health.database_milliseconds > SLOW_DATABASE_MS;
    checks.push(
      check(
        o.health.database,
        slow ? "warn" : "ok",
        o.health.milliseconds(count(health.database_milliseconds)),
      ),
      check(
        o.health.broker,
        health.broker_problem === null ? "ok" : "fail",
        health.broker_problem ?? o.health.ok,
      ),
      consumers(health),
    );
    if (service === "order") {
      const reconciles = health.reconciler_lease_seconds !== null;
      checks.push(
        check(
          o.health.reconciler,
          reconciles ? "ok" : "warn",
          reconciles ? o.health.reconciling : o.health.noReconciler,
        ),
      );
    }
  }
  if (outbox) checks.push(relays(outbox));
  if (letters) {
    const dead = letters.reduce((total, it) => total + it.letters, 0);
    checks.push(
      check(o.console.letters, dead === 0 ? "ok" : "warn", count(dead)),
    );
  }
  return checks;
}

function consumers({ consumers: all }: Health): Check {
  const alive = all.filter(
    ({ told_seconds }) => told_seconds <= CONSUMER_SILENT_SECONDS,
  );
  const working = alive.filter(({ connected, paused }) => connected && !paused);
  return check(
    o.health.consumers,
    working.length === 0
      ? "fail"
      : working.length < alive.length
        ? "warn"
        : "ok",
    o.health.consumersAlive(working.length),
  );
}

function relays({ relays: all }: Outbox): Check {
  const heard = all.filter(
    ({ silent_seconds, told_seconds }) =>
      Math.min(silent_seconds, told_seconds ?? silent_seconds) <=
      RELAY_SILENT_SECONDS,
  );
  const alive = heard.filter(
    ({ silent_seconds }) => silent_seconds <= RELAY_SILENT_SECONDS,
  );
  const state = (broker: string) => heard.some((it) => it.broker === broker);
  if (state("away")) return check(o.health.relays, "fail", o.health.relayAway);
  if (state("blocked")) {
    return check(o.health.relays, "warn", o.health.relayBlocked);
  }
  return check(
    o.health.relays,
    alive.length === 0 ? "fail" : "ok",
    o.health.relaysAlive(alive.length),
  );
}

/**
 * The web role keeps nothing and leans on nothing: a replica that answers works. How long that took is as much the browser's
 * and the network's doing, so it is told and not judged.
 */
export function webChecks(web: WebView | null): readonly Check[] {
  if (!web) return [check(o.health.replica, "fail", o.health.away)];
  const { health, milliseconds } = web;
  return [
    check(o.health.replica, "ok", health.version),
    check(o.health.up, "ok", duration(health.up_seconds)),
    check(o.health.answers, "ok", o.health.milliseconds(count(milliseconds))),
  ];
}

/** The ledger's drift is money made or lost: anything but none is a failure. */
export function ledgerCheck(
  ledger: Ledger | null,
  now: Date,
  money: (minor: number) => string,
): Check {
  const pass = ledger?.last_pass ?? null;
  if (!ledger) return check(o.health.ledger, "fail", o.console.unknown);
  if (!pass) return check(o.health.ledger, "warn", o.health.checking);
  if (pass.drifting_accounts > 0) {
    const accounts = count(pass.drifting_accounts);
    return check(
      o.health.ledger,
      "fail",
      o.health.drift(accounts, money(pass.drift_minor)),
    );
  }
  const completed = new Date(pass.completed_at);
  if (now.getTime() - completed.getTime() > LEDGER_OLD_MS) {
    const words = o.health.notChecked(secondOf(completed));
    return check(o.health.ledger, "warn", words);
  }
  const words = o.health.noDrift(count(pass.accounts));
  return check(o.health.ledger, "ok", words);
}

function check(part: string, level: Level, words: string): Check {
  return { part, level, words };
}
