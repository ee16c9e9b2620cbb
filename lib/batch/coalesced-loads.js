'use strict';

// Loads of single objects that become batches: those of one tick (or window) and container share a read, the same
// object is read once, and what was read is remembered for a while.
//
// A load allocates the promise that it gives out, and nothing else: all loads of a batch wait for one promise, whose
// reactions run in the order in which they were added, so a single function can hand each its own result. What is
// remembered is the object; its promise is made again by whoever asks for it first.

const { RecentMap, hashOf } = require('./recent-map.js');

/** What a read gives for an object that could not be had. */
class Failure {
  /** @param {unknown} error */
  constructor(error) {
    this.error = error;
  }
}

/**
 * @typedef {object} LoadOptions
 * @property {number} batchSize
 * @property {number} windowMs 0 for the loads of one tick
 * @property {number} ttlMs 0 to remember nothing
 * @property {number} maxEntries
 */

class Batch {
  /** How many loads it has. */
  count = 0;
  /** The number of the first load's entry; those of the others follow it. */
  first = 0;
  /** @type {any[]} */
  results = [];
  /** @type {any} */
  timer;
  /** @type {() => void} */
  begin = () => {};
  done = /** @type {Promise<void>} */ (
    new Promise((resolve) => {
      this.begin = resolve;
    })
  );
  #next = 0;

  /** Hands out the results in the order of the loads. */
  take = () => {
    const result = this.results[this.#next++];
    if (result instanceof Failure) throw result.error;
    return result;
  };

  /** @param {number} openedAt */
  constructor(openedAt) {
    this.openedAt = openedAt;
  }
}

/** The stamp of an entry whose object is being read. Others have the time at which they expire. */
const UNDER_WAY = Number.POSITIVE_INFINITY;
const NEVER = Number.MAX_VALUE;

class ContainerLoads {
  /** Objects, or promises for them: under way or remembered. @type {RecentMap<any>} */
  #entries;
  /** @type {Batch | undefined} */
  #open;
  /** What the open batch is to read, and places of earlier ones: an array that need not grow again. @type {string[]} */
  #gathered = [];
  #awaitsTick = false;
  #read;
  #options;

  /**
   * @param {(uuids: string[]) => Promise<any[]>} read gives a Failure for what cannot be had, and never rejects
   * @param {LoadOptions} options
   */
  constructor(read, options) {
    this.#read = read;
    this.#options = options;
    this.#entries = new RecentMap(options.maxEntries);
  }

  /** @param {string} uuid */
  load(uuid) {
    const entries = this.#entries;
    const hash = hashOf(uuid);
    const place = entries.find(uuid, hash);
    if (place >= 0) {
      const known = this.#known(place);
      if (known !== undefined) return known;
    }
    let batch = this.#open;
    if (batch === undefined) batch = this.#openBatch();
    const promise = batch.done.then(batch.take);
    const number = entries.add(uuid, promise, hash, UNDER_WAY);
    if (batch.count === 0) batch.first = number;
    this.#gathered[batch.count++] = uuid;
    if (batch.count >= this.#options.batchSize) this.#dispatch(batch);
    return promise;
  }

  /** The promise of an entry; undefined, and no entry any more, if it has expired. @param {number} place */
  #known(place) {
    const entries = this.#entries;
    const value = entries.valueAt(place);
    const expiresAt = entries.stampAt(place);
    if (expiresAt !== UNDER_WAY) {
      // One look at the clock serves all loads of a tick.
      if (expiresAt !== NEVER && expiresAt <= (this.#open?.openedAt ?? Date.now())) {
        entries.removeAt(place);
        return undefined;
      }
      if (!(value instanceof Promise)) {
        const promise = Promise.resolve(value);
        entries.replaceAt(place, promise, expiresAt);
        return promise;
      }
    }
    return value;
  }

  #openBatch() {
    const batch = new Batch(Date.now());
    this.#open = batch;
    if (this.#options.windowMs > 0) {
      batch.timer = setTimeout(() => this.#dispatch(batch), this.#options.windowMs);
    } else if (!this.#awaitsTick) {
      this.#awaitsTick = true;
      queueMicrotask(this.#scheduleTick);
    }
    return batch;
  }

  // After the promise jobs that are due now: what they load still belongs to this batch. One tick serves whatever batch
  // is open when it comes: batches that were full before must not pile up behind it.
  #scheduleTick = () => process.nextTick(this.#tick);

  #tick = () => {
    this.#awaitsTick = false;
    if (this.#open !== undefined) this.#dispatch(this.#open);
  };

  /** @param {Batch} batch */
  async #dispatch(batch) {
    if (batch !== this.#open) return;
    this.#open = undefined;
    clearTimeout(batch.timer);
    batch.results = await this.#read(this.#gathered.slice(0, batch.count));
    this.#settle(batch);
    batch.begin();
  }

  /** Remembers what was found, and forgets the rest. @param {Batch} batch */
  #settle({ count, first, results }) {
    const entries = this.#entries;
    const { ttlMs } = this.#options;
    const expiresAt = ttlMs === Number.POSITIVE_INFINITY ? NEVER : Date.now() + ttlMs;
    for (let index = 0; index < count; index++) {
      const place = entries.placeOf(first + index);
      if (place < 0) continue;
      const result = results[index];
      // What is missing now may come any moment.
      const lasts = ttlMs > 0 && result !== undefined && result !== null && !(result instanceof Failure);
      if (lasts) entries.replaceAt(place, result, expiresAt);
      else entries.removeAt(place);
    }
  }

  /** @param {string} [uuid] */
  forget(uuid) {
    if (uuid === undefined) {
      this.#entries.clear();
      return;
    }
    const place = this.#entries.find(uuid, hashOf(uuid));
    if (place >= 0) this.#entries.removeAt(place);
  }
}

module.exports = { ContainerLoads, Failure };
