'use strict';

const { HotpathTimeoutError } = require('./errors.js');

/**
 * What a promise resolves to, unless that takes too long. What it does afterwards is nobody's business any more.
 * @template T
 * @param {Promise<T> | T} promise
 * @param {number} milliseconds
 * @param {{ keepAlive?: boolean }} [options] whether the process waits for the end of that time
 * @returns {Promise<T>}
 */
async function within(promise, milliseconds, { keepAlive = true } = {}) {
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  /** @type {Promise<never>} */
  const late = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new HotpathTimeoutError(`No answer within ${milliseconds} ms`)), milliseconds);
    if (!keepAlive) timer.unref();
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

module.exports = { within };
