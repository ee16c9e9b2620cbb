'use strict';

const inspector = require('node:inspector');
const { setTimeout: pause } = require('node:timers/promises');
const check = require('../validate.js');
const { invalidArgType } = require('../errors.js');

const DEFAULT_MS = 5_000;

/** Longer profiles take more memory than they are worth. */
const MOST_MS = 600_000;

/** How to begin and end each type of profile, in the words of V8's protocol. */
const TYPES = Object.freeze({
  cpu: { begin: ['Profiler.enable', 'Profiler.start'], end: 'Profiler.stop', leave: 'Profiler.disable' },
  heap: {
    begin: ['HeapProfiler.enable', 'HeapProfiler.startSampling'],
    end: 'HeapProfiler.stopSampling',
    leave: 'HeapProfiler.disable',
  },
});

/**
 * @param {{ type?: 'cpu' | 'heap', durationMs?: number, signal?: AbortSignal }} [options]
 * @returns {Promise<any>}
 */
async function profile(options) {
  const given = check.options(options, 'options', ['type', 'durationMs', 'signal']);
  const type = check.oneOf(given.type ?? 'cpu', 'options.type', ['cpu', 'heap']);
  const durationMs = check.positiveFiniteNumber(given.durationMs ?? DEFAULT_MS, 'options.durationMs');
  const { signal } = given;
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw invalidArgType('an AbortSignal', 'options.signal', signal);
  }
  const session = new inspector.Session();
  session.connect();
  const ask = (/** @type {string} */ method) =>
    new Promise((resolve, reject) => {
      session.post(method, (/** @type {any} */ error, /** @type {any} */ answer) =>
        error ? reject(Object.assign(new Error(error.message), { code: error.code })) : resolve(answer),
      );
    });
  try {
    const { begin, end, leave } = TYPES[type];
    for (const method of begin) await ask(method);
    // Cut short by the signal, it still has something to tell.
    await pause(Math.min(durationMs, MOST_MS), undefined, { signal }).catch(() => {});
    const { profile: result } = /** @type {any} */ (await ask(end));
    await ask(leave);
    return result;
  } finally {
    session.disconnect();
  }
}

module.exports = { profile };
