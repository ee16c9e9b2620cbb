'use strict';

// What tells the time and waits: the system's, unless a test brings its own.

const { invalidArgType } = require('../errors.js');

const METHODS = /** @type {const} */ (['now', 'setTimeout', 'clearTimeout', 'setInterval', 'clearInterval']);

/**
 * @typedef {object} Clock
 * @property {() => number} now milliseconds since 1970
 * @property {(run: () => void, ms: number) => any} setTimeout
 * @property {(timer: any) => void} clearTimeout
 * @property {(run: () => void, ms: number) => any} setInterval
 * @property {(timer: any) => void} clearInterval
 */

/** Beyond this, timers of Node.js fire at once. */
const LONGEST_MS = 2 ** 31 - 1;

/** @type {Clock} */
const systemClock = Object.freeze({
  now: () => Date.now(),
  setTimeout: (run, ms) => setTimeout(run, Math.min(ms, LONGEST_MS)),
  clearTimeout: (timer) => clearTimeout(timer),
  setInterval: (run, ms) => setInterval(run, Math.min(ms, LONGEST_MS)),
  clearInterval: (timer) => clearInterval(timer),
});

/** @param {any} value @param {string} path @returns {Clock} */
function checkClock(value, path) {
  if (value === undefined) return systemClock;
  if (METHODS.some((method) => typeof value?.[method] !== 'function')) {
    throw invalidArgType(`a clock (an object with ${METHODS.join(', ')})`, path, value);
  }
  return value;
}

/** Runs again and again, without keeping a process alive. @param {Clock} clock @param {() => void} run @param {number} ms */
function every(clock, run, ms) {
  const timer = clock.setInterval(run, ms);
  timer?.unref?.();
  return timer;
}

/**
 * Waits. A process that has nothing else to do ends meanwhile: nobody is left who could use what is measured.
 * @param {Clock} clock
 * @param {number} ms
 * @param {AbortSignal} [signal] ends the wait early
 * @returns {Promise<void>}
 */
function pause(clock, ms, signal) {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = () => {
      clock.clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = clock.setTimeout(done, ms);
    timer?.unref?.();
    signal?.addEventListener('abort', done, { once: true });
  });
}

module.exports = { checkClock, every, pause, systemClock };
