'use strict';

// Misses under way: who asks for the same thing meanwhile waits for the first.

/**
 * What waiting ends with: an answer, and for which requests it is; `'again'` when the first has gone without one; or
 * `'alone'` when its answer is for it only.
 * @typedef {{ answer: import('./stored-response.js').StoredResponse, vary: readonly string[], headers: Record<string, any> } | 'again' | 'alone'} Outcome
 */

/** How long it is remembered that answers under a key are for one request each, so that nobody waits in vain. */
const ALONE_MS = 10_000;

/** Keys remembered so at most, and how long they may be: clients choose both. */
const ALONE_KEYS = 10_000;
const ALONE_KEY_CHARACTERS = 1_024;

class Flight {
  /** @type {((outcome: Outcome) => void)[]} */
  #waiting = [];
  #ended = false;
  /** @type {NodeJS.Timeout | undefined} */
  #timer;
  /** What was invalidated since it began. */
  overtaken = false;
  /** @type {Set<string>} */
  overtakenTags = new Set();

  /** @param {string} key @param {string} url @param {(flight: Flight) => void} left */
  constructor(key, url, left) {
    this.key = key;
    this.url = url;
    this.#left = left;
  }
  #left;

  /** @param {(outcome: Outcome) => void} listener @param {number} timeoutMs */
  wait(listener, timeoutMs) {
    this.#waiting.push(listener);
    this.#timer ??= setTimeout(() => this.end('alone'), timeoutMs).unref();
  }

  /** @param {Outcome} outcome */
  end(outcome) {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#left(this);
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const listener of waiting) listener(outcome);
  }

  /** Whether an answer with these tags is out of date before it is stored. @param {readonly string[]} tags */
  isOutdated(tags) {
    return this.overtaken || tags.some((tag) => this.overtakenTags.has(tag));
  }
}

class Flights {
  /** Those that may be joined, by key. @type {Map<string, Flight>} */
  #open = new Map();
  /** All that may still store something. @type {Set<Flight>} */
  #all = new Set();
  /** @type {Map<string, number>} */
  #alone = new Map();

  /** @param {string} key */
  get(key) {
    return this.#open.get(key);
  }

  /** @param {string} key @param {string} url @param {boolean} isOpen whether others may join */
  begin(key, url, isOpen) {
    const flight = new Flight(key, url, (ended) => this.#leave(ended));
    this.#all.add(flight);
    if (isOpen && !this.#open.has(key)) this.#open.set(key, flight);
    return flight;
  }

  /** @param {Flight} flight */
  #leave(flight) {
    if (this.#open.get(flight.key) === flight) this.#open.delete(flight.key);
  }

  /** Nothing of it will be stored any more. @param {Flight} flight */
  forget(flight) {
    this.#all.delete(flight);
    this.#leave(flight);
  }

  /** Remembers that nobody needs to wait for others here. @param {string} key */
  markAlone(key) {
    if (key.length > ALONE_KEY_CHARACTERS) return;
    if (this.#alone.size >= ALONE_KEYS) this.#alone.clear();
    this.#alone.set(key, Date.now() + ALONE_MS);
  }

  /** @param {string} key */
  isAlone(key) {
    const until = this.#alone.get(key);
    if (until === undefined) return false;
    if (Date.now() < until) return true;
    this.#alone.delete(key);
    return false;
  }

  /** @param {string} key */
  unmarkAlone(key) {
    if (this.#alone.size > 0) this.#alone.delete(key);
  }

  /**
   * Something was invalidated. Whoever asks from now on must not get what was begun before.
   * @param {(flight: Flight) => boolean} concerns
   * @param {readonly string[]} [tags] instead: whether it concerns a flight is known only when its answer is
   */
  overtake(concerns, tags) {
    for (const flight of this.#all) {
      if (tags !== undefined) for (const tag of tags) flight.overtakenTags.add(tag);
      else if (concerns(flight)) flight.overtaken = true;
      else continue;
      this.#leave(flight);
    }
  }
}

module.exports = { Flights };
