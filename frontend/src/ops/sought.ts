// What an operator pasted: an order's number, an id that may be an order's or an event's, or a trace's.

export type Sought =
  | { readonly kind: "number"; readonly text: string }
  | { readonly kind: "id"; readonly text: string }
  | { readonly kind: "trace"; readonly text: string };

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const TRACE = /^[0-9a-f]{32}$/;
/** As a traceparent has it. */
const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/;
const NUMBER = /^[1-9]\d{0,18}$/;

export function soughtOf(pasted: string): Sought | null {
  const text = pasted
    .trim()
    .replace(/^[#№]\s*/, "")
    .toLowerCase();
  if (ID.test(text)) return { kind: "id", text };
  if (NUMBER.test(text)) return { kind: "number", text };
  const trace = TRACEPARENT.exec(text)?.[1] ?? text;
  return TRACE.test(trace) ? { kind: "trace", text: trace } : null;
}
