'use strict';

// One bound of bytes for several memory caches: a handle on a native budget, which divides it among them.

const native = require('../native.js');
const { DISPOSE, addAliases } = require('../aliases.js');
const { HotpathClosedError } = require('../errors.js');
const { translated } = require('../native-errors.js');
const check = require('../validate.js');
const { wellFormed } = require('./memory-arguments.js');
const { LIMITS, byteLimit } = require('./memory-limits.js');

/** The number of no handle. */
const NO_HANDLE = 0xffff_ffff;

/** Ends the native handles of budgets that were dropped without being closed. */
const collected = new FinalizationRegistry((/** @type {number} */ handle) => native.collectMemoryBudget(handle));

/** The native number of a budget, for a cache that joins it. @type {(budget: MemoryBudget) => number} */
let handleOf;

class MemoryBudget {
  #handle;
  /** @type {string | undefined} */
  #name;

  /** @param {unknown} [options] */
  constructor(options) {
    const given = check.options(options, 'options', ['name', ...LIMITS]);
    const maxBytes = byteLimit(given, 'options');
    if (given.name !== undefined) this.#name = check.nonEmptyString(given.name, 'options.name');
    const name = this.#name === undefined ? undefined : wellFormed(this.#name);
    const handle = translated(() => native.openMemoryBudget(name, maxBytes));
    this.#handle = handle;
    collected.register(this, handle, this);
  }

  static {
    handleOf = (budget) => budget.#open();
  }

  get name() {
    return this.#name;
  }

  get closed() {
    return this.#handle === NO_HANDLE;
  }

  get stats() {
    const { maxBytes, moves, caches } = native.memoryBudgetStats(this.#open());
    return {
      maxBytes,
      bytes: caches.reduce((/** @type {number} */ sum, /** @type {any} */ cache) => sum + cache.bytes, 0),
      moves,
      caches: caches.map((/** @type {any} */ { name, ...cache }) => ({ name: name ?? null, ...cache })),
    };
  }

  /** @param {unknown} limit */
  resize(limit) {
    const handle = this.#open();
    const maxBytes = byteLimit(check.options(limit, 'limit', LIMITS), 'limit');
    if (maxBytes !== undefined) native.memoryBudgetResize(handle, maxBytes);
  }

  close() {
    if (this.closed) return;
    const handle = this.#handle;
    this.#handle = NO_HANDLE;
    collected.unregister(this);
    native.closeMemoryBudget(handle);
  }

  /** The handle, if it is open. */
  #open() {
    if (this.#handle === NO_HANDLE) throw new HotpathClosedError('The budget is closed');
    return this.#handle;
  }
}

addAliases(MemoryBudget, { [DISPOSE]: 'close' });

module.exports = { MemoryBudget, handleOf: (/** @type {MemoryBudget} */ budget) => handleOf(budget) };
