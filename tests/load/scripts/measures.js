// What is measured. Names are those of thresholds and of the report.
import { Counter, Rate, Trend } from "k6/metrics";

/** Requests, by whether they went wrong. A shed one went as it should. */
export const errors = new Rate("errors");

/** Answers 503 `overloaded`: nothing was done, and the customer comes again after Retry-After. */
export const sheds = new Counter("sheds");

/** Customers who were turned away, or failed, too often and left. */
export const visitsGivenUp = new Counter("visits_given_up");

export const ordersAccepted = new Counter("orders_accepted");
export const ordersEnded = new Counter("orders_ended");
export const ordersPaid = new Counter("orders_paid");
export const ordersDeclined = new Counter("orders_declined");

/**
 * One up with every accepted order and one down with its end. A threshold cannot compare two counters, and this one also
 * sees an order whose customer k6 interrupted.
 */
export const ordersWithoutEnd = new Counter("orders_without_end");

/** An order paid that could not be, or not paid that could, or a balance that is not what was put in less what was paid. */
export const contradictions = new Counter("contradictions");

/** Ends that no socket told in time and that were read back. */
export const pushesMissed = new Counter("pushes_missed");

/** Sockets that broke off and were opened again with their cursor. */
export const socketsReopened = new Counter("sockets_reopened");

/** From the request for an order to its answer 201. */
export const placeMs = new Trend("place_ms", true);

/** From the request for an order to the push of its end. */
export const settleMs = new Trend("settle_ms", true);

/** A threshold on a counter that nobody added to is not looked at, so each is added to once. */
export function beginAtZero() {
  for (const counter of [
    sheds,
    visitsGivenUp,
    ordersAccepted,
    ordersEnded,
    ordersPaid,
    ordersDeclined,
    ordersWithoutEnd,
    contradictions,
    pushesMissed,
    socketsReopened,
  ]) {
    counter.add(0);
  }
}
