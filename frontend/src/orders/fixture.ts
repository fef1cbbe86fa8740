// Orders for unit tests: say only what matters to the test.
import type { Order } from "../api/types";

export function anOrder(number: number, changes: Partial<Order> = {}): Order {
  return {
    id: `order-${number}`,
    number: BigInt(number),
    user_id: 1n,
    description: `Order ${number}`,
    amount: { amount_minor: 10_000n, currency: "RUB" },
    status: "NEW",
    reason: null,
    version: 1,
    created_at: "2026-01-02T03:04:05Z",
    decided_at: null,
    ...changes,
  };
}

export function finished(number: number, version = 2): Order {
  return anOrder(number, {
    status: "FINISHED",
    version,
    decided_at: "2026-01-02T03:04:06Z",
  });
}

export function cancelled(number: number, reason: string): Order {
  return anOrder(number, {
    status: "CANCELLED",
    reason,
    version: 2,
    decided_at: "2026-01-02T03:04:06Z",
  });
}
