// Keeps the keyboard's place when what had it goes away.

/** An attachment: the element takes the focus when it appears, without scrolling to it. */
export function focusOnArrival(element: HTMLElement): void {
  element.focus({ preventScroll: true });
}
