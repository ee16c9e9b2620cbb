'use strict';

// Who works on which type: functions, worker files, and the native tasks of ParallelProcessingEngine.

const { WorkerPool } = require('./worker-pool.js');

/** Computing, loaded for the first queue: whoever only wants a pool of workers is not to wait for it. */
const computing = () => require('../compute/index.js');

/** @returns {string[]} */
const nativeTypes = () => Object.keys(require('../compute/native-tasks.js').NATIVE_TASKS);

/** Worker threads that a file gets unless it is told otherwise. */
const MAX_WORKERS = 8;

/** @typedef {import('./job-runs.js').Processor} Processor */

/**
 * A worker file on a pool of its own. The queue retries and keeps the time.
 * @param {string | URL} file
 * @param {Record<string, unknown>} options of the pool
 * @param {number} concurrency
 * @returns {Processor}
 */
function fileProcessor(file, options, concurrency) {
  const maxWorkers = Math.min(concurrency, MAX_WORKERS);
  const pool = new WorkerPool(file, { maxWorkers, minWorkers: 0, ...options });
  return {
    call: (data, context) =>
      pool.execute(data, {
        retries: 0,
        timeout: Number.POSITIVE_INFINITY,
        signal: context.signal,
        priority: context.priority,
        onProgress: (value) => context.progress(value),
      }),
    close: (force) => (force ? pool.terminate() : pool.drain()),
  };
}

/** The native tasks, on threads that start when the first one comes. @param {number} concurrency */
function nativeProcessors(concurrency) {
  /** @type {import('../compute/parallel-processing-engine.js').ParallelProcessingEngine | undefined} */
  let engine;
  const started = () => {
    engine ??= new (computing().ParallelProcessingEngine)({
      maxWorkers: Math.min(concurrency, MAX_WORKERS),
      taskTimeout: Number.POSITIVE_INFINITY,
    });
    return engine;
  };
  /** @type {Map<string, Processor>} */
  const processors = new Map();
  for (const type of nativeTypes()) {
    processors.set(type, { call: (data, { signal }) => started().executeTask(type, data, { signal }) });
  }
  return { processors, close: async () => engine?.destroy() };
}

module.exports = { nativeTypes, fileProcessor, nativeProcessors };
