// The calls of the shop's API that this page makes, one function each.
import {
  decodeAccount,
  decodeNothing,
  decodeOrder,
  decodeOrderPage,
  decodeSession,
} from "./decode";
import { request } from "./http";
import type { Account, Money, Order, OrderPage, SessionInfo } from "./types";

/** The newest orders asked for at once; a snapshot of the event stream brings as many. */
const ORDERS_PER_PAGE = 100;

export function readSession(): Promise<SessionInfo> {
  return request({
    method: "GET",
    path: "/api/v1/session",
    decode: decodeSession,
  });
}

export function openSession(userId: bigint): Promise<SessionInfo> {
  return request({
    method: "POST",
    path: "/api/v1/session",
    body: { user_id: userId },
    decode: decodeSession,
  });
}

export function closeSession(): Promise<void> {
  return request({
    method: "DELETE",
    path: "/api/v1/session",
    decode: decodeNothing,
  });
}

export function readAccount(): Promise<Account> {
  return request({
    method: "GET",
    path: "/api/v1/account",
    decode: decodeAccount,
  });
}

export function openAccount(idempotencyKey: string): Promise<Account> {
  return request({
    method: "POST",
    path: "/api/v1/account",
    body: {},
    idempotencyKey,
    decode: decodeAccount,
  });
}

/** Answers with the account's balance after the top-up. */
export function topUp(amount: Money, idempotencyKey: string): Promise<Account> {
  return request({
    method: "POST",
    path: "/api/v1/account/top-ups",
    body: { amount: { ...amount } },
    idempotencyKey,
    decode: decodeAccount,
  });
}

export interface NewOrder {
  readonly amount: Money;
  readonly description: string;
}

export function placeOrder(
  order: NewOrder,
  idempotencyKey: string,
): Promise<Order> {
  return request({
    method: "POST",
    path: "/api/v1/orders",
    body: { amount: { ...order.amount }, description: order.description },
    idempotencyKey,
    decode: decodeOrder,
  });
}

/** The newest orders, or those before `cursor`. */
export function listOrders(cursor: string | null): Promise<OrderPage> {
  const query = new URLSearchParams({ limit: String(ORDERS_PER_PAGE) });
  if (cursor !== null) query.set("cursor", cursor);
  return request({
    method: "GET",
    path: `/api/v1/orders?${query}`,
    decode: decodeOrderPage,
  });
}
