'use strict';

// Single additions and reads that are gathered until there are enough of them, or until the first has waited long
// enough. Each caller gets its own part of the outcome.

const { batchError } = require('./batch-error.js');

/**
 * @typedef {object} Caller
 * @property {(result: any) => void} resolve
 * @property {(error: unknown) => void} reject
 * @property {number} count
 */

/**
 * What became of the items of a batch: a result each, or the error of those that failed.
 * @typedef {{ results: any[], errors: Map<number, unknown> }} Outcome
 */

class SmartBatches {
  /** @type {Map<string, { items: any[], callers: Caller[], timer: NodeJS.Timeout, execute: (items: any[]) => Promise<Outcome> }>} */
  #pending = new Map();
  /** @type {Set<Promise<void>>} */
  #running = new Set();
  #batchSize;
  #batchTimeout;

  /** @param {{ batchSize: number, batchTimeout: number }} options */
  constructor({ batchSize, batchTimeout }) {
    this.#batchSize = batchSize;
    this.#batchTimeout = batchTimeout;
  }

  /**
   * @param {string} key what may go together
   * @param {any[]} items
   * @param {(items: any[]) => Promise<Outcome>} execute
   * @returns {Promise<any>}
   */
  add(key, items, execute) {
    if (items.length === 0) return Promise.resolve([]);
    let batch = this.#pending.get(key);
    if (batch === undefined) {
      // The deadline is that of the first: those who come later do not move it.
      const timer = setTimeout(() => this.#flush(key), this.#batchTimeout);
      batch = { items: [], callers: [], timer, execute };
      this.#pending.set(key, batch);
    }
    const { items: gathered, callers } = batch;
    return new Promise((resolve, reject) => {
      for (const item of items) gathered.push(item);
      callers.push({ resolve, reject, count: items.length });
      if (gathered.length >= this.#batchSize) this.#flush(key);
    });
  }

  /** @param {string} key */
  #flush(key) {
    const batch = this.#pending.get(key);
    if (batch === undefined) return;
    this.#pending.delete(key);
    clearTimeout(batch.timer);
    const run = batch.execute(batch.items).then(
      (outcome) => deal(batch.callers, outcome),
      (error) => batch.callers.forEach(({ reject }) => reject(error)),
    );
    this.#running.add(run);
    run.finally(() => this.#running.delete(run));
  }

  /** Runs what waits now, and resolves when nothing is under way any more. */
  async drain() {
    for (const key of [...this.#pending.keys()]) this.#flush(key);
    await Promise.all(this.#running);
  }
}

/** @param {Caller[]} callers @param {Outcome} outcome */
function deal(callers, { results, errors }) {
  let from = 0;
  for (const { resolve, reject, count } of callers) {
    const own = results.slice(from, from + count);
    const failed = own.flatMap((_, index) =>
      errors.has(from + index) ? [{ index, error: errors.get(from + index) }] : [],
    );
    if (failed.length === 0) resolve(count === 1 ? own[0] : own);
    else reject(count === 1 ? failed[0].error : batchError(own, failed));
    from += count;
  }
}

module.exports = { SmartBatches };
