// What an order's status means, in words and in tone; the one place that knows the statuses by name.
import type { Order } from "../api/types";

export type Tone = "waiting" | "good" | "bad" | "neutral";

export interface StatusWords {
  readonly label: string;
  readonly tone: Tone;
  /** What it means for the person who placed the order. */
  readonly sentence: string;
}

const REASONS: Readonly<Record<string, string>> = {
  no_account: "You had no account to pay from.",
  insufficient_funds: "There was not enough money in your account.",
  discarded: "The payment could not be processed.",
  refunded: "You gave it up, and your money is back.",
};

export function wordsOfStatus(order: Order): StatusWords {
  switch (order.status) {
    case "NEW":
      return {
        label: "New",
        tone: "waiting",
        sentence: "Payment in progress.",
      };
    case "FINISHED":
      return {
        label: "Finished",
        tone: "good",
        sentence: "Paid from your account.",
      };
    case "REFUNDING":
      return {
        label: "Refunding",
        tone: "waiting",
        sentence: "You gave it up; your money is on its way back.",
      };
    case "CANCELLED":
      return {
        label: "Cancelled",
        tone: "bad",
        sentence: REASONS[order.reason ?? ""] ?? "The payment was declined.",
      };
    default:
      return { label: order.status, tone: "neutral", sentence: "" };
  }
}

/** One sentence for a screen reader about orders just decided; few by name, many by count. */
export function announcementOf(decided: readonly Order[]): string {
  if (decided.length > 3) return `${decided.length} orders were decided.`;
  return decided
    .map((order) => {
      const { label, sentence } = wordsOfStatus(order);
      return `Order ${order.number}: ${label.toLowerCase()}. ${sentence}`.trim();
    })
    .join(" ");
}
