// Takes the person to what a button has opened elsewhere on the page.

/** An attachment: the element takes the focus when it appears, and is scrolled to if it is out of sight. */
export function arriveHere(element: HTMLElement): void {
  element.focus({ preventScroll: true });
  element.closest("section")?.scrollIntoView({ block: "nearest" });
}
