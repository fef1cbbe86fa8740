// Turns what came over the wire into the types of this page, or refuses it; unknown members are ignored.
import { parseJson } from "./json";
import type {
  Account,
  EventFrame,
  Money,
  Order,
  OrderDetails,
  OrderPage,
  OwnedAccount,
  Problem,
  SessionInfo,
  TimelineItem,
} from "./types";

export type Decoder<T> = (value: unknown) => T;

export class DecodeError extends Error {
  override readonly name = "DecodeError";
}

export const decodeSession: Decoder<SessionInfo> = (value) => {
  const it = members(value);
  return {
    user_id: whole(it, "user_id"),
    mode: text(it, "mode"),
    roles: list(it, "roles").map(String),
  };
};

export const decodeAccount: Decoder<Account> = (value) => ({
  balance: decodeMoney(members(value)["balance"]),
});

export const decodeOwnedAccount: Decoder<OwnedAccount> = (value) => ({
  ...decodeAccount(value),
  user_id: whole(members(value), "user_id"),
});

export const decodeOrder: Decoder<Order> = (value) => {
  const it = members(value);
  return {
    id: text(it, "id"),
    number: whole(it, "number"),
    user_id: whole(it, "user_id"),
    description: text(it, "description"),
    amount: decodeMoney(it["amount"]),
    status: text(it, "status"),
    reason: textOrNull(it, "reason"),
    version: Number(whole(it, "version")),
    created_at: text(it, "created_at"),
    decided_at: textOrNull(it, "decided_at"),
  };
};

export const decodeOrderDetails: Decoder<OrderDetails> = (value) => {
  const it = members(value);
  return {
    ...decodeOrder(value),
    timeline: list(it, "timeline").map(decodeTimelineItem),
    trace_id: text(it, "trace_id"),
  };
};

const decodeTimelineItem: Decoder<TimelineItem> = (value) => {
  const it = members(value);
  return {
    step: text(it, "step"),
    at: text(it, "at"),
    detail: textOrNull(it, "detail"),
    event_id: textOrNull(it, "event_id"),
    trace_id: textOrNull(it, "trace_id"),
  };
};

export const decodeOrderPage: Decoder<OrderPage> = (value) => {
  const it = members(value);
  return {
    items: orders(it, "items"),
    next_cursor: textOrNull(it, "next_cursor"),
  };
};

/** Null for a message of a type this page does not know, which is not for it. */
export const decodeFrame: Decoder<EventFrame | null> = (value) => {
  const it = members(value);
  switch (it["type"]) {
    case "snapshot":
      return {
        type: "snapshot",
        cursor: text(it, "cursor"),
        resumed: it["resumed"] === true,
        orders: orders(it, "orders"),
      };
    case "changes":
      return {
        type: "changes",
        cursor: text(it, "cursor"),
        orders: orders(it, "orders"),
      };
    case "beat":
      return { type: "beat" };
    default:
      return null;
  }
};

export const decodeProblem: Decoder<Problem> = (value) => {
  const it = members(value);
  return { code: text(it, "code"), detail: textOrNull(it, "detail") };
};

export const decodeNothing: Decoder<void> = () => undefined;

/** Reads JSON text and decodes it; both kinds of failure are a DecodeError. */
export function decodeText<T>(source: string, decode: Decoder<T>): T {
  let value: unknown;
  try {
    value = parseJson(source);
  } catch (cause) {
    throw new DecodeError("the text is not JSON", { cause });
  }
  return decode(value);
}

const decodeMoney: Decoder<Money> = (value) => {
  const it = members(value);
  return {
    amount_minor: whole(it, "amount_minor"),
    currency: text(it, "currency"),
  };
};

type Members = { readonly [name: string]: unknown };

function members(value: unknown): Members {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new DecodeError("expected an object");
  }
  return value as Members;
}

function text(it: Members, name: string): string {
  const value = it[name];
  if (typeof value !== "string") throw new DecodeError(`${name} is not text`);
  return value;
}

function textOrNull(it: Members, name: string): string | null {
  return it[name] === null || it[name] === undefined ? null : text(it, name);
}

/** A whole number; a long one comes as digits, see json.ts. */
function whole(it: Members, name: string): bigint {
  const value = it[name];
  if (typeof value === "number" && Number.isSafeInteger(value))
    return BigInt(value);
  if (typeof value === "string" && /^-?\d+$/.test(value)) return BigInt(value);
  throw new DecodeError(`${name} is not a whole number`);
}

function list(it: Members, name: string): unknown[] {
  const value = it[name];
  if (!Array.isArray(value)) throw new DecodeError(`${name} is not a list`);
  return value;
}

function orders(it: Members, name: string): Order[] {
  return list(it, name).map(decodeOrder);
}
