'use strict';

// Which key is likely to be asked for after another one: a first-order Markov chain over the keys seen lately, bounded
// in both directions. (Vitter and Krishnan, "Optimal prefetching via data compression", 1996, shows how far this goes.)

const MAX_KEYS = 10_000;
/** Successors that are remembered of a key: more of them would mean that there is no pattern. */
const MAX_SUCCESSORS = 4;
/** A successor counts as likely from this share of the times that its predecessor was followed by anything. */
const LIKELY = 0.5;
const SEEN_ENOUGH = 3;

class Successors {
  /** In the order of their last use. @type {Map<string, { total: number, counts: Map<string, number> }>} */
  #followed = new Map();
  /** @type {string | undefined} */
  #last;
  /** Keys that were foretold and not asked for yet. @type {Set<string>} */
  #foretold = new Set();
  predictions = 0;
  correct = 0;

  /**
   * Notes an access, and says what is likely to come next.
   * @param {string} key
   * @returns {string | undefined}
   */
  next(key) {
    if (this.#foretold.delete(key)) this.correct++;
    if (this.#last !== undefined && this.#last !== key) this.#count(this.#last, key);
    this.#last = key;
    const likely = this.#likely(key);
    if (likely === undefined || this.#foretold.has(likely)) return undefined;
    this.predictions++;
    this.#foretold.add(likely);
    if (this.#foretold.size > MAX_KEYS) this.#foretold.delete(first(this.#foretold));
    return likely;
  }

  /** @param {string} key @param {string} follower */
  #count(key, follower) {
    const known = this.#followed.get(key) ?? { total: 0, counts: new Map() };
    this.#followed.delete(key);
    this.#followed.set(key, known);
    if (this.#followed.size > MAX_KEYS) this.#followed.delete(first(this.#followed.keys()));
    known.total++;
    known.counts.set(follower, (known.counts.get(follower) ?? 0) + 1);
    if (known.counts.size > MAX_SUCCESSORS) forgetRarest(known.counts);
  }

  /** @param {string} key */
  #likely(key) {
    const known = this.#followed.get(key);
    if (known === undefined) return undefined;
    for (const [follower, count] of known.counts) {
      if (count >= SEEN_ENOUGH && count >= known.total * LIKELY) return follower;
    }
    return undefined;
  }

  clear() {
    this.#followed.clear();
    this.#foretold.clear();
    this.#last = undefined;
  }
}

/** @param {Iterable<string>} keys @returns {string} */
function first(keys) {
  const [key] = keys;
  return key;
}

/** @param {Map<string, number>} counts */
function forgetRarest(counts) {
  const [rarest] = [...counts].reduce((a, b) => (b[1] < a[1] ? b : a));
  counts.delete(rarest);
}

module.exports = { Successors };
