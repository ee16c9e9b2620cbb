'use strict';

// What a function gets that a test runs in another thread or process. `MemoryCache` is a getter, so that a body
// which does not name it decides for itself when (and whether) the addon is loaded there.

const path = require('node:path');

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
    ...channel,
  };
}

module.exports = { makeContext, root };
