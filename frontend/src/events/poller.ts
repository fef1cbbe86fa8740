// Asks again and again while the event stream is away: every few seconds, never twice at once.

const EVERY_MS = 3_000;

export class Poller {
  readonly #ask: () => Promise<void>;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running = false;

  /** `ask` handles its own failures. */
  constructor(ask: () => Promise<void>) {
    this.#ask = ask;
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    void this.#turn();
  }

  stop(): void {
    this.#running = false;
    clearTimeout(this.#timer);
  }

  async #turn(): Promise<void> {
    await this.#ask();
    if (!this.#running) return;
    // A little earlier or later, so that many pages do not ask at once.
    const wait = EVERY_MS * (0.75 + Math.random() / 2);
    this.#timer = setTimeout(() => void this.#turn(), wait);
  }
}
