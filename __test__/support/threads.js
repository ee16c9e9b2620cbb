'use strict';

const path = require('node:path');
const { Worker } = require('node:worker_threads');
const { settled, waitFor } = require('./wait');

const ENTRY = path.join(__dirname, 'worker-entry.js');

/**
 * Runs `body(context, data)` in a worker thread. The function travels as source: it sees its arguments and nothing else.
 *
 * `result` settles with what it returns or throws, or rejects if the thread leaves before; `exited` resolves with the exit
 * code; `heard` collects what it says; `tell` sends it a message.
 */
function startWorker(body, data, options = {}) {
  const worker = new Worker(ENTRY, { workerData: { source: String(body), data }, ...options });
  const heard = [];
  const exited = new Promise((resolve) => worker.once('exit', resolve));
  const result = new Promise((resolve, reject) => {
    worker.on('message', ({ kind, value }) => {
      if (kind === 'said') heard.push(value);
      else if (kind === 'returned') resolve(value);
      else reject(value);
    });
    worker.once('error', reject);
    worker.once('exit', (code) => reject(new Error(`the worker left with code ${code} before its result`)));
  });
  // A test that terminates the worker never asks for the result; the rejection must not surface as unhandled.
  result.catch(() => {});
  return {
    worker,
    heard,
    exited,
    result,
    tell: (message) => worker.postMessage(message),
    said: (wanted, limits) => waitFor(() => heard.includes(wanted), { what: `a worker to say ${wanted}`, ...limits }),
    terminate: () => worker.terminate(),
  };
}

/** Runs `body` in a worker to its end and gives its result; the thread has exited by itself when this resolves. */
async function runInWorker(body, data, { timeoutMs, ...options } = {}) {
  const thread = startWorker(body, data, options);
  try {
    const value = await settled(thread.result, { timeoutMs, what: 'the result of a worker' });
    const code = await settled(thread.exited, { timeoutMs, what: 'a worker to exit by itself' });
    if (code !== 0) throw new Error(`the worker exited with code ${code}`);
    return value;
  } finally {
    await thread.terminate();
  }
}

/** Runs the same body in several workers at once and gives all results. */
async function together(count, body, data) {
  const threads = Array.from({ length: count }, (_, me) => startWorker(body, { ...data, me, count }));
  try {
    return await settled(Promise.all(threads.map(({ result }) => result)), { timeoutMs: 60_000, what: 'all workers' });
  } finally {
    await Promise.all(threads.map((thread) => thread.terminate()));
  }
}

module.exports = { startWorker, runInWorker, together };
