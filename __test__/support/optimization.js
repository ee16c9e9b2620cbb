'use strict';

// An optimization service under a clock of the test's own, and traffic for the caches that it tunes.

const { MemoryCache, OptimizationService } = require('hotpath');
const { FakeClock } = require('./clock');
const { seededRandom } = require('./random');

function open(t, options = {}) {
  const clock = new FakeClock();
  const service = new OptimizationService({ clock, ...options });
  t.after(async () => {
    const closing = service.close();
    await clock.advance(1);
    await closing;
  });
  return { clock, service };
}

function cacheOf(t, options) {
  const cache = new MemoryCache({ nearCache: false, ...options });
  t.after(() => cache.close());
  return cache;
}

/** Readers that ask for `keys` and load what they miss. */
function traffic(cache, keys, { reads = 400, value = 'x', seed = 3 } = {}) {
  const random = seededRandom(seed);
  let scanned = 0;
  return () => {
    for (let read = 0; read < reads; read += 1) {
      const key = keys === undefined ? `scan-${scanned++}` : `key-${Math.floor(random() * keys)}`;
      if (cache.get(key) === undefined) cache.set(key, value);
    }
  };
}

/** Runs with traffic in every slice of the measurements. */
async function run(service, clock, between, options = {}) {
  between();
  const running = service.runOptimization(options);
  await clock.advance(60_000, between);
  return running;
}

module.exports = { open, cacheOf, traffic, run };
