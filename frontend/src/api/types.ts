// What the shop's API speaks of, as this page reads it: taken from the generated schema, and a little wider where an
// older page must survive a newer shop.
import type { components } from "./schema";

type Schemas = components["schemas"];

/** The same with every member there: decoders fill what is absent with null. */
export type Whole<T> = T extends object
  ? { readonly [Name in keyof T]-?: Whole<Exclude<T[Name], undefined>> }
  : T;

/** Some members as any text: a page opened before an upgrade must survive a word it does not know. */
type Open<T, Names extends keyof T> = Omit<T, Names> & {
  readonly [Name in Names]: null extends T[Name] ? string | null : string;
};

export type Money = Open<Schemas["Money"], "currency">;

export interface Account {
  readonly balance: Money;
}

/** With whose it is. */
export type OwnedAccount = Account & Pick<Schemas["Account"], "user_id">;

type WholeOrder = Whole<Schemas["Order"]>;

export type Order = Omit<Open<WholeOrder, "status" | "reason">, "amount"> & {
  readonly amount: Money;
};

export type TimelineItem = Open<
  Whole<Schemas["TimelineItem"]>,
  "step" | "detail"
>;

export type OrderDetails = Order & {
  readonly timeline: readonly TimelineItem[];
  readonly trace_id: string;
};

export interface OrderPage {
  readonly items: readonly Order[];
  readonly next_cursor: string | null;
}

/** Mode and roles stay open, as above. */
export type SessionInfo = Pick<Schemas["Session"], "user_id"> & {
  readonly mode: string;
  readonly roles: readonly string[];
};

/** What the event stream tells of orders. `resumed` is false when a snapshot may have skipped changes. */
export type OrdersFrame =
  | {
      readonly type: "snapshot";
      readonly cursor: string;
      readonly resumed: boolean;
      readonly orders: readonly Order[];
    }
  | {
      readonly type: "changes";
      readonly cursor: string;
      readonly orders: readonly Order[];
    };

/** A message of the event stream; a beat says that it is quiet and lives. */
export type EventFrame = OrdersFrame | { readonly type: "beat" };

export type Problem = Pick<Whole<Schemas["Problem"]>, "code" | "detail">;

/** Compiles only while the shop's frames are what this page takes for one. */
type Takes<Wide, Narrow extends Wide> = Narrow;
export type SchemaFrame = Takes<EventFrame, Whole<Schemas["EventFrame"]>>;
