// Makes a key under which the shop carries out a request once, however often it is sent.

export function newIdempotencyKey(): string {
  // Over plain http from another machine browsers offer no randomUUID, only random bytes.
  if (typeof crypto.randomUUID === "function") return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(
    "",
  );
}
