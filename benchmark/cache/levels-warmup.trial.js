const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { digestOf } = require('../harness/digest.js');
const { STEADY, collect } = require('../harness/memory.js');
const { user, userKeys } = require('../workload/users.js');
const { bentocache, withServer } = require('./levels-contenders.js');

/** Users that are written, or asked for, at once. */
const AT_ONCE = 250;

/** @typedef {import('../harness/types.js').Contender} Contender */

/** Three tiers, of which those before Redis are empty when it is opened. @type {Contender} */
const hotpath = {
  package: 'hotpath',
  options: () => ({}),
  async open({ url }) {
    const { DiskCache, MemoryCache, MultiLevelCache, RedisCache } = require('../..');
    const directory = fs.mkdtempSync(path.join(process.env.HOTPATH_BENCH_DIRECTORY ?? os.tmpdir(), 'hotpath-bench-'));
    const l1Cache = new MemoryCache({ maxMemoryMB: 1024 });
    const l2Cache = new DiskCache({ directory });
    const l3Cache = new RedisCache({ url: String(url), commandTimeoutMs: 60_000 });
    const cache = new MultiLevelCache({ l1Cache, l2Cache, l3Cache, tierTimeoutMs: 60_000 });
    return {
      getOrSet: (/** @type {string} */ key, /** @type {any} */ loader) => cache.getOrSet(key, loader),
      warm: (/** @type {string[]} */ keys) => cache.warmup(keys, { concurrency: AT_ONCE }),
      async close() {
        await cache.close();
        await Promise.all([l2Cache.close(), l3Cache.close()]);
        l1Cache.close();
        fs.rmSync(directory, { recursive: true, force: true });
      },
    };
  },
};

/** Two levels, the second being Redis; warmed by asking for each key. @type {Contender} */
const bento = {
  ...bentocache,
  async open(options) {
    const cache = await bentocache.open(options);
    const warm = async (/** @type {string[]} */ keys) => {
      for (let from = 0; from < keys.length; from += AT_ONCE) {
        await Promise.all(keys.slice(from, from + AT_ONCE).map((key) => cache.getOrSet(key, missing)));
      }
    };
    return { ...cache, warm };
  },
};

const missing = async () => {
  throw new Error('Redis has lost a user');
};

/** @param {any} cache @param {string[]} keys */
async function fill(cache, keys) {
  for (let from = 0; from < keys.length; from += AT_ONCE) {
    await Promise.all(
      keys.slice(from, from + AT_ONCE).map((key, index) => cache.getOrSet(key, async () => user(from + index))),
    );
  }
}

/** @type {import('../harness/types.js').Trial} */
module.exports = {
  name: 'levels-warmup',
  title: 'Levels: 100,000 keys warmed',
  description:
    'Redis has 100,000 users; a cache whose other levels are empty is warmed with all of them. hotpath brings them into ' +
    'memory and onto the disk (three tiers), bentocache into memory (two). The growth of the JavaScript heap is read after ' +
    'a full collection; the keys themselves are there before.',
  settings: {
    smoke: { rounds: 1, entries: 500 },
    quick: { rounds: 3, entries: 100_000 },
    full: { rounds: 5, entries: 100_000 },
  },
  cases: { users: { title: 'users' } },
  measures: {
    heap: { label: 'growth of the JavaScript heap', unit: 'bytes', better: 'lower', chart: true },
    time: { label: 'time per key', unit: 'nanoseconds', better: 'lower' },
  },
  floors: [{ measure: 'heap', atMost: 20 * 1024 * 1024 }],
  contenders: { hotpath, bentocache: bento },
  nodeOptions: STEADY,

  check: (context) =>
    withServer(context, async (open) => {
      const keys = userKeys(context.settings.entries).slice(0, 2_000);
      await fill(await open(), keys);
      const cache = await open();
      await cache.warm(keys);
      return digestOf(await Promise.all(keys.map((key) => cache.getOrSet(key, missing))));
    }),

  run: (context) =>
    withServer(context, async (open) => {
      const keys = userKeys(context.settings.entries);
      await fill(await open(), keys);
      const cache = await open();
      await cache.warm(keys.slice(0, 100));
      collect();
      const before = process.memoryUsage().heapUsed;
      const began = process.hrtime.bigint();
      await cache.warm(keys);
      const elapsed = Number(process.hrtime.bigint() - began);
      collect();
      return {
        measures: {
          // What shrank has not grown.
          heap: Math.max(process.memoryUsage().heapUsed - before, 0),
          time: elapsed / keys.length,
        },
      };
    }),
};
