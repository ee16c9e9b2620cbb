const { setTimeout: wait } = require('node:timers/promises');
const { digestOf } = require('../harness/digest.js');
const { STEADY, collect } = require('../harness/memory.js');
const { turn } = require('../harness/timing.js');

// Everything expires at once: who notices?

/** Entries are given deadlines within so many milliseconds. */
const SPREAD_MS = 1_000;

/** How long memory may take to reach the system once the last entry has gone. */
const SETTLING_MS = 3_000;

/** Entries that lru-cache may have forgotten to purge. */
const STRAGGLERS = 100;

const VALUE = Buffer.alloc(100, 1);

const hotpath = {
  package: 'hotpath',
  options: () => ({ maxMemoryMB: 4096, nearCache: false }),
  /** @param {any} options */
  open(options) {
    const { MemoryCache } = require('../..');
    const cache = new MemoryCache(options);
    return {
      set: (/** @type {string} */ key, /** @type {number} */ ttlMs) => cache.set(key, VALUE, { ttlMs }),
      size: () => cache.size,
    };
  },
};

/** A timer for each entry, its way to expire by itself. */
const lruCache = {
  package: 'lru-cache',
  options: () => ({ ttl: 3_600_000, ttlAutopurge: true }),
  /** @param {any} options */
  open(options) {
    const { LRUCache } = require('lru-cache');
    const cache = new LRUCache(options);
    return {
      set: (/** @type {string} */ key, /** @type {number} */ ttl) => cache.set(key, Buffer.from(VALUE), { ttl }),
      size: () => {
        // A timer that fires a moment early purges nothing, and is not set again.
        if (cache.size < STRAGGLERS) cache.purgeStale();
        return cache.size;
      },
    };
  },
};

/** @param {any} cache @param {number} entries @param {number} lastsMs from the beginning of the filling to the first deadline */
async function fill(cache, entries, lastsMs) {
  const begin = performance.now();
  for (let number = 0; number < entries; number += 1) {
    const deadline = begin + lastsMs + (number / entries) * SPREAD_MS;
    cache.set(`session:${number}`, Math.max(1, Math.round(deadline - performance.now())));
    if (number % 1_000 === 0) await turn();
  }
}

/** The longest time that the event loop did not come back to, until `isOver`. @param {() => boolean} isOver */
async function longestStall(isOver) {
  let longest = 0;
  let before = performance.now();
  while (!isOver()) {
    await turn();
    const now = performance.now();
    longest = Math.max(longest, now - before);
    before = now;
  }
  return longest;
}

/** @type {import('../harness/types.js').Trial} */
module.exports = {
  name: 'expiry',
  title: 'A million entries expire within a second',
  description:
    'Entries of 100 bytes whose deadlines lie within one second. Nobody reads them: they have to leave by themselves. The ' +
    'event loop turns all the time and notes how long it was kept from it; three seconds after the last entry has gone the ' +
    'resident set is compared with that before the first. lru-cache has a timer for each entry (`ttlAutopurge`).',
  settings: {
    smoke: { rounds: 1, entries: 2_000, ttlMs: 100 },
    quick: { rounds: 2, entries: 1_000_000, ttlMs: 12_000 },
    full: { rounds: 5, entries: 1_000_000, ttlMs: 12_000 },
  },
  cases: { all: { title: '1,000,000 entries' } },
  measures: {
    stall: { label: 'longest stall of the event loop', unit: 'milliseconds', better: 'lower', chart: true },
    kept: { label: 'resident set that is not handed back', unit: 'ratio', better: 'lower', chart: true },
    residentSet: { label: 'resident set while they live', unit: 'bytes', better: 'lower' },
  },
  floors: [
    { measure: 'stall', atMost: 10 },
    { measure: 'kept', atMost: 0.25 },
  ],
  contenders: /** @type {any} */ ({ hotpath, 'lru-cache': lruCache }),
  nodeOptions: STEADY,

  async check({ open, settings }) {
    const cache = open();
    await fill(cache, Math.min(settings.entries, 5_000), 50);
    await longestStall(() => cache.size() === 0);
    return digestOf([cache.size()]);
  },

  async run({ open, settings }) {
    const cache = open();
    await fill(cache, 100, 1);
    collect();
    const before = process.memoryUsage.rss();
    await fill(cache, settings.entries, settings.ttlMs);
    collect();
    const residentSet = process.memoryUsage.rss() - before;
    const stall = await longestStall(() => cache.size() === 0);
    await wait(SETTLING_MS);
    collect();
    await turn();
    const kept = Math.max(0, process.memoryUsage.rss() - before) / residentSet;
    return { measures: { stall, kept, residentSet }, checksum: cache.size() };
  },
};
