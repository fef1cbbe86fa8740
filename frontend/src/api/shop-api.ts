// The calls of the shop's API that the customer's page makes, one function each.
import { call, callIfNew, type Tagged } from "./client";
import {
  decodeAccount,
  decodeNothing,
  decodeOrder,
  decodeOrderDetails,
  decodeOwnedAccount,
  decodeOrderPage,
  decodeSession,
} from "./decode";
import type {
  Account,
  Money,
  Order,
  OrderDetails,
  OrderPage,
  OwnedAccount,
  SessionInfo,
} from "./types";

/** The newest orders asked for at once; a snapshot of the event stream brings as many. */
const ORDERS_PER_PAGE = 100n;

export function readSession(): Promise<SessionInfo> {
  return call("get", "/api/v1/session", {}, decodeSession);
}

export function openSession(
  userId: bigint,
  operatorToken?: string,
): Promise<SessionInfo> {
  const body = {
    user_id: userId,
    ...(operatorToken === undefined ? {} : { operator_token: operatorToken }),
  };
  return call("post", "/api/v1/session", { body }, decodeSession);
}

export function closeSession(): Promise<void> {
  return call("delete", "/api/v1/session", {}, decodeNothing);
}

export function readAccount(): Promise<OwnedAccount> {
  return call("get", "/api/v1/account", {}, decodeOwnedAccount);
}

export function openAccount(key: string): Promise<Account> {
  const header = { "Idempotency-Key": key };
  return call("post", "/api/v1/account", { header, body: {} }, decodeAccount);
}

/** Answers with the account's balance after the top-up. */
export function topUp(money: Money, key: string): Promise<Account> {
  return call(
    "post",
    "/api/v1/account/top-ups",
    { header: { "Idempotency-Key": key }, body: { amount: roubles(money) } },
    decodeAccount,
  );
}

export interface NewOrder {
  readonly amount: Money;
  readonly description: string;
}

export function placeOrder(order: NewOrder, key: string): Promise<Order> {
  const { amount, description } = order;
  return call(
    "post",
    "/api/v1/orders",
    {
      header: { "Idempotency-Key": key },
      body: { amount: roubles(amount), description },
    },
    decodeOrder,
  );
}

/** An order as the person saw it when they gave it up. */
export interface Cancellation {
  readonly id: string;
  readonly version: number;
}

export function cancelOrder(
  { id, version }: Cancellation,
  key: string,
): Promise<Order> {
  const header = { "If-Match": `"${version}"`, "Idempotency-Key": key };
  return call(
    "post",
    "/api/v1/orders/{id}/cancel",
    { path: { id }, header },
    decodeOrder,
  );
}

/** The newest orders, or those before `cursor`. */
export function listOrders(cursor: string | null): Promise<OrderPage> {
  const query = cursor === null ? {} : { cursor };
  return call(
    "get",
    "/api/v1/orders",
    { query: { limit: ORDERS_PER_PAGE, ...query } },
    decodeOrderPage,
  );
}

/** The newest orders, if they are not those of the entity tag `known`. */
export function listOrdersIfNew(
  known: string | null,
): Promise<Tagged<OrderPage> | null> {
  const query = { limit: ORDERS_PER_PAGE };
  return callIfNew("/api/v1/orders", known, { query }, decodeOrderPage);
}

/** An order, if it is not as the entity tag `known` has it. */
export function readOrderIfNew(
  id: string,
  known: string | null,
): Promise<Tagged<OrderDetails> | null> {
  const path = { id };
  return callIfNew("/api/v1/orders/{id}", known, { path }, decodeOrderDetails);
}

/** Whoever can type another currency has changed the page. */
function roubles({ amount_minor }: Money): {
  readonly amount_minor: bigint;
  readonly currency: "RUB";
} {
  return { amount_minor, currency: "RUB" };
}
