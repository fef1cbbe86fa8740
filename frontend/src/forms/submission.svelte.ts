// One form's way to the shop: sending, knowing the answer, or not knowing and asking the very same again until it is known.
import { failureOf, type Failure } from "../api/failure";
import { backoffMs } from "../events/backoff";
import { newIdempotencyKey } from "./idempotency-key";
import type { Attempt, KeptAttempt } from "./kept-attempt";

/** While `unsure` or `checking` the contents are fixed: under one key only the same request may be repeated. */
type Phase = "editing" | "sending" | "unsure" | "checking";

type Send<Input, Output> = (input: Input, key: string) => Promise<Output>;

interface Options<Input, Output> {
  /** Where an attempt outlives the page; without it, it does not. */
  readonly keep?: KeptAttempt<Input>;
  readonly onDone?: (output: Output) => void;
  /** Whether whoever made the attempt is still who asks: only that person's repetition is one. */
  readonly isStillAsker?: () => Promise<boolean>;
}

/** Refusals of who asks and not of what is asked: they say nothing about an attempt made before. */
const ABOUT_THE_ASKER: readonly number[] = [401, 403];

/** Refusals that came before anybody looked whether the attempt was made: by a shop that is too busy, or by a proxy. */
const BEFORE_THE_KEY: readonly string[] = ["overloaded", "unknown"];

/** Nobody could say who asks, or it is somebody else. */
const UNKNOWN_ASKER: Failure = {
  kind: "unsure",
  cause: "network",
  retryAfterSeconds: null,
};

export class Submission<Input, Output> {
  phase: Phase = $state("editing");
  failure: Failure | null = $state.raw(null);
  /** When an unsure attempt is repeated by itself. */
  retryAt: number | null = $state(null);
  /** What the last attempt made, until the next one begins. */
  done: Output | null = $state.raw(null);
  /** An attempt was found that is too old to be repeated. */
  lost = $state(false);

  /** What was sent and is not known to be done. */
  #attempt: Attempt<Input> | null = $state.raw(null);
  /** Of the next attempt: made when the form opens, so that whatever is pressed twice is one request. */
  #key = newIdempotencyKey();
  readonly #send: Send<Input, Output>;
  readonly #options: Options<Input, Output>;
  #failures = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;

  constructor(send: Send<Input, Output>, options: Options<Input, Output> = {}) {
    this.#send = send;
    this.#options = options;
    const kept = options.keep?.read(Date.now()) ?? { kind: "none" };
    if (kept.kind === "repeatable") {
      this.#attempt = kept.attempt;
      this.phase = "unsure";
      void this.checkNow();
    } else if (kept.kind === "lost") {
      this.lost = true;
      options.keep?.clear();
    }
  }

  /** The contents of the attempt under way. */
  get pending(): Input | null {
    return this.#attempt?.input ?? null;
  }

  get busy(): boolean {
    return this.phase === "sending" || this.phase === "checking";
  }

  /** Sends `input`, or repeats an attempt whose outcome is unknown; answers with null while there is no result. */
  async submit(input: Input): Promise<Output | null> {
    if (this.busy) return null;
    if (this.phase === "unsure") return this.checkNow();
    const attempt = { input, key: this.#key, at: Date.now() };
    this.#attempt = attempt;
    this.#options.keep?.write(attempt);
    this.phase = "sending";
    this.failure = null;
    this.done = null;
    this.lost = false;
    return this.#try(attempt, false);
  }

  /** Repeats an attempt whose outcome is unknown, at once. */
  async checkNow(): Promise<Output | null> {
    const attempt = this.#attempt;
    if (this.phase !== "unsure" || attempt === null) return null;
    clearTimeout(this.#timer);
    this.retryAt = null;
    this.phase = "checking";
    const isStillAsker = this.#options.isStillAsker ?? (async () => true);
    if (!(await isStillAsker())) {
      this.#wait(UNKNOWN_ASKER);
      return null;
    }
    return this.#try(attempt, true);
  }

  /** The person changes what was refused, or begins anew: what was said about the last attempt has been read. */
  edited(): void {
    if (this.phase !== "editing") return;
    this.failure = null;
    this.done = null;
    this.lost = false;
  }

  /** Nobody looks any more: an attempt that is kept is repeated when somebody does again. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  async #try(attempt: Attempt<Input>, again: boolean): Promise<Output | null> {
    try {
      const output = await this.#send(attempt.input, attempt.key);
      this.#settle();
      this.done = output;
      this.#options.onDone?.(output);
      return output;
    } catch (error) {
      const failure = failureOf(error);
      const saysNothing =
        failure.kind === "refused" &&
        (ABOUT_THE_ASKER.includes(failure.status) ||
          BEFORE_THE_KEY.includes(failure.code));
      const definitive = failure.kind === "refused" && !(again && saysNothing);
      if (definitive) this.#settle();
      else this.#wait(failure);
      this.failure = failure;
      return null;
    }
  }

  /** It is known what became of the attempt: the next one is another request. */
  #settle(): void {
    this.#options.keep?.clear();
    this.#attempt = null;
    this.#key = newIdempotencyKey();
    this.#failures = 0;
    this.phase = "editing";
    this.failure = null;
  }

  #wait(failure: Failure): void {
    this.phase = "unsure";
    if (this.#stopped) return;
    this.#failures += 1;
    const asked =
      failure.kind === "unsure" ? (failure.retryAfterSeconds ?? 0) : 0;
    const wait = asked * 1000 + backoffMs(this.#failures, Math.random());
    this.retryAt = Date.now() + wait;
    this.#timer = setTimeout(() => void this.checkNow(), wait);
  }
}
