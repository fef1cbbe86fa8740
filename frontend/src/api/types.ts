// What the shop's API speaks of, in its own words and with exact numbers.

export interface Money {
  readonly amount_minor: bigint;
  readonly currency: string;
}

export interface SessionInfo {
  readonly user_id: bigint;
  readonly mode: string;
}

export interface Account {
  readonly balance: Money;
}

/** Status and reason stay open: a page opened before an upgrade must survive a word it does not know. */
export interface Order {
  readonly id: string;
  readonly number: bigint;
  readonly user_id: bigint;
  readonly description: string;
  readonly amount: Money;
  readonly status: string;
  readonly reason: string | null;
  readonly version: number;
  readonly created_at: string;
  readonly decided_at: string | null;
}

export interface OrderPage {
  readonly items: readonly Order[];
  readonly next_cursor: string | null;
}

/** A message of the event stream. `resumed` is false when a snapshot may have skipped changes. */
export type EventFrame =
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

export interface Problem {
  readonly code: string;
  readonly detail: string;
}
