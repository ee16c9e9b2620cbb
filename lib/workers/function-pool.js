'use strict';

// Functions of files, and functions sent as their own source text, on a worker pool that is made when the first of them
// is called. For engines that let their users name such functions.

const fs = require('node:fs');
const path = require('node:path');
const { fileURLToPath } = require('node:url');
const vm = require('node:vm');
const { invalidArgType } = require('../errors.js');

const WORKER = path.join(__dirname, 'function-worker.js');

/** Where a function is: one of the two is there. @typedef {{ file?: string, source?: string }} Place */

class FunctionPool {
  #options;
  /** @type {import('./worker-pool.js').WorkerPool | undefined} */
  #pool;

  /** @param {Record<string, unknown>} options of the worker pool */
  constructor(options) {
    this.#options = options;
  }

  /**
   * @param {Place} place
   * @param {unknown} data
   * @param {Record<string, unknown>} context what the function finds in its second argument, with the signal
   * @param {Record<string, unknown>} options of the task
   * @returns {Promise<any>}
   */
  execute(place, data, context, options) {
    if (this.#pool === undefined) {
      // Loaded by those only who need threads.
      const { WorkerPool } = require('./worker-pool.js');
      this.#pool = new WorkerPool(WORKER, { minWorkers: 0, ...this.#options });
    }
    return this.#pool.execute({ ...place, data, context }, { retries: 0, ...options });
  }

  /** The pool's figures, if there is one. */
  get stats() {
    return this.#pool?.stats;
  }

  /** Ends the threads, and what they still do. */
  async terminate() {
    await this.#pool?.terminate();
  }
}

/** The path of an existing file. @param {unknown} value a path or a file URL @returns {string | undefined} */
function existingFile(value) {
  let file;
  if (value instanceof URL || (typeof value === 'string' && value.startsWith('file:'))) file = fileURLToPath(value);
  else if (typeof value === 'string' && value !== '') file = path.resolve(value);
  return file !== undefined && fs.statSync(file, { throwIfNoEntry: false })?.isFile() ? file : undefined;
}

/**
 * The source text of a function, as an expression.
 * @param {Function} call
 * @param {string} at its name in messages
 */
function sourceOf(call, at) {
  const text = Function.prototype.toString.call(call);
  // Methods are functions only inside an object.
  for (const source of [`(${text}\n)`, `Object.values({${text}\n})[0]`]) {
    if (isExpression(source) && !/^class\b/.test(text)) return source;
  }
  throw invalidArgType('a function with source text of its own, neither native, bound nor a class,', at, call);
}

/** @param {string} source */
function isExpression(source) {
  try {
    new vm.Script(source);
    return true;
  } catch {
    return false;
  }
}

module.exports = { FunctionPool, existingFile, sourceOf };
