// Writes an instant for people: short when it is near, complete in the tooltip.

const TIME = new Intl.DateTimeFormat("en-GB", { timeStyle: "short" });
const DAY_AND_TIME = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "short",
  hour: "2-digit",
  minute: "2-digit",
});
const DATE_AND_TIME = new Intl.DateTimeFormat("en-GB", {
  dateStyle: "medium",
  timeStyle: "short",
});
const COMPLETE = new Intl.DateTimeFormat("en-GB", {
  dateStyle: "full",
  timeStyle: "long",
});

/** The time alone for today, the day before it for this year, the year for all else. */
export function shortInstant(instant: Date, now: Date): string {
  if (instant.toDateString() === now.toDateString()) {
    return `Today, ${TIME.format(instant)}`;
  }
  return instant.getFullYear() === now.getFullYear()
    ? DAY_AND_TIME.format(instant)
    : DATE_AND_TIME.format(instant);
}

export function completeInstant(instant: Date): string {
  return COMPLETE.format(instant);
}
