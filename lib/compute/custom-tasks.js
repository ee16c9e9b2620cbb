'use strict';

// Tasks that users have registered: functions and files, in worker threads.

const { HotpathTimeoutError, invalidArgType } = require('../errors.js');
const check = require('../validate.js');
const { FunctionPool, existingFile, sourceOf } = require('../workers/function-pool.js');

/** Timers of Node's go no further. */
const MOST_TIMER_MS = 2 ** 31 - 1;

/** @typedef {{ priority: number, timeout: number, signal: AbortSignal | undefined }} TaskSettings */

class CustomTasks {
  /** @type {Map<string, import('../workers/function-pool.js').Place>} */
  #places = new Map();
  #pool;
  #counts = { total: 0, completed: 0, failed: 0, cancelled: 0, timedOut: 0 };

  /** @param {number} maxWorkers @param {number} idleTimeoutMs */
  constructor(maxWorkers, idleTimeoutMs) {
    this.#pool = new FunctionPool({ maxWorkers, idleTimeoutMs });
  }

  get names() {
    return [...this.#places.keys()];
  }

  /** @param {string} type @param {unknown} work a function or a file */
  register(type, work) {
    if (typeof work === 'function') {
      this.#places.set(type, { source: sourceOf(work, 'task') });
      return;
    }
    const file = existingFile(work);
    if (file === undefined) throw invalidArgType('a function or the path of an existing file', 'task', work);
    this.#places.set(type, { file });
  }

  /**
   * @param {string} type
   * @param {unknown} data
   * @param {boolean} transfer
   * @param {TaskSettings} settings
   */
  async run(type, data, transfer, { priority, timeout, signal }) {
    const place = /** @type {import('../workers/function-pool.js').Place} */ (this.#places.get(type));
    const transferList = transfer ? buffersOf(data) : [];
    this.#counts.total++;
    // The pool's own limit begins with the attempt, and holds while this thread is busy; the time in the queue counts, too.
    const stop = new AbortController();
    let late = false;
    const expire = () => {
      late = true;
      stop.abort();
    };
    const timer = timeout <= MOST_TIMER_MS ? setTimeout(expire, timeout).unref() : undefined;
    const cancel = () => stop.abort();
    signal?.addEventListener('abort', cancel, { once: true });
    try {
      const options = { priority, timeout, signal: stop.signal, transferList };
      const result = await this.#pool.execute(place, data, { type }, options);
      this.#counts.completed++;
      return result;
    } catch (error) {
      if (late || error instanceof HotpathTimeoutError) {
        this.#counts.timedOut++;
        throw late ? new HotpathTimeoutError(`The task took longer than ${timeout} ms`, { timeoutMs: timeout }) : error;
      }
      if (signal?.aborted) {
        this.#counts.cancelled++;
        throw signal.reason;
      }
      this.#counts.failed++;
      throw error;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', cancel);
    }
  }

  /** The counts in the form of the native engine's. @returns {import('./stats.js').Counts | undefined} */
  counts() {
    const { stats } = this.#pool;
    if (stats === undefined) return undefined;
    const { workers, queue, jobs, runMs, waitMs } = stats;
    const { idle, busy, total } = workers;
    return {
      workers: { max: 0, idle, busy, total },
      queue: { pending: queue.pending, byPriority: { ...queue.byPriority } },
      tasks: { ...this.#counts, running: jobs.running },
      started: waitMs.count,
      ended: runMs.count,
      waitMs: waitMs.mean * waitMs.count,
      executionMs: runMs.mean * runMs.count,
    };
  }

  /** Ends the threads, and what they still do. */
  terminate() {
    return this.#pool.terminate();
  }
}

/**
 * The ArrayBuffers of the typed arrays and buffers in data, to be moved with them.
 * @param {unknown} data
 * @param {Set<unknown>} [seen]
 * @returns {ArrayBuffer[]}
 */
function buffersOf(data, seen = new Set()) {
  if (typeof data !== 'object' || data === null || seen.has(data)) return [];
  seen.add(data);
  if (data instanceof ArrayBuffer) return [data];
  if (ArrayBuffer.isView(data)) return buffersOf(data.buffer, seen);
  if (!Array.isArray(data) && !check.isPlainObject(data)) return [];
  return Object.values(data).flatMap((part) => buffersOf(part, seen));
}

module.exports = { CustomTasks };
