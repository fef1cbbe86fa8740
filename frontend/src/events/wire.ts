// What carries the event stream: a WebSocket, or server-sent events where a network lets no WebSocket through.

export type Carrier = "websocket" | "server-sent";

export interface WireEvents {
  readonly onText: (text: string) => void;
  /** It is over. A browser hides the status of a failed handshake, so whoever was never let in may have been refused. */
  readonly onEnd: (end: { readonly mayBeRefused: boolean }) => void;
}

/** Answers with the function that lets it go without hearing from it again. */
export function openWire(
  carrier: Carrier,
  cursor: string | null,
  events: WireEvents,
): () => void {
  const url = new URL("/api/v1/events", location.href);
  if (cursor !== null) url.searchParams.set("cursor", cursor);
  return carrier === "websocket"
    ? openSocket(url, events)
    : openSource(url, events);
}

/** The close code by which the shop says: not allowed. */
const POLICY_VIOLATION = 1008;

function openSocket(url: URL, { onText, onEnd }: WireEvents): () => void {
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  const socket = new WebSocket(url.href);
  let isOpen = false;
  socket.onopen = () => (isOpen = true);
  socket.onmessage = ({ data }) => onText(String(data));
  socket.onclose = ({ code }) =>
    onEnd({ mayBeRefused: !isOpen || code === POLICY_VIOLATION });
  return () => {
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  };
}

function openSource(url: URL, { onText, onEnd }: WireEvents): () => void {
  const source = new EventSource(url.href);
  let isOpen = false;
  const close = () => {
    source.onopen = source.onmessage = source.onerror = null;
    source.close();
  };
  source.onopen = () => (isOpen = true);
  source.onmessage = ({ data }) => onText(String(data));
  source.onerror = () => {
    // It would connect again by itself; when that happens is the stream's to say, whatever carries it.
    close();
    onEnd({ mayBeRefused: !isOpen });
  };
  return close;
}
