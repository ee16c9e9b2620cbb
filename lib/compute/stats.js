'use strict';

// The counts of an engine, as they are asked for: numbers, or the words of a report.

/** @typedef {ReturnType<typeof readCounts>} Counts */

/**
 * @param {number} max the option `maxWorkers`
 * @param {Float64Array} counts from native code
 */
function readCounts(max, counts) {
  const [threads, busy, high, normal, low, running, total, started, completed, failed, cancelled, timedOut] = counts;
  const [wait, execution] = counts.subarray(12);
  return {
    workers: { max, idle: threads - busy, busy, total: threads },
    queue: { pending: high + normal + low, byPriority: { high, normal, low } },
    tasks: { total, running, completed, failed, cancelled, timedOut },
    started,
    ended: started - running,
    waitMs: wait,
    executionMs: execution,
  };
}

/**
 * Number by number, whatever is beneath.
 * @template T
 * @param {T} one
 * @param {T} other
 * @returns {T}
 */
function sumOfCounts(one, other) {
  if (typeof one === 'number') return /** @type {any} */ (one + /** @type {any} */ (other));
  const sums = Object.entries(/** @type {any} */ (one)).map(([name, value]) => [
    name,
    sumOfCounts(value, /** @type {any} */ (other)[name]),
  ]);
  return Object.fromEntries(sums);
}

/** @param {Counts} counts */
function plainCounts({ workers, queue, tasks, started, ended, waitMs, executionMs }) {
  return {
    workers,
    queue,
    tasks: { ...tasks, successRate: share(tasks.completed, tasks.total) },
    performance: { avgExecutionTime: share(executionMs, ended), avgWaitTime: share(waitMs, started) },
  };
}

/** @param {Counts} counts */
function describeCounts(counts) {
  const plain = plainCounts(counts);
  const successRate = `${(plain.tasks.successRate * 100).toFixed(2)}%`;
  return { ...plain, tasks: { ...plain.tasks, successRate } };
}

/** @param {number} part @param {number} whole */
function share(part, whole) {
  return whole === 0 ? 0 : part / whole;
}

module.exports = { readCounts, sumOfCounts, plainCounts, describeCounts };
