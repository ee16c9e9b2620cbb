'use strict';

/** Places for chunks at work: who comes first is served first, whatever batch it belongs to. */
class Slots {
  #free;
  /** @type {Set<() => void>} */
  #waiting = new Set();

  /** @param {number} count */
  constructor(count) {
    this.#free = count;
  }

  /**
   * Waits for a place.
   * @param {AbortSignal} signal gives up
   * @returns {Promise<(() => void) | undefined>} gives the place back; undefined after giving up
   */
  take(signal) {
    if (signal.aborted) return Promise.resolve(undefined);
    const release = () => this.#release();
    if (this.#free > 0) {
      this.#free--;
      return Promise.resolve(release);
    }
    return new Promise((resolve) => {
      const giveUp = () => {
        this.#waiting.delete(enter);
        resolve(undefined);
      };
      const enter = () => {
        signal.removeEventListener('abort', giveUp);
        resolve(release);
      };
      signal.addEventListener('abort', giveUp, { once: true });
      this.#waiting.add(enter);
    });
  }

  #release() {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#free++;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}

module.exports = { Slots };
