// One form's way to the shop: sending, knowing the answer, or not knowing and trying the very same again.
import { failureOf, type Failure } from "../api/failure";
import { newIdempotencyKey } from "./idempotency-key";

type Phase = "editing" | "sending" | "unsure";

/** What was sent, and under which key, for as long as nobody knows whether it was done. */
interface Attempt<Input> {
  readonly input: Input;
  readonly key: string;
}

type Send<Input, Output> = (input: Input, key: string) => Promise<Output>;

export class Submission<Input, Output> {
  /** While `unsure`, the contents are fixed: under one key only the same request may be repeated. */
  phase: Phase = $state("editing");
  failure: Failure | null = $state(null);

  readonly #send: Send<Input, Output>;
  #attempt: Attempt<Input> | null = null;

  constructor(send: Send<Input, Output>) {
    this.#send = send;
  }

  /** Sends `input`, or repeats an attempt whose outcome is unknown; answers with null on failure. */
  async submit(input: Input): Promise<Output | null> {
    if (this.phase === "sending") return null;
    const attempt = this.#attempt ?? { input, key: newIdempotencyKey() };
    this.#attempt = attempt;
    this.phase = "sending";
    this.failure = null;
    try {
      const output = await this.#send(attempt.input, attempt.key);
      this.startOver();
      return output;
    } catch (error) {
      const failure = failureOf(error);
      if (failure.kind === "refused") this.startOver();
      else this.phase = "unsure";
      this.failure = failure;
      return null;
    }
  }

  /** The person changes what was refused: the refusal has been read. */
  forgetFailure(): void {
    if (this.phase === "editing") this.failure = null;
  }

  /** Lets the attempt go: what is sent next is a new request. */
  startOver(): void {
    this.#attempt = null;
    this.phase = "editing";
    this.failure = null;
  }
}
