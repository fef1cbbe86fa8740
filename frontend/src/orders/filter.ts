// Which of the orders shown so far a person wants to see.
import type { Order } from "../api/types";

export const FILTERS = ["all", "waiting", "paid", "cancelled"] as const;

export type Filter = (typeof FILTERS)[number];

/** What an address asks for; all, if it asks for nothing that exists. */
export function filterOf(asked: string | null): Filter {
  return FILTERS.find((filter) => filter === asked) ?? "all";
}

export function passes(
  { status }: Pick<Order, "status">,
  filter: Filter,
): boolean {
  switch (filter) {
    case "all":
      return true;
    case "waiting":
      return status === "NEW" || status === "REFUNDING";
    case "paid":
      return status === "FINISHED";
    case "cancelled":
      return status === "CANCELLED";
  }
}
