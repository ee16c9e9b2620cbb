const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { createHistogram } = require('node:perf_hooks');
const { digestOf } = require('../harness/digest.js');
const { randomSource } = require('../workload/random.js');
const { user, userKey } = require('../workload/users.js');

/** Of a hundred reads so many go to the hot keys, as document 003 has its hot data. */
const HOT_SHARE = 95;
const VALUE_CHARACTERS = 8_000;

/** A user with a page of text: 8 KB. @param {number} id */
const page = (id) => ({ ...user(id), text: `${id} `.repeat(VALUE_CHARACTERS).slice(0, VALUE_CHARACTERS) });

/** @type {import('../harness/types.js').Contender} */
const hotpath = {
  package: 'hotpath',
  options: ({ capacity }) => ({ memoryLimit: capacity * 10_000, diskLimit: 2 ** 30 }),
  open(options) {
    const { AdvancedCache } = require('../..');
    const cache = new AdvancedCache(/** @type {any} */ (options));
    let level = '';
    cache.on('cacheHit', (/** @type {any} */ hit) => {
      level = hit.level;
    });
    return {
      get: (/** @type {string} */ key) => cache.get(key),
      set: (/** @type {string} */ key, /** @type {any} */ value) => cache.set(key, value),
      level: () => level,
      close: () => cache.shutdown(),
    };
  },
};

/** What an application writes itself: live objects in front of files of JSON. @type {import('../harness/types.js').Contender} */
const files = {
  package: 'lru-cache',
  options: ({ capacity }) => ({ max: capacity }),
  open({ directory, ...options }) {
    const { LRUCache } = require('lru-cache');
    const memory = new LRUCache(/** @type {any} */ (options));
    const place = (/** @type {string} */ key) => path.join(String(directory), encodeURIComponent(key));
    let level = '';
    return {
      async get(/** @type {string} */ key) {
        const near = memory.get(key);
        level = near === undefined ? 'disk' : 'memory';
        if (near !== undefined) return near;
        const value = await fs.promises.readFile(place(key), 'utf8').then(JSON.parse, () => undefined);
        if (value !== undefined) memory.set(key, value);
        return value;
      },
      async set(/** @type {string} */ key, /** @type {any} */ value) {
        memory.set(key, value);
        await fs.promises.writeFile(place(key), JSON.stringify(value));
      },
      level: () => level,
    };
  },
};

/**
 * Opens a contender on a folder of its own, filled.
 *
 * @template T
 * @param {import('../harness/types.js').Context} context
 * @param {(cache: any) => Promise<T>} use
 */
async function filled({ contender, settings }, use) {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'hotpath-bench-'));
  const cache = contender.open({ ...contender.options(settings), directory });
  try {
    for (let id = 0; id < settings.entries; id += 1) await cache.set(userKey(id), page(id));
    return await use(cache);
  } finally {
    await cache.close?.();
    fs.rmSync(directory, { recursive: true, force: true });
  }
}

/** @param {{ recordable: import('node:perf_hooks').RecordableHistogram, rank: number }} of */
const milliseconds = ({ recordable, rank }) => (recordable.count === 0 ? 0 : recordable.percentile(rank) / 1e6);

/** @type {import('../harness/types.js').Trial} */
module.exports = {
  name: 'advanced-cache',
  title: 'AdvancedCache: hot data in memory, the rest on disk',
  description:
    '10,000 values of 8 KB, a tenth of which fits into memory; 95 of 100 reads go to 500 of them. The document that the ' +
    'class comes from expects 90 to 95 % of hits in memory, under 1 ms, and 5 to 10 ms on disk. Beside it: lru-cache in ' +
    'front of files of JSON.',
  settings: {
    smoke: { rounds: 1, entries: 300, capacity: 60, hot: 20, operations: 1_000 },
    quick: { rounds: 3, entries: 10_000, capacity: 1_000, hot: 500, operations: 30_000 },
    full: { rounds: 5, entries: 10_000, capacity: 1_000, hot: 500, operations: 200_000 },
  },
  cases: { hot: { title: '95 % of reads to 5 % of the keys' } },
  measures: {
    hitRatio: { label: 'hits in memory', unit: 'percent', better: 'higher', chart: true },
    memory: { label: 'hit in memory, median', unit: 'milliseconds', better: 'lower' },
    memoryTail: { label: 'hit in memory, 99th percentile', unit: 'milliseconds', better: 'lower' },
    disk: { label: 'hit on disk, median', unit: 'milliseconds', better: 'lower', chart: true },
    diskTail: { label: 'hit on disk, 99th percentile', unit: 'milliseconds', better: 'lower' },
  },
  floors: [
    { measure: 'hitRatio', atLeast: 90 },
    { measure: 'memoryTail', atMost: 1 },
    { measure: 'diskTail', atMost: 10 },
  ],
  contenders: { hotpath, files },

  check: (context) =>
    filled(context, async (cache) => {
      const answers = [];
      for (let id = 0; id < 200; id += 1) answers.push(await cache.get(userKey(id)));
      return digestOf([...answers, await cache.get('missing')]);
    }),

  run: (context) =>
    filled(context, async (cache) => {
      const { entries, hot, operations } = context.settings;
      const below = randomSource(17);
      const times = { memory: createHistogram(), disk: createHistogram() };
      let checksum = 0;
      let hits = 0;
      // A fifth before that warms up.
      for (let read = -operations / 5; read < operations; read += 1) {
        const id = below(100) < HOT_SHARE ? below(hot) * Math.floor(entries / hot) : below(entries);
        const before = process.hrtime.bigint();
        const { visits } = await cache.get(userKey(id));
        const took = Number(process.hrtime.bigint() - before);
        if (read < 0) continue;
        const level = /** @type {'memory' | 'disk'} */ (cache.level());
        times[level].record(Math.max(1, took));
        if (level === 'memory') hits += 1;
        checksum += visits;
      }
      return {
        measures: {
          hitRatio: (hits / operations) * 100,
          memory: milliseconds({ recordable: times.memory, rank: 50 }),
          memoryTail: milliseconds({ recordable: times.memory, rank: 99 }),
          disk: milliseconds({ recordable: times.disk, rank: 50 }),
          diskTail: milliseconds({ recordable: times.disk, rank: 99 }),
        },
        checksum,
      };
    }),
};
