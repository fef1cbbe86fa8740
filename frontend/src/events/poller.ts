// Asks again and again while the event stream is away: every few seconds, never twice at once.

const EVERY_MS = 3_000;

export class Poller {
  readonly #ask: (isAsked: () => boolean) => Promise<void>;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Counts starts and stops, so that a question of an earlier run is its last. */
  #run = 0;
  #running = false;

  /** `ask` handles its own failures, and learns from what it is given whether its answer is still wanted. */
  constructor(ask: (isAsked: () => boolean) => Promise<void>) {
    this.#ask = ask;
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    void this.#turn(++this.#run);
  }

  stop(): void {
    this.#running = false;
    this.#run += 1;
    clearTimeout(this.#timer);
  }

  async #turn(run: number): Promise<void> {
    const isAsked = () => run === this.#run;
    await this.#ask(isAsked);
    if (!isAsked()) return;
    // A little earlier or later, so that many pages do not ask at once.
    const wait = EVERY_MS * (0.75 + Math.random() / 2);
    this.#timer = setTimeout(() => void this.#turn(run), wait);
  }
}
