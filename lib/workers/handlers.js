'use strict';

// What a worker file offers: a function, or a script that speaks through `parentPort`.

const { pathToFileURL } = require('node:url');
const { HotpathError } = require('../errors.js');

/**
 * @typedef {object} Handler
 * @property {(data: any, context: any) => any} call
 * @property {boolean} wantsContext
 * @property {boolean} isScript that it has to get its messages through the event loop
 */

/**
 * Loads a worker file: CommonJS, ESM, or TypeScript where Node strips types.
 * @param {string} file an absolute path
 * @param {import('node:worker_threads').MessageChannel} channel its `port1` is the script's `parentPort`
 * @param {(value: unknown) => void} forward takes what a function posts to its `parentPort`
 * @returns {Promise<Handler>}
 */
async function loadHandler(file, channel, forward) {
  const exported = await import(pathToFileURL(file).href);
  const call = functionOf(exported);
  if (call !== undefined) {
    channel.port2.on('message', forward);
    channel.port2.unref();
    // Another listener of its own may still wait for messages from outside; there are none.
    return { call, wantsContext: call.length >= 2, isScript: false };
  }
  if (!listens(channel.port1)) {
    throw new HotpathError('The worker file exports no function and does not listen to parentPort', {
      code: 'ERR_HOTPATH_WORKER_FILE',
    });
  }
  return { call: conversation(channel.port2), wantsContext: false, isScript: true };
}

/** @param {any} exported a module's namespace */
function functionOf(exported) {
  for (const candidate of [exported.default, exported.default?.default, exported['module.exports'], exported.handler]) {
    if (typeof candidate === 'function') return candidate;
  }
  return undefined;
}

/** @param {any} port */
function listens(port) {
  return port.listenerCount('message') > 0 || typeof port.onmessage === 'function';
}

/**
 * One message there, one message back. The script's errors are uncaught: they end the thread, as they do without a pool.
 * @param {import('node:worker_threads').MessagePort} port
 */
function conversation(port) {
  /** @type {{ resolve(value: unknown): void, reject(error: unknown): void } | undefined} */
  let waiting;
  const settle = (/** @type {'resolve' | 'reject'} */ how, /** @type {unknown} */ value) => {
    waiting?.[how](value);
    waiting = undefined;
  };
  port.on('message', (value) => settle('resolve', value));
  port.on('messageerror', (error) => settle('reject', error));
  // A script that closes its port will never answer: its thread would end there.
  port.on('close', () => process.exit());
  return (/** @type {unknown} */ data) =>
    new Promise((resolve, reject) => {
      waiting = { resolve, reject };
      port.postMessage(data);
    });
}

module.exports = { functionOf, loadHandler };
