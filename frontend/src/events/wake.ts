// Tells when this page may have been away from the network, and when that changes.

/** A tab hidden this long may have a connection that died without a word. */
const LONG_HIDDEN_MS = 15_000;

export interface WakeEvents {
  /** The tab or the machine woke, or the network came back: connections may be dead. */
  readonly onWake: () => void;
  /** The tab is looked at again after a short while. */
  readonly onLook: () => void;
  readonly onNetworkLost: () => void;
}

/** Answers with the function that stops it. */
export function watchWake(events: WakeEvents): () => void {
  const stop = new AbortController();
  const { signal } = stop;
  let hiddenSince: number | null = document.hidden ? Date.now() : null;

  document.addEventListener(
    "visibilitychange",
    () => {
      if (document.hidden) {
        hiddenSince = Date.now();
        return;
      }
      const away = hiddenSince === null ? 0 : Date.now() - hiddenSince;
      hiddenSince = null;
      if (away >= LONG_HIDDEN_MS) events.onWake();
      else events.onLook();
    },
    { signal },
  );
  addEventListener("online", events.onWake, { signal });
  addEventListener("offline", events.onNetworkLost, { signal });
  addEventListener(
    "pageshow",
    ({ persisted }) => {
      // Back from the back-forward cache, where sockets do not survive.
      if (persisted) events.onWake();
    },
    { signal },
  );
  return () => stop.abort();
}
