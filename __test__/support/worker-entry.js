'use strict';

const vm = require('node:vm');
const { parentPort, workerData } = require('node:worker_threads');
const { makeContext } = require('./context');

const context = makeContext({
  say: (value) => parentPort.postMessage({ kind: 'said', value }),
  hear: (listener) => parentPort.on('message', listener),
  hearOnce: () => new Promise((resolve) => parentPort.once('message', resolve)),
});

const body = vm.runInThisContext(`(${workerData.source})`, { filename: 'worker-body.js' });

Promise.resolve()
  .then(() => body(context, workerData.data))
  .then(
    (value) => parentPort.postMessage({ kind: 'returned', value }),
    (error) => parentPort.postMessage({ kind: 'threw', value: error }),
  );
