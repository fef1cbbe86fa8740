// What an order's status means, in words and in tone; the one place that knows the statuses by name.
import type { Order } from "../api/types";
import { t } from "../i18n/words.svelte";

export type Tone = "waiting" | "good" | "bad" | "neutral";

export interface StatusWords {
  readonly label: string;
  readonly tone: Tone;
  /** What it means for the person who placed the order. */
  readonly sentence: string;
}

export function wordsOfStatus(
  order: Pick<Order, "status" | "reason">,
): StatusWords {
  switch (order.status) {
    case "NEW":
      return {
        label: t.status.new,
        tone: "waiting",
        sentence: t.status.inProgress,
      };
    case "FINISHED":
      return {
        label: t.status.finished,
        tone: "good",
        sentence: t.status.paid,
      };
    case "REFUNDING":
      return {
        label: t.status.refunding,
        tone: "waiting",
        sentence: t.status.moneyOnItsWay,
      };
    case "CANCELLED":
      return {
        label: t.status.cancelled,
        // Done as its owner wished: nothing went wrong.
        tone: order.reason === "refunded" ? "neutral" : "bad",
        sentence: wordsOfReason(order.reason),
      };
    default:
      return { label: order.status, tone: "neutral", sentence: "" };
  }
}

export function wordsOfReason(reason: string | null): string {
  switch (reason) {
    case "no_account":
      return t.status.noAccount;
    case "insufficient_funds":
      return t.status.insufficientFunds;
    case "discarded":
      return t.status.discarded;
    case "refunded":
      return t.status.refunded;
    default:
      return t.status.declined;
  }
}

/** One sentence for a screen reader about orders just decided; few by name, many by count. */
export function announcementOf(decided: readonly Order[]): string {
  if (decided.length > 3) return t.status.manyDecided(decided.length);
  return decided
    .map((order) => {
      const { label, sentence } = wordsOfStatus(order);
      return t.status.announced(order.number, label, sentence);
    })
    .join(" ");
}
