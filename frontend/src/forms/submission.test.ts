// When a form keeps its idempotency key, and when it takes a new one.
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ApiError, type Failure } from "../api/failure";
import { KeptAttempt } from "./kept-attempt";
import { Submission } from "./submission.svelte";

const network: Failure = {
  kind: "unsure",
  cause: "network",
  retryAfterSeconds: null,
};
const refused: Failure = {
  kind: "refused",
  status: 422,
  code: "amount_too_large",
  detail: "",
};

/** A form on a page of its own: a new one with the same storage is that page after a reload. */
function aForm(...answers: (Failure | "done")[]) {
  const sent: { input: string; key: string }[] = [];
  const done: string[] = [];
  const asker = { is: "the same" };
  const open = () =>
    new Submission(
      (input: string, key: string) => {
        sent.push({ input, key });
        const answer = answers.shift() ?? "done";
        return answer === "done"
          ? Promise.resolve(`did ${input}`)
          : Promise.reject(new ApiError(answer));
      },
      {
        keep: new KeptAttempt<string>("test"),
        onDone: (output) => done.push(output),
        isStillAsker: () => Promise.resolve(asker.is === "the same"),
      },
    );
  return {
    submission: open(),
    reloaded: open,
    sent,
    done,
    asker,
    keys: () => new Set(sent.map((request) => request.key)).size,
  };
}

beforeEach(() => {
  vi.useFakeTimers();
  const kept = new Map<string, string>();
  vi.stubGlobal("sessionStorage", {
    getItem: (name: string) => kept.get(name) ?? null,
    setItem: (name: string, value: string) => kept.set(name, value),
    removeItem: (name: string) => kept.delete(name),
  });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const busy: Failure = {
  kind: "refused",
  status: 503,
  code: "overloaded",
  detail: "",
};
const proxy: Failure = { ...busy, status: 404, code: "unknown" };

describe("a form", () => {
  test("takes a new key after it was done", async () => {
    const form = aForm("done", "done");
    expect(await form.submission.submit("a")).toBe("did a");
    expect(form.submission.done).toBe("did a");
    await form.submission.submit("a");
    expect(form.keys()).toBe(2);
    expect(form.done).toEqual(["did a", "did a"]);
  });

  test("takes a new key after a refusal, and shows why", async () => {
    const form = aForm(refused, "done");
    expect(await form.submission.submit("a")).toBeNull();
    expect(form.submission.phase).toBe("editing");
    expect(form.submission.failure).toEqual(refused);
    await form.submission.submit("b");
    expect(form.keys()).toBe(2);
    expect(form.submission.failure).toBeNull();
  });

  test("sends once when it is submitted twice at the same time", async () => {
    const form = aForm("done");
    const [first, second] = await Promise.all([
      form.submission.submit("a"),
      form.submission.submit("a"),
    ]);
    expect([first, second]).toEqual(["did a", null]);
    expect(form.sent).toHaveLength(1);
  });
});

describe("while the outcome is unknown", () => {
  test("the very same request is repeated under its key, by the person", async () => {
    const form = aForm(network, network, "done");
    await form.submission.submit("a");
    expect(form.submission.phase).toBe("unsure");
    expect(form.submission.pending).toBe("a");
    await form.submission.submit("edited meanwhile");
    expect(await form.submission.submit("a")).toBe("did a");
    expect(form.sent.map((request) => request.input)).toEqual(["a", "a", "a"]);
    expect(form.keys()).toBe(1);
    expect(form.submission.phase).toBe("editing");
  });

  test("it is repeated by itself until there is an answer", async () => {
    const form = aForm(network, network, network, "done");
    await form.submission.submit("a");
    await vi.runAllTimersAsync();
    expect(form.done).toEqual(["did a"]);
    expect(form.sent).toHaveLength(4);
    expect(form.keys()).toBe(1);
  });

  test("a reload repeats it, too", async () => {
    const form = aForm(network, network, "done", "done");
    await form.submission.submit("a");
    form.submission.stop();
    const again = form.reloaded();
    expect(again.pending).toBe("a");
    expect(again.busy).toBe(true);
    await vi.runAllTimersAsync();
    expect(form.done).toEqual(["did a"]);
    expect(form.keys()).toBe(1);

    const later = form.reloaded();
    expect(later.phase).toBe("editing");
    await later.submit("b");
    expect(form.keys()).toBe(2);
  });

  test("a session that ended says nothing about it; the same attempt goes on in the next one", async () => {
    const signedOut: Failure = { ...refused, status: 401 };
    const form = aForm(network, signedOut, "done");
    await form.submission.submit("a");
    await form.submission.checkNow();
    expect(form.submission.phase).toBe("unsure");
    form.submission.stop();
    form.reloaded();
    await vi.runAllTimersAsync();
    expect(form.done).toEqual(["did a"]);
    expect(form.keys()).toBe(1);
  });

  test("a refusal of what was asked is an answer", async () => {
    const form = aForm(network, refused);
    await form.submission.submit("a");
    await form.submission.checkNow();
    expect(form.submission.phase).toBe("editing");
    expect(form.submission.failure).toEqual(refused);
  });

  test("nothing is repeated once the shop has forgotten the key", async () => {
    const form = aForm(network);
    await form.submission.submit("a");
    form.submission.stop();
    vi.setSystemTime(Date.now() + 24 * 3_600_000);
    const late = form.reloaded();
    await vi.runAllTimersAsync();
    expect(form.sent).toHaveLength(1);
    expect(late.lost).toBe(true);
    expect(late.phase).toBe("editing");
  });
});

test("money is kept exactly over a reload", () => {
  const kept = new KeptAttempt<{ amount_minor: bigint }>("money");
  const input = { amount_minor: 9_007_199_254_740_993n };
  kept.write({ input, key: "k", at: 1 });
  expect(kept.read(2)).toEqual({
    kind: "repeatable",
    attempt: { input, key: "k", at: 1 },
  });
});

describe("an attempt whose outcome is unknown", () => {
  test("is not settled by who refuses before looking whether it was made", async () => {
    const form = aForm(network, busy, proxy, "done");
    await form.submission.submit("a");
    for (const answer of [busy, proxy]) {
      await form.submission.checkNow();
      expect(form.submission.phase).toBe("unsure");
      expect(form.submission.failure).toEqual(answer);
    }
    expect(await form.submission.checkNow()).toBe("did a");
    expect(form.sent).toHaveLength(4);
    expect(form.keys()).toBe(1);
  });

  test("is settled by the same refusals where it was never made", async () => {
    const form = aForm(busy, "done");
    await form.submission.submit("a");
    expect(form.submission.phase).toBe("editing");
    await form.submission.submit("a");
    expect(form.keys()).toBe(2);
  });

  test("is repeated by nobody but who made it", async () => {
    const form = aForm(network, "done");
    await form.submission.submit("a");
    form.asker.is = "somebody else";
    expect(await form.submission.checkNow()).toBeNull();
    expect(form.submission.phase).toBe("unsure");
    expect(form.sent).toHaveLength(1);
    form.asker.is = "the same";
    expect(await form.submission.checkNow()).toBe("did a");
    expect(form.keys()).toBe(1);
  });
});
