'use strict';

// What a function gets that a test runs in another thread or process. `MemoryCache` is a getter, so that a body
// which does not name it decides for itself when (and whether) the addon is loaded there.

const fs = require('node:fs');
const path = require('node:path');
const { waitFor } = require('./wait');

const root = path.resolve(__dirname, '..', '..');

function collectGarbage() {
  if (typeof globalThis.gc !== 'function') throw new Error('this helper needs --expose-gc');
  globalThis.gc();
}

/** Garbage collection with turns of the loop between: native finalizers run in their own turn. */
async function collectThoroughly(rounds = 5) {
  for (let round = 0; round < rounds; round += 1) {
    collectGarbage();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function threadCount() {
  return fs.existsSync('/proc/self/task') ? fs.readdirSync('/proc/self/task').length : 0;
}

/** What many rounds of the same leave in the process, beyond what the first of them need once. */
async function leftBehind(round, { first = 30, rounds = 200 } = {}) {
  for (let n = 0; n < first; n += 1) await round(n);
  await collectThoroughly();
  const before = { threads: threadCount(), rss: process.memoryUsage().rss, heap: process.memoryUsage().heapUsed };
  for (let n = 0; n < rounds; n += 1) await round(n);
  await collectThoroughly();
  await waitFor(() => threadCount() <= before.threads);
  return {
    threads: threadCount() - before.threads,
    rss: process.memoryUsage().rss - before.rss,
    heap: process.memoryUsage().heapUsed - before.heap,
    handles: process.getActiveResourcesInfo().filter((name) => name !== 'Timeout' && !/Pipe|TTY/.test(name)),
  };
}

/** Defines what every body gets, plus the channel of its kind (`say`, `hear`). */
function makeContext(channel) {
  return {
    root,
    require,
    load: () => require(root),
    get MemoryCache() {
      return require(root).MemoryCache;
    },
    ...require('./wait'),
    ...require('./caches'),
    ...require('./random'),
    get startWorker() {
      return require('./threads').startWorker;
    },
    get runInWorker() {
      return require('./threads').runInWorker;
    },
    collectGarbage,
    collectThoroughly,
    leftBehind,
    ...channel,
  };
}

module.exports = { makeContext, root };
