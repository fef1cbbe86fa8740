// Reads a user id typed by a person: a positive 64-bit whole number, exactly.

const MAX_USER_ID = 9_223_372_036_854_775_807n;

/** Null for what is no user id. */
export function parseUserId(typed: string): bigint | null {
  const text = typed.trim();
  if (!/^\d{1,19}$/.test(text)) return null;
  const id = BigInt(text);
  return id >= 1n && id <= MAX_USER_ID ? id : null;
}
