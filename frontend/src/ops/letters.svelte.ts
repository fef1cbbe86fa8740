// The dead letters of one service and reason, page by page, and which of them are chosen.
import { failureOf, type Failure } from "../api/failure";
import {
  listLetters,
  type Letter,
  type LetterCount,
  type Service,
} from "./api";

/** Letters asked for at once. */
const PAGE = 50n;

export interface Group {
  readonly service: Service;
  readonly reason: string;
}

export interface CountedGroup extends Group {
  readonly count: LetterCount;
}

export function isSame(one: Group | null, other: Group | null): boolean {
  return one?.service === other?.service && one?.reason === other?.reason;
}

export class LetterList {
  group: Group | null = $state.raw(null);
  letters: readonly Letter[] = $state.raw([]);
  chosen: ReadonlySet<number> = $state.raw(new Set());
  next: number | null = $state.raw(null);
  failure: Failure | null = $state.raw(null);
  loading = $state(false);

  /** Shows another group from its newest letters on. */
  async show(group: Group | null): Promise<void> {
    this.group = group;
    this.letters = [];
    this.chosen = new Set();
    this.next = null;
    if (group) await this.#load(null);
  }

  /** Reads the first page anew; what is chosen stays chosen as long as it is there. */
  async again(): Promise<void> {
    if (this.group) await this.#load(null);
  }

  async more(): Promise<void> {
    if (this.next !== null) await this.#load(this.next);
  }

  choose(id: number, isChosen: boolean): void {
    const chosen = new Set(this.chosen);
    if (isChosen) chosen.add(id);
    else chosen.delete(id);
    this.chosen = chosen;
  }

  chooseAll(isChosen: boolean): void {
    this.chosen = new Set(isChosen ? this.letters.map(({ id }) => id) : []);
  }

  async #load(cursor: number | null): Promise<void> {
    const group = this.group;
    if (!group) return;
    this.loading = true;
    try {
      const page = await listLetters(group.service, {
        reason: group.reason,
        limit: PAGE,
        ...(cursor === null ? {} : { cursor: BigInt(cursor) }),
      });
      // Another group was chosen meanwhile.
      if (!isSame(group, this.group)) return;
      this.letters =
        cursor === null ? page.items : [...this.letters, ...page.items];
      this.next = page.next_cursor;
      const there = new Set(this.letters.map(({ id }) => id));
      this.chosen = new Set([...this.chosen].filter((id) => there.has(id)));
      this.failure = null;
    } catch (error) {
      this.failure = failureOf(error);
    } finally {
      this.loading = false;
    }
  }
}
