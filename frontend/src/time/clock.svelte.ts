// The present, as far as what is shown depends on it: one clock for the whole page, a step a second.

class Clock {
  now: Date = $state.raw(new Date());

  constructor() {
    setInterval(() => {
      // Nobody looks: the next step after somebody does is soon enough.
      if (!document.hidden) this.now = new Date();
    }, 1000);
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.now = new Date();
    });
  }
}

export const clock = new Clock();
