'use strict';

// Loads of single objects that become batches: those of one tick (or window) and container share a read, the same
// object is read once, and what was read is remembered for a while.
//
// A promise a load and next to nothing else: all loads of a batch wait for one promise, whose reactions run in the order
// in which they were added, so a single function can hand each its own result. Expiry is kept by batch.

const { RecentMap } = require('./recent-map.js');

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
  /** @type {string[]} */
  uuids = [];
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

class ContainerLoads {
  /** @type {RecentMap<Promise<any>>} under way or remembered */
  #promises;
  /** @type {{ expiresAt: number, uuids: string[] }[]} the first to expire first */
  #expiries = [];
  /** Objects in all of these. */
  #expiring = 0;
  /** @type {Batch | undefined} */
  #open;
  #read;
  #options;

  /**
   * @param {(uuids: string[]) => Promise<any[]>} read gives a Failure for what cannot be had, and never rejects
   * @param {LoadOptions} options
   */
  constructor(read, options) {
    this.#read = read;
    this.#options = options;
    this.#promises = new RecentMap(options.maxEntries);
  }

  /** @param {string} uuid */
  load(uuid) {
    // One look at the clock serves all loads of a tick.
    const now = this.#open?.openedAt ?? Date.now();
    if (this.#expiries.length > 0 && this.#expiries[0].expiresAt <= now) this.#expire(now);
    const known = this.#promises.get(uuid);
    if (known !== undefined) return known;
    const batch = this.#open ?? this.#openBatch(now);
    batch.uuids.push(uuid);
    const promise = batch.done.then(batch.take);
    this.#promises.add(uuid, promise);
    if (batch.uuids.length >= this.#options.batchSize) this.#dispatch(batch);
    return promise;
  }

  /** @param {number} now */
  #openBatch(now) {
    const batch = new Batch(now);
    this.#open = batch;
    const dispatch = () => this.#dispatch(batch);
    if (this.#options.windowMs > 0) batch.timer = setTimeout(dispatch, this.#options.windowMs);
    // After the promise jobs that are due now: what they load still belongs to this batch.
    else queueMicrotask(() => process.nextTick(dispatch));
    return batch;
  }

  /** @param {Batch} batch */
  async #dispatch(batch) {
    if (batch !== this.#open) return;
    this.#open = undefined;
    clearTimeout(batch.timer);
    batch.results = await this.#read(batch.uuids);
    this.#settle(batch);
    batch.begin();
  }

  /** Remembers what was found, and forgets the rest. @param {Batch} batch */
  #settle({ uuids, results }) {
    const { ttlMs } = this.#options;
    for (let index = 0; index < uuids.length; index++) {
      const result = results[index];
      // What is missing now may come any moment.
      if (ttlMs === 0 || result === undefined || result === null || result instanceof Failure) {
        this.#promises.delete(uuids[index]);
      }
    }
    if (ttlMs > 0 && ttlMs < Number.POSITIVE_INFINITY) {
      this.#expiries.push({ expiresAt: Date.now() + ttlMs, uuids });
      this.#expiring += uuids.length;
      // Objects that newer ones have pushed out need no expiry, and must not be held by it.
      while (this.#expiring - this.#expiries[0].uuids.length >= this.#options.maxEntries) this.#dropExpiry();
    }
  }

  /** @param {number} now */
  #expire(now) {
    while (this.#expiries.length > 0 && this.#expiries[0].expiresAt <= now) {
      for (const uuid of this.#dropExpiry()) this.#promises.delete(uuid);
    }
  }

  #dropExpiry() {
    const { uuids } = /** @type {{ uuids: string[] }} */ (this.#expiries.shift());
    this.#expiring -= uuids.length;
    return uuids;
  }

  /** @param {string} [uuid] */
  forget(uuid) {
    if (uuid === undefined) this.#promises.clear();
    else this.#promises.delete(uuid);
  }
}

module.exports = { ContainerLoads, Failure };
