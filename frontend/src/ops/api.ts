// The operators' API as the console asks it: the same paths of both services.
//
// The console comes from the shop that it asks, so answers are taken as the document has them; only what is not even an object is refused.
import {
  call,
  type Answer,
  type Input,
  type Operation,
  type PathOf,
} from "../api/client";
import { DecodeError } from "../api/decode";
import type { components } from "../api/schema";
import type { Whole } from "../api/types";

export const SERVICES = ["order", "payment"] as const;

export type Service = (typeof SERVICES)[number];

/** Counts, ages and the numbers of rows fit a JavaScript number; only ids and money would not. */
export type Plain<T> = T extends bigint
  ? number
  : T extends object
    ? { readonly [Name in keyof T]: Plain<T[Name]> }
    : T;

type Schemas = components["schemas"];
type Read<Name extends keyof Schemas> = Plain<Whole<Schemas[Name]>>;

export type Outbox = Read<"OutboxStatus">;
export type Relay = Read<"OutboxRelayStatus">;
export type Health = Read<"ServiceHealth">;
export type WebHealth = Read<"WebHealth">;
export type Ledger = Read<"LedgerCheck">;
export type StuckOrder = Read<"StuckOrder">;
export type StuckPage = Read<"StuckPage">;
export type Letter = Read<"DeadLetter">;
export type WholeLetter = Read<"WholeDeadLetter">;
export type LetterCount = Read<"DeadLetterCount">;
export type LetterPage = Read<"DeadLetterPage">;
export type LogEntry = Read<"Operation">;
export type Hop = Read<"OrderHop">;
export type ServiceTrace = Read<"OrderTrace">;
export type RedriveAnswer = Read<"RedriveAnswer">;
export type DiscardAnswer = Read<"DiscardAnswer">;

type Asked<M extends "get" | "post", P extends PathOf<M>> = Promise<
  Plain<Answer<Operation<M, P>>>
>;

function ask<M extends "get" | "post", P extends PathOf<M>>(
  method: M,
  path: P,
  input: Input<Operation<M, P>>,
): Asked<M, P> {
  type Answered = Answer<Operation<M, P>>;
  const asked = call<M, P, Answered>(method, path, input, taken as never);
  return asked as Asked<M, P>;
}

function taken(value: unknown): unknown {
  if (typeof value !== "object" || value === null) {
    throw new DecodeError("expected an object");
  }
  return value;
}

export function readHealth(service: Service): Promise<Health> {
  return ask("get", `/ops/v1/${service}/health`, {});
}

export function readWebHealth(): Promise<WebHealth> {
  return ask("get", "/ops/v1/web/health", {});
}

export function readOutbox(service: Service): Promise<Outbox> {
  return ask("get", `/ops/v1/${service}/outbox`, {});
}

export function readLedger(): Promise<Ledger> {
  return ask("get", "/ops/v1/payment/ledger", {});
}

export function listStuck(cursor: string | null): Promise<StuckPage> {
  const query = cursor === null ? {} : { cursor };
  return ask("get", "/ops/v1/order/stuck", { query });
}

export interface LetterQuery {
  readonly reason?: string;
  readonly cursor?: bigint;
  readonly limit: bigint;
}

export function listLetters(
  service: Service,
  query: LetterQuery,
): Promise<LetterPage> {
  return ask("get", `/ops/v1/${service}/dead-letters`, { query });
}

export function readLetter(service: Service, id: number): Promise<WholeLetter> {
  return ask("get", `/ops/v1/${service}/dead-letters/{id}`, {
    path: { id: BigInt(id) },
  });
}

export type RedriveRequest = Schemas["RedriveRequest"];

export function redrive(
  service: Service,
  body: RedriveRequest,
): Promise<RedriveAnswer> {
  return ask("post", `/ops/v1/${service}/dead-letters/redrive`, { body });
}

/** Takes the marks off that a request for a redrive has made. */
export function takeBack(
  service: Service,
  request_id: string,
): Promise<unknown> {
  return ask("post", `/ops/v1/${service}/dead-letters/cancel-redrive`, {
    body: { request_id },
  });
}

export function discard(
  service: Service,
  ids: readonly number[],
  reason: string,
): Promise<DiscardAnswer> {
  const body = { ids: ids.map(BigInt), reason };
  return ask("post", `/ops/v1/${service}/dead-letters/discard`, { body });
}

export function listOperations(
  service: Service,
  query: { readonly request_id?: string; readonly cursor?: bigint },
): Promise<Read<"OperationPage">> {
  return ask("get", `/ops/v1/${service}/operations`, { query });
}

export function findOrder(
  service: Service,
  query: { readonly event?: string; readonly trace?: string },
): Promise<Read<"Found">> {
  return ask("get", `/ops/v1/${service}/find`, { query });
}

export function readTrace(
  service: Service,
  order: string,
  events: readonly string[],
): Promise<ServiceTrace> {
  const query = events.length === 0 ? {} : { events: events.join(",") };
  return ask("get", `/ops/v1/${service}/orders/{order}/trace`, {
    path: { order },
    query,
  });
}

export function ordersInLetters(
  service: Service,
  orders: readonly string[],
): Promise<Read<"OrdersInDeadLetters">> {
  return ask("get", `/ops/v1/${service}/dead-letters/about`, {
    query: { orders: orders.join(",") },
  });
}
