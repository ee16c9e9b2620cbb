'use strict';

// Waiting in tests is always for a condition: a fixed pause is either too short on a busy machine or too long everywhere else.

const { performance } = require('node:perf_hooks');

const DEFAULT_TIMEOUT_MS = 20_000;
const POLL_MS = 2;

/**
 * Resolves with the first truthy result of `condition` (sync or async); rejects when none came in time.
 * The polling timer also keeps the event loop alive, which an idle cache must not do.
 */
async function waitFor(condition, { timeoutMs = DEFAULT_TIMEOUT_MS, what = 'a condition' } = {}) {
  const giveUpAt = performance.now() + timeoutMs;
  for (;;) {
    const result = await condition();
    if (result) return result;
    if (performance.now() > giveUpAt) throw new Error(`gave up after ${timeoutMs} ms of waiting for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** The promise itself, or a rejection that says what never settled (instead of a test runner that hangs). */
function settled(promise, { timeoutMs = DEFAULT_TIMEOUT_MS, what = 'a promise' } = {}) {
  let timer;
  const limit = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`gave up after ${timeoutMs} ms of waiting for ${what}`)), timeoutMs);
  });
  return Promise.race([promise, limit]).finally(() => clearTimeout(timer));
}

/** A promise with its two ends outside: how tests hold a loader open until they have arranged what happens meanwhile. */
function deferred() {
  const handle = {};
  handle.promise = new Promise((resolve, reject) => Object.assign(handle, { resolve, reject }));
  return handle;
}

/** Lets queued ticks, microtasks and one round of immediates run. */
function turnOfTheLoop() {
  return new Promise((resolve) => setImmediate(resolve));
}

/** True while `condition` spins to true without giving the event loop a turn; bounded. */
function spinUntil(condition, { timeoutMs = DEFAULT_TIMEOUT_MS } = {}) {
  const giveUpAt = performance.now() + timeoutMs;
  while (performance.now() < giveUpAt) if (condition()) return true;
  return false;
}

module.exports = { waitFor, settled, deferred, turnOfTheLoop, spinUntil };
