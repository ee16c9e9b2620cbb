'use strict';

// Warming a multi-level cache: many keys, some at a time, no value looked at.

const { invalidArgType } = require('../errors.js');
const check = require('../validate.js');
const { checkKey } = require('./memory-arguments.js');

const OPTIONS = ['loader', 'concurrency', 'onProgress', 'signal'];
const CONCURRENCY = 10;

/**
 * What became of a key.
 * @typedef {'present' | 'loaded' | 'missing'} Outcome
 */

/** @param {unknown} keys @returns {Iterable<string>} */
function checkIterable(keys) {
  const iterable = /** @type {any} */ (keys);
  if (typeof keys === 'string' || typeof iterable?.[Symbol.iterator] !== 'function') {
    throw invalidArgType('an iterable of strings', 'keys', keys);
  }
  return iterable;
}

/** @param {unknown} options */
function warmupOptions(options) {
  const { loader, concurrency, onProgress, signal } = check.options(options, 'options', OPTIONS);
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw invalidArgType('an AbortSignal', 'options.signal', signal);
  }
  return {
    loader: loader === undefined ? undefined : check.function_(loader, 'options.loader'),
    concurrency: concurrency === undefined ? CONCURRENCY : check.positiveInteger(concurrency, 'options.concurrency'),
    onProgress: onProgress === undefined ? undefined : check.function_(onProgress, 'options.onProgress'),
    signal,
  };
}

/**
 * Runs `warm` over all keys, so many at a time.
 * @param {unknown} keys
 * @param {ReturnType<typeof warmupOptions>} options
 * @param {(key: string, loader: ((key: string) => any) | undefined) => Promise<Outcome>} warm
 */
async function warmup(keys, { loader, concurrency, onProgress, signal }, warm) {
  const iterable = checkIterable(keys);
  const { length, size } = /** @type {any} */ (iterable);
  const report = { total: length ?? size, done: 0, present: 0, loaded: 0, missing: 0, failed: 0 };
  const began = performance.now();
  const iterator = iterable[Symbol.iterator]();
  /** What a callback of the caller's threw: it ends the run. @type {{ error: unknown } | undefined} */
  let broken;

  const work = async () => {
    while (broken === undefined && !signal?.aborted) {
      const { done, value: key } = iterator.next();
      if (done) return;
      try {
        report[await warm(checkKey(key), loader)]++;
      } catch (error) {
        // One key that cannot be had is no reason to give up the others; a wrong one is.
        if (typeof key !== 'string') throw error;
        report.failed++;
      }
      report.done++;
      onProgress?.({ ...report, key });
    }
  };
  const workers = Array.from({ length: concurrency }, () =>
    work().catch((error) => {
      broken ??= { error };
    }),
  );
  await Promise.all(workers);
  if (broken !== undefined) throw /** @type {{ error: unknown }} */ (broken).error;
  if (signal?.aborted) throw signal.reason;
  return { ...report, total: report.total ?? report.done, durationMs: performance.now() - began };
}

module.exports = { warmup, warmupOptions };
