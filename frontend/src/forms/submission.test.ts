// When a form keeps its idempotency key, and when it takes a new one.
import { describe, expect, test } from "vitest";
import { ApiError, type Failure } from "../api/failure";
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

/** A shop that answers as told, one answer per request, and remembers what it was sent. */
function aForm(...answers: (Failure | "done")[]) {
  const sent: { input: string; key: string }[] = [];
  const submission = new Submission((input: string, key: string) => {
    sent.push({ input, key });
    const answer = answers.shift() ?? "done";
    return answer === "done"
      ? Promise.resolve(`did ${input}`)
      : Promise.reject(new ApiError(answer));
  });
  return { submission, sent, key: (n: number) => sent[n]?.key };
}

describe("a form", () => {
  test("takes a new key after it was done", async () => {
    const form = aForm("done", "done");
    expect(await form.submission.submit("a")).toBe("did a");
    await form.submission.submit("a");
    expect(form.key(0)).not.toBe(form.key(1));
  });

  test("takes a new key after a refusal, and shows why", async () => {
    const form = aForm(refused, "done");
    expect(await form.submission.submit("a")).toBeNull();
    expect(form.submission.phase).toBe("editing");
    expect(form.submission.failure).toEqual(refused);
    await form.submission.submit("b");
    expect(form.key(0)).not.toBe(form.key(1));
    expect(form.submission.failure).toBeNull();
  });

  test("repeats the very same request under its key while the outcome is unknown", async () => {
    const form = aForm(network, network, "done");
    await form.submission.submit("a");
    expect(form.submission.phase).toBe("unsure");
    await form.submission.submit("edited meanwhile");
    expect(await form.submission.submit("a")).toBe("did a");
    expect(form.sent.map((request) => request.input)).toEqual(["a", "a", "a"]);
    expect(new Set(form.sent.map((request) => request.key)).size).toBe(1);
    expect(form.submission.phase).toBe("editing");
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
