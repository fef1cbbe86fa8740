// What a screen reader should say next: changes that happen away from where the person is working.

interface Announcement {
  readonly id: number;
  readonly text: string;
}

class Announcer {
  /** The id makes the same words twice two announcements. */
  current: Announcement = $state.raw({ id: 0, text: "" });

  say(text: string): void {
    this.current = { id: this.current.id + 1, text };
  }
}

export const announcer = new Announcer();
