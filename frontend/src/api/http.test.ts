// What becomes of the shop's answers: an answer, a definite no, or not knowing.
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { failureOf, type Failure } from "./failure";
import { openSession, readAccount, topUp } from "./shop-api";

const fetching = vi.fn<typeof fetch>();

beforeEach(() => vi.stubGlobal("fetch", fetching));
afterEach(() => {
  vi.unstubAllGlobals();
  fetching.mockReset();
});

async function failureWhen(answer: Response | Error): Promise<Failure> {
  if (answer instanceof Error) fetching.mockRejectedValue(answer);
  else fetching.mockResolvedValue(answer);
  const error: unknown = await readAccount().then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return failureOf(error);
}

function problem(status: number, code: string, headers = {}): Response {
  return new Response(JSON.stringify({ code, detail: "In words." }), {
    status,
    headers: { "Content-Type": "application/problem+json", ...headers },
  });
}

describe("an answer", () => {
  test("is decoded with all its digits", async () => {
    fetching.mockResolvedValue(
      new Response(
        '{"user_id":1,"balance":{"amount_minor":4611686018427387904,"currency":"RUB"},"new":1}',
      ),
    );
    const { balance } = await readAccount();
    expect(balance.amount_minor).toBe(4_611_686_018_427_387_904n);
  });

  test("that cannot be read leaves it open what was done", async () => {
    expect(await failureWhen(new Response("<html>"))).toMatchObject({
      kind: "unsure",
      cause: "answer",
    });
    expect(await failureWhen(new Response("{}"))).toMatchObject({
      kind: "unsure",
      cause: "answer",
    });
  });
});

describe("a definite no", () => {
  test("carries the shop's code and words", async () => {
    expect(await failureWhen(problem(404, "account_not_found"))).toEqual({
      kind: "refused",
      status: 404,
      code: "account_not_found",
      detail: "In words.",
    });
  });

  test("is one even without a problem document", async () => {
    expect(
      await failureWhen(new Response("no", { status: 401 })),
    ).toMatchObject({ kind: "refused", code: "unauthenticated" });
  });
});

describe("not knowing", () => {
  test.each([
    [problem(500, "internal"), "server"],
    [problem(502, "bad_gateway"), "server"],
    [problem(429, "too_many_requests"), "server"],
    [problem(408, "timeout"), "timeout"],
    [problem(504, "timeout"), "timeout"],
    [new TypeError("Failed to fetch"), "network"],
    [new DOMException("", "TimeoutError"), "timeout"],
  ])("%s", async (answer, cause) => {
    expect(await failureWhen(answer)).toMatchObject({ kind: "unsure", cause });
  });

  test("keeps the shop's word on when to come back", async () => {
    expect(
      await failureWhen(problem(503, "unavailable", { "Retry-After": "5" })),
    ).toMatchObject({ kind: "unsure", retryAfterSeconds: 5 });
  });
});

describe("a request", () => {
  function sent() {
    const [path, init] = fetching.mock.calls[0] ?? [];
    return { path, body: init?.body, headers: new Headers(init?.headers) };
  }

  test("carries its idempotency key and exact money", async () => {
    fetching.mockRejectedValue(new TypeError());
    const money = { amount_minor: 19_990n, currency: "RUB" };
    await topUp(money, "key-1").catch(() => undefined);
    expect(sent().path).toBe("/api/v1/account/top-ups");
    expect(sent().headers.get("Idempotency-Key")).toBe("key-1");
    expect(sent().headers.get("Content-Type")).toBe("application/json");
    expect(sent().body).toBe(
      '{"amount":{"amount_minor":19990,"currency":"RUB"}}',
    );
  });

  test("carries a user id with all its digits", async () => {
    fetching.mockRejectedValue(new TypeError());
    await openSession(9_223_372_036_854_775_807n).catch(() => undefined);
    expect(sent().body).toBe('{"user_id":9223372036854775807}');
  });
});
