// What happened to an order, from the shop's timeline to what a person reads: words, instants and the time between.
import type { OrderDetails, TimelineItem } from "../api/types";
import { t } from "../i18n/words.svelte";
import { millisecondsBetween } from "../time/duration";
import { wordsOfReason, type Tone } from "./wording";

export interface Step {
  readonly label: string;
  /** More of it, where there is more to say. */
  readonly sentence: string | null;
  readonly tone: Tone;
  readonly at: string;
  /** Since the step before; null for the first one. */
  readonly sinceBefore: number | null;
  readonly eventId: string | null;
  readonly traceId: string | null;
}

export function stepsOf({ timeline }: Pick<OrderDetails, "timeline">): Step[] {
  return timeline.map((item, index) => {
    const before = timeline[index - 1];
    return {
      ...wordsOfStep(item),
      at: item.at,
      sinceBefore: before ? millisecondsBetween(before.at, item.at) : null,
      eventId: item.event_id,
      traceId: item.trace_id,
    };
  });
}

/** What an order that is not at rest is waiting for; null for one that is. */
export function awaited({
  status,
}: Pick<OrderDetails, "status">): string | null {
  switch (status) {
    case "NEW":
      return t.order.waitingForPayment;
    case "REFUNDING":
      return t.order.waitingForRefund;
    default:
      return null;
  }
}

/** From placing the order to its decision, in milliseconds; null while there is none. */
export function decidedAfter({
  created_at,
  decided_at,
}: Pick<OrderDetails, "created_at" | "decided_at">): number | null {
  return decided_at === null
    ? null
    : millisecondsBetween(created_at, decided_at);
}

function wordsOfStep({
  step,
  detail,
}: TimelineItem): Pick<Step, "label" | "sentence" | "tone"> {
  const plain = (label: string, tone: Tone = "neutral") => ({
    label,
    sentence: null,
    tone,
  });
  switch (step) {
    case "placed":
    case "payment_requested":
    case "payment_requested_again":
    case "refund_requested":
    case "refund_requested_again":
      return plain(t.step[step]);
    case "payment_decided":
      return detail === null
        ? plain(t.step.paid, "good")
        : {
            label: t.step.declined,
            sentence: wordsOfReason(detail),
            tone: "bad",
          };
    case "finished":
    case "refunded":
      return plain(t.step[step], "good");
    case "cancelled":
      // With the money back it ended as its owner wished.
      return plain(t.step.cancelled, detail === "refunded" ? "neutral" : "bad");
    default:
      // A newer shop knows a step that this page does not.
      return { label: step, sentence: detail, tone: "neutral" };
  }
}
