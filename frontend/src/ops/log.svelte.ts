// The operators' log of both services as one, the newest first, page by page.
import { failureOf, type Failure } from "../api/failure";
import { listOperations, SERVICES, type LogEntry, type Service } from "./api";

export interface Line extends LogEntry {
  readonly service: Service;
}

/** What was read of one service's log. */
interface Read {
  readonly lines: readonly Line[];
  /** Where its next page begins; null if there is none. */
  readonly next: number | null;
}

export class OperationLog {
  #read: Readonly<Partial<Record<Service, Read>>> = $state.raw({});
  failure: Failure | null = $state.raw(null);
  loading = $state(false);

  /** Null before it was read. */
  readonly lines = $derived(
    this.#reads.length === 0 ? null : inOrder(this.#reads),
  );

  get hasMore(): boolean {
    return this.#reads.some(({ next }) => next !== null);
  }

  /** Reads the first pages, or the next ones of those that have more. */
  async more(): Promise<void> {
    if (this.loading) return;
    this.loading = true;
    this.failure = null;
    try {
      const pages = await Promise.all(SERVICES.map((it) => this.#next(it)));
      this.#read = Object.fromEntries(
        SERVICES.map((service, index) => [service, pages[index]]),
      );
    } catch (error) {
      this.failure = failureOf(error);
    } finally {
      this.loading = false;
    }
  }

  get #reads(): readonly Read[] {
    return Object.values(this.#read);
  }

  async #next(service: Service): Promise<Read> {
    const before = this.#read[service] ?? null;
    if (before?.next === null) return before;
    const page = await listOperations(
      service,
      before ? { cursor: BigInt(before.next) } : {},
    );
    const lines = page.items.map((item): Line => ({ ...item, service }));
    return {
      lines: [...(before?.lines ?? []), ...lines],
      next: page.next_cursor,
    };
  }
}

/** As far back as all of them were read: what is older may have something unread before it. */
export function inOrder(reads: readonly Read[]): readonly Line[] {
  const ends = reads
    .filter(({ next }) => next !== null)
    .map(({ lines }) => lines.at(-1)?.at ?? "");
  const end = ends.reduce((one, other) => (one > other ? one : other), "");
  return reads
    .flatMap(({ lines }) => lines)
    .filter(({ at }) => at >= end)
    .sort((one, other) => (one.at < other.at ? 1 : -1));
}
