'use strict';

// What a batch can be given as its processor: a function, the name of a registered one, or a file whose function runs in
// worker threads.

const { HotpathError, invalidArgType } = require('../errors.js');
const { nearest } = require('../nearest.js');
const { FunctionPool, existingFile } = require('../workers/function-pool.js');

/** @typedef {(items: any[], context: any) => any} Processor */

class Processors {
  /** @type {Map<string, Processor>} */
  #registered = new Map();
  #workers;

  /** @param {number} maxWorkers */
  constructor(maxWorkers) {
    this.#workers = new FunctionPool({ maxWorkers });
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
    const file = existingFile(processor);
    if (file === undefined) throw this.#unknown(processor);
    // Chunks have a limit of their own, which ends the signal.
    return (items, { signal, ...context }) =>
      this.#workers.execute({ file }, items, context, { signal, timeout: Number.POSITIVE_INFINITY });
  }

  /** @param {unknown} processor */
  #unknown(processor) {
    if (typeof processor !== 'string' && !(processor instanceof URL)) {
      return invalidArgType('a function, a registered name or a worker file', 'processor', processor);
    }
    const known = nearest(String(processor), this.names());
    const hint = known === undefined ? 'none is registered' : `the nearest registered name is ${JSON.stringify(known)}`;
    return new HotpathError(`No processor and no worker file has this name: ${hint}`, {
      code: 'ERR_HOTPATH_UNKNOWN_PROCESSOR',
    });
  }

  close() {
    return this.#workers.terminate();
  }
}

module.exports = { Processors };
