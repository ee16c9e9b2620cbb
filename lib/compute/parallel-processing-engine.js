'use strict';

// Tasks that take long, off this thread: numbers on native threads, functions and files of the user's in worker threads.

const native = require('../native.js');
const { pending } = require('../environment.js');
const { HotpathClosedError, invalidArgType, outOfRange } = require('../errors.js');
const { translated } = require('../native-errors.js');
const { watchService } = require('../services.js');
const check = require('../validate.js');
const { CustomTasks } = require('./custom-tasks.js');
const { lend, takeBack } = require('./lending.js');
const { NATIVE_TASKS } = require('./native-tasks.js');
const { describeCounts, plainCounts, readCounts, sumOfCounts } = require('./stats.js');

const OPTIONS = ['maxWorkers', 'taskTimeout', 'workerTimeout'];
const TASK_OPTIONS = ['priority', 'timeout', 'signal', 'transfer'];

/** The tasks that nobody needs to register. */
const TYPES = Object.freeze(Object.keys(NATIVE_TASKS));

/** What a task that was cancelled through its signal fails with, natively. */
const CANCELLED = 'ERR_HOTPATH_CANCELLED';

/** Ends the native engines of those that were dropped without being closed. */
const collected = new FinalizationRegistry((/** @type {number} */ handle) => native.collectCompute(handle));

/** What monitors are told. @param {ParallelProcessingEngine} engine */
function figuresOf(engine) {
  const { workers, queue, tasks, performance } = engine.stats;
  return { ...tasks, pending: queue.pending, workers: workers.total, busyWorkers: workers.busy, ...performance };
}

class ParallelProcessingEngine {
  #handle;
  #custom;
  #unwatch;
  #maxWorkers;
  #taskTimeout;
  /** Tasks under way. While there are any, this object is held: they use its native engine. @type {Set<Promise<any>>} */
  #underWay = new Set();
  #closed = false;

  /** @param {unknown} [options] */
  constructor(options) {
    const given = check.options(options, 'options', OPTIONS);
    this.#maxWorkers = check.positiveInteger(given.maxWorkers ?? 4, 'options.maxWorkers');
    this.#taskTimeout = check.positiveNumber(given.taskTimeout ?? 300_000, 'options.taskTimeout');
    const workerTimeout = check.positiveNumber(given.workerTimeout ?? 600_000, 'options.workerTimeout');
    this.#custom = new CustomTasks(this.#maxWorkers, workerTimeout);
    this.#handle = translated(() => native.openCompute(this.#maxWorkers));
    collected.register(this, this.#handle, this);
    this.#unwatch = watchService('compute', undefined, this, figuresOf);
  }

  get closed() {
    return this.#closed;
  }

  get tasks() {
    return Object.freeze([...TYPES, ...this.#custom.names]);
  }

  /** @param {string} type @param {unknown} task @returns {any} */
  registerTask(type, task) {
    if (this.#closed) throw closed();
    check.nonEmptyString(type, 'type');
    if (TYPES.includes(type)) throw outOfRange('a name that no native task has', 'type', type);
    this.#custom.register(type, task);
    return this;
  }

  /**
   * @param {string} type
   * @param {unknown} data
   * @param {unknown} [options]
   */
  async executeTask(type, data, options) {
    if (this.#closed) throw closed();
    check.oneOf(type, 'type', this.tasks);
    const given = check.options(options, 'options', TASK_OPTIONS);
    const task = {
      priority: check.integer(given.priority ?? 0, 'options.priority'),
      timeout: check.positiveNumber(given.timeout ?? this.#taskTimeout, 'options.timeout'),
      signal: given.signal === undefined ? undefined : abortSignal(given.signal),
    };
    const transfer = check.boolean(given.transfer ?? false, 'options.transfer');
    task.signal?.throwIfAborted();
    const running = Object.hasOwn(NATIVE_TASKS, type)
      ? this.#runNatively(NATIVE_TASKS[type](data, transfer), task)
      : this.#custom.run(type, data, transfer, task);
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
    const own = readCounts(
      this.#maxWorkers,
      translated(() => native.computeCounts(this.#handle)),
    );
    const custom = this.#custom.counts();
    return custom === undefined ? own : sumOfCounts(own, custom);
  }

  async close() {
    this.#end();
    translated(() => native.closeCompute(this.#handle));
    await Promise.allSettled(this.#underWay);
    await this.#custom.terminate();
  }

  async destroy() {
    this.#end();
    translated(() => native.destroyCompute(this.#handle));
    await this.#custom.terminate();
    await Promise.allSettled(this.#underWay);
  }

  #end() {
    this.#closed = true;
    this.#unwatch();
  }

  async [Symbol.asyncDispose]() {
    await this.close();
  }
}

function closed() {
  return new HotpathClosedError('The parallel processing engine is closed');
}

/** @param {unknown} value @returns {AbortSignal} */
function abortSignal(value) {
  if (!(value instanceof AbortSignal)) throw invalidArgType('an AbortSignal', 'options.signal', value);
  return value;
}

module.exports = { ParallelProcessingEngine };
