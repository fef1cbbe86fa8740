// The orders this page knows, and the pure rules by which news about them is taken in.
import type { Order, OrdersFrame } from "../api/types";

/** Orders by id. Never changed in place: every rule answers with a new book, or the same one. */
export type OrderBook = ReadonlyMap<string, Order>;

export const EMPTY_BOOK: OrderBook = new Map();

/** Takes in orders in whatever order they arrive; a version already known, or older, is dropped. */
export function merge(book: OrderBook, orders: readonly Order[]): OrderBook {
  const news = orders.filter((order) => isNews(book, order));
  if (news.length === 0) return book;
  const next = new Map(book);
  for (const order of news) {
    if (isNews(next, order)) next.set(order.id, order);
  }
  return next;
}

export interface FrameOutcome {
  readonly book: OrderBook;
  /** Orders decided by this message, as far as this page can tell. */
  readonly decided: readonly Order[];
  /** Old orders were let go, because their changes may have been missed: list them again. */
  readonly gap: boolean;
}

/** Takes in one message of the event stream. */
export function applyFrame(book: OrderBook, frame: OrdersFrame): FrameOutcome {
  const fresh = frame.type === "snapshot" && !frame.resumed;
  const kept = fresh ? withoutOlder(book, frame.orders) : book;
  const next = merge(kept, frame.orders);
  const decided = frame.orders.filter(
    (order) =>
      next.get(order.id) === order &&
      isDecided(order) &&
      // A fresh snapshot tells of old orders too: only those seen waiting before are news.
      wasWaiting(book.get(order.id), fresh),
  );
  return { book: next, decided, gap: kept !== book };
}

/** Takes in the newest orders as they were asked for while the event stream is away; older ones stay as they are. */
export function applyNewest(
  book: OrderBook,
  orders: readonly Order[],
): Pick<FrameOutcome, "book" | "decided"> {
  const next = merge(book, orders);
  const decided = orders.filter(
    (order) =>
      next.get(order.id) === order &&
      isDecided(order) &&
      wasWaiting(book.get(order.id), true),
  );
  return { book: next, decided };
}

/** Nothing more becomes of it by itself: nobody waits for a payment or a refund. */
export function isDecided(order: Order): boolean {
  return order.status !== "NEW" && order.status !== "REFUNDING";
}

/** The newest order first. */
export function newestFirst(book: OrderBook): Order[] {
  return [...book.values()].sort((a, b) =>
    a.number < b.number ? 1 : a.number > b.number ? -1 : 0,
  );
}

function isNews(book: OrderBook, order: Order): boolean {
  const known = book.get(order.id);
  return known === undefined || order.version > known.version;
}

function wasWaiting(known: Order | undefined, fresh: boolean): boolean {
  return known === undefined ? !fresh : !isDecided(known);
}

/**
 * A fresh snapshot holds the newest orders only. What is known and older may have changed unseen, so it
 * goes; what is newer was placed a moment ago and stays.
 */
function withoutOlder(book: OrderBook, snapshot: readonly Order[]): OrderBook {
  const first = snapshot[0];
  if (first === undefined) return book;
  const oldest = snapshot.reduce(
    (number, order) => (order.number < number ? order.number : number),
    first.number,
  );
  const kept = [...book].filter(([, order]) => order.number >= oldest);
  return kept.length === book.size ? book : new Map(kept);
}
