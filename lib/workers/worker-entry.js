'use strict';

// The first module of a worker thread: takes its seat in the pool, loads the user's code, and serves.

const workerThreads = require('node:worker_threads');
const { syncBuiltinESMExports } = require('node:module');
const { MessageChannel, parentPort, workerData } = workerThreads;

/** @type {{ pool: number, worker: number, port: import('node:worker_threads').MessagePort, file: string, concurrency: number, blocking: boolean, maxHeapMB: number | undefined }} */
const settings = workerData;

// The user's code sees a thread of its own: no data of ours, and a port whose other end is here. What it posts goes on
// to the pool, or is the answer of a script that knows nothing of pools.
const channel = new MessageChannel();
const ownThread = /** @type {any} */ (workerThreads);
ownThread.workerData = undefined;
ownThread.parentPort = channel.port1;
syncBuiltinESMExports();

const { Seat } = require('./seat.js');
const { loadHandler } = require('./handlers.js');

async function main() {
  const seat = new Seat(settings);
  try {
    const handler = await loadHandler(settings.file, channel, (value) => parentPort?.postMessage(value));
    seat.serve(handler);
  } catch (error) {
    seat.refuse(error);
  }
}

main();
