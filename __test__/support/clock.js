'use strict';

// A clock that goes on only when a test says so.

class FakeClock {
  #now = 1_700_000_000_000;
  #timers = new Map();
  #last = 0;

  constructor() {
    for (const name of ['now', 'setTimeout', 'clearTimeout', 'setInterval', 'clearInterval']) {
      this[name] = this[name].bind(this);
    }
  }

  now() {
    return this.#now;
  }

  setTimeout(run, ms) {
    return this.#add(run, ms, undefined);
  }

  setInterval(run, ms) {
    return this.#add(run, ms, ms);
  }

  clearTimeout(timer) {
    this.#timers.delete(timer);
  }

  clearInterval(timer) {
    this.#timers.delete(timer);
  }

  get pending() {
    return this.#timers.size;
  }

  #add(run, ms, every) {
    this.#last += 1;
    this.#timers.set(this.#last, { run, due: this.#now + ms, every });
    return this.#last;
  }

  /** Lets time pass; what is due runs in its order, and what it awaits has its turn. */
  async advance(ms, between = () => {}) {
    const end = this.#now + ms;
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      const [next] = [...this.#timers].sort(([a, left], [b, right]) => left.due - right.due || a - b);
      if (next === undefined || next[1].due > end) break;
      const [id, timer] = next;
      this.#now = timer.due;
      if (timer.every === undefined) this.#timers.delete(id);
      else timer.due += timer.every;
      await between();
      timer.run();
    }
    this.#now = end;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

module.exports = { FakeClock };
