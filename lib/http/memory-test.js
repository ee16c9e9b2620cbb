'use strict';

// What values that go through a cache leave behind on the heap.

const { performance } = require('node:perf_hooks');
const { setImmediate: nextTurn } = require('node:timers/promises');
const v8 = require('node:v8');
const vm = require('node:vm');
const { MemoryCache } = require('../cache/memory-cache.js');
const check = require('../validate.js');

const OPTIONS = ['iterations', 'dataSize'];
const MOST = 2 ** 24;

/** Iterations between two turns of the event loop: others want to be served, too. */
const SLICE = 50;

/** Keys that values go under, one after the other: what a cache holds is not what a test leaves behind. */
const KEYS = 64;

/** @type {(() => void) | undefined} */
let collector;

/** Collects garbage, also where Node was not told to allow it. */
function collect() {
  if (!collector) {
    v8.setFlagsFromString('--expose-gc');
    collector = /** @type {() => void} */ (vm.runInNewContext('gc'));
  }
  collector();
}

/** @param {unknown} [options] */
async function runMemoryTest(options) {
  const given = check.options(options, 'options', OPTIONS);
  const iterations = check.integerBetween(given.iterations ?? 1000, 'options.iterations', 1, MOST);
  const dataSize = check.integerBetween(given.dataSize ?? 1000, 'options.dataSize', 1, MOST);
  const cache = new MemoryCache({ maxEntries: KEYS, nearCache: false });
  try {
    // The first values warm everything that is made only once.
    await throughCache(cache, Math.min(iterations, KEYS), dataSize);
    collect();
    const before = process.memoryUsage();
    const started = performance.now();
    const { peak, checked } = await throughCache(cache, iterations, dataSize);
    const duration = performance.now() - started;
    collect();
    const after = process.memoryUsage();
    return {
      iterations,
      dataSize,
      memoryIncrease: after.heapUsed - before.heapUsed,
      peakIncrease: Math.max(0, peak - before.heapUsed),
      rssIncrease: after.rss - before.rss,
      externalIncrease: after.external - before.external,
      cacheBytes: cache.stats.bytes,
      checked,
      duration,
      before,
      after,
    };
  } finally {
    cache.close();
  }
}

/** @param {MemoryCache} cache @param {number} iterations @param {number} dataSize */
async function throughCache(cache, iterations, dataSize) {
  let peak = 0;
  let checked = 0;
  for (let index = 0; index < iterations; index++) {
    const key = `memory-test:${index % KEYS}`;
    cache.set(key, { index, data: Array.from({ length: dataSize }, (_, place) => index + place) });
    const { data } = cache.get(key);
    if (data.length !== dataSize || data[dataSize - 1] !== index + dataSize - 1) {
      throw new Error(`Value ${index} of the memory test came back changed`);
    }
    checked++;
    if (index % SLICE === SLICE - 1) {
      peak = Math.max(peak, process.memoryUsage().heapUsed);
      await nextTurn();
    }
  }
  return { peak, checked };
}

module.exports = { runMemoryTest };
