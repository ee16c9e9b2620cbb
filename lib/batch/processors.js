'use strict';

// What a batch can be given as its processor: a function, the name of a registered one, or a file whose function runs in
// worker threads.

const fs = require('node:fs');
const path = require('node:path');
const { fileURLToPath } = require('node:url');
const { HotpathError, invalidArgType } = require('../errors.js');
const { nearest } = require('../nearest.js');

const WORKER = path.join(__dirname, 'processor-worker.js');

/** @typedef {(items: any[], context: any) => any} Processor */

class Processors {
  /** @type {Map<string, Processor>} */
  #registered = new Map();
  #maxWorkers;
  /** @type {any} */
  #pool;

  /** @param {number} maxWorkers */
  constructor(maxWorkers) {
    this.#maxWorkers = maxWorkers;
  }

  names() {
    return [...this.#registered.keys()];
  }

  /** @param {string} name @param {unknown} processor a function or a worker file */
  register(name, processor) {
    this.#registered.set(
      name,
      typeof processor === 'function' ? /** @type {Processor} */ (processor) : this.#inWorkers(processor),
    );
  }

  /** @param {unknown} processor @returns {Processor} */
  resolve(processor) {
    if (typeof processor === 'function') return /** @type {Processor} */ (processor);
    const registered = typeof processor === 'string' ? this.#registered.get(processor) : undefined;
    return registered ?? this.#inWorkers(processor);
  }

  /** @param {unknown} processor @returns {Processor} */
  #inWorkers(processor) {
    const file = fileOf(processor);
    if (file === undefined || !fs.existsSync(file)) throw this.#unknown(processor);
    return (items, { signal, ...context }) =>
      this.#workers().execute({ file, items, context }, { retries: 0, timeout: LONGEST_MS, signal });
  }

  #workers() {
    if (this.#pool === undefined) {
      // Loaded by those only who have worker files.
      const { WorkerPool } = /** @type {any} */ (require)('../workers/index.js');
      this.#pool = new WorkerPool(WORKER, { minWorkers: 0, maxWorkers: this.#maxWorkers });
    }
    return this.#pool;
  }

  /** @param {unknown} processor */
  #unknown(processor) {
    if (typeof processor !== 'string') {
      return invalidArgType('a function, a registered name or a worker file', 'processor', processor);
    }
    const known = nearest(processor, this.names());
    const hint = known === undefined ? 'none is registered' : `the nearest registered name is ${JSON.stringify(known)}`;
    return new HotpathError(`No processor and no worker file has this name: ${hint}`, {
      code: 'ERR_HOTPATH_UNKNOWN_PROCESSOR',
    });
  }

  async close() {
    await this.#pool?.terminate();
  }
}

/** Chunks have a limit of their own. */
const LONGEST_MS = 2 ** 31 - 1;

/** @param {unknown} processor */
function fileOf(processor) {
  if (processor instanceof URL) return fileURLToPath(processor);
  return typeof processor === 'string' && processor !== '' ? path.resolve(processor) : undefined;
}

module.exports = { Processors };
