'use strict';

// Tasks that take long, off this thread: numbers on native threads.

const native = require('../native.js');
const { pending } = require('../environment.js');
const { HotpathClosedError, invalidArgType } = require('../errors.js');
const { translated } = require('../native-errors.js');
const { watchService } = require('../services.js');
const check = require('../validate.js');
const { lend, takeBack } = require('./lending.js');
const { NATIVE_TASKS } = require('./native-tasks.js');
const { describeCounts, plainCounts, readCounts } = require('./stats.js');

const OPTIONS = ['maxWorkers', 'taskTimeout', 'workerTimeout'];
const TASK_OPTIONS = ['priority', 'timeout', 'signal', 'transfer'];

/** All tasks that can be asked for by name. */
const TYPES = Object.freeze(Object.keys(NATIVE_TASKS));

/** What a task that was cancelled through its signal fails with, natively. */
const CANCELLED = 'ERR_HOTPATH_CANCELLED';

/** Ends the native engines of those that were dropped without being closed. */
const collected = new FinalizationRegistry((/** @type {number} */ handle) => native.collectCompute(handle));

class ParallelProcessingEngine {
  #handle;
  #maxWorkers;
  #taskTimeout;
  /** Tasks under way. While there are any, this object is held: they use its native engine. @type {Set<Promise<any>>} */
  #underWay = new Set();
  #closed = false;
  #unwatch;

  /** @param {unknown} [options] */
  constructor(options) {
    const given = check.options(options, 'options', OPTIONS);
    this.#maxWorkers = check.positiveInteger(given.maxWorkers ?? 4, 'options.maxWorkers');
    this.#taskTimeout = check.positiveNumber(given.taskTimeout ?? 300_000, 'options.taskTimeout');
    check.positiveNumber(given.workerTimeout ?? 600_000, 'options.workerTimeout');
    this.#handle = translated(() => native.openCompute(this.#maxWorkers));
    collected.register(this, this.#handle, this);
    this.#unwatch = watchService(
      'compute',
      undefined,
      this,
      (/** @type {ParallelProcessingEngine} */ engine) => engine.stats,
    );
  }

  get closed() {
    return this.#closed;
  }

  get tasks() {
    return TYPES;
  }

  /**
   * @param {string} type
   * @param {unknown} data
   * @param {unknown} [options]
   */
  async executeTask(type, data, options) {
    if (this.#closed) throw new HotpathClosedError('The parallel processing engine is closed');
    check.oneOf(type, 'type', TYPES);
    const given = check.options(options, 'options', TASK_OPTIONS);
    const task = {
      priority: check.integer(given.priority ?? 0, 'options.priority'),
      timeout: check.positiveNumber(given.timeout ?? this.#taskTimeout, 'options.timeout'),
      signal: given.signal === undefined ? undefined : abortSignal(given.signal),
    };
    const transfer = check.boolean(given.transfer ?? false, 'options.transfer');
    task.signal?.throwIfAborted();
    const running = this.#runNatively(NATIVE_TASKS[type](data, transfer), task);
    this.#underWay.add(running);
    try {
      return await running;
    } finally {
      this.#underWay.delete(running);
    }
  }

  /**
   * @param {import('./native-tasks.js').Prepared} prepared
   * @param {{ priority: number, timeout: number, signal: AbortSignal | undefined }} task
   */
  async #runNatively({ start, memory, decode }, { priority, timeout, signal }) {
    let operation = 0;
    const answer = pending((number) => {
      operation = number;
      lend(operation, memory);
      start(this.#handle, operation, priority, timeout);
    });
    const cancel = () => native.cancelComputeTask(this.#handle, operation);
    signal?.addEventListener('abort', cancel, { once: true });
    try {
      return await decode(await answer);
    } catch (error) {
      throw signal?.aborted && /** @type {any} */ (error)?.code === CANCELLED ? signal.reason : error;
    } finally {
      signal?.removeEventListener('abort', cancel);
      takeBack(operation);
    }
  }

  getStats() {
    return describeCounts(this.#counts());
  }

  get stats() {
    return plainCounts(this.#counts());
  }

  #counts() {
    return readCounts(
      this.#maxWorkers,
      translated(() => native.computeCounts(this.#handle)),
    );
  }

  async close() {
    this.#closed = true;
    this.#unwatch();
    translated(() => native.closeCompute(this.#handle));
    await Promise.allSettled(this.#underWay);
  }

  async destroy() {
    this.#closed = true;
    this.#unwatch();
    translated(() => native.destroyCompute(this.#handle));
    await Promise.allSettled(this.#underWay);
  }

  async [Symbol.asyncDispose]() {
    await this.close();
  }
}

/** @param {unknown} value @returns {AbortSignal} */
function abortSignal(value) {
  if (!(value instanceof AbortSignal)) throw invalidArgType('an AbortSignal', 'options.signal', value);
  return value;
}

module.exports = { ParallelProcessingEngine };
