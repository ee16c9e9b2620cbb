'use strict';

// Every public member of MultiLevelCache once, over the content that `fill` makes. The functions take nothing from outside:
// worker threads run them, too.

const OPERATIONS = {
  get: async (cache) => cache.get('a'),
  has: async (cache) => cache.has('a'),
  getMany: async (cache) => cache.getMany(['a', 'missing', 'b']),
  mget: async (cache) => cache.mget(['a', 'missing', 'b']),
  set: async (cache) => cache.set('new', { fresh: true }),
  put: async (cache) => cache.put('a', 'other', 60),
  setMany: async (cache) => cache.setMany({ x: 1, y: { z: 2 } }),
  mset: async (cache) => cache.mset([['x', 1]], 60),
  delete: async (cache) => cache.delete('a'),
  del: async (cache) => cache.del('missing'),
  deleteMany: async (cache) => cache.deleteMany(['a', 'missing', 'n']),
  keys: async (cache) => cache.keys('[a-n]'),
  deletePattern: async (cache) => cache.deletePattern('[ab]'),
  clear: async (cache) => cache.clear(),
  expire: async (cache) => cache.expire('a'),
  // How many left memory depends on what memory had room for.
  invalidateTags: async (cache) => typeof (await cache.invalidateTags('red')),
  getOrSet: async (cache) => [await cache.getOrSet('a', () => 'no'), await cache.getOrSet('made', (key) => ({ key }))],
  warmup: async (cache) => {
    const { durationMs, ...report } = await cache.warmup(['a', 'missing']);
    return { ...report, timed: durationMs >= 0 };
  },
  getMetrics: async (cache) => typeof cache.getMetrics().hitRate,
  stats: async (cache) => cache.stats.levels.length,
};

const ANSWERS = {
  get: { n: 1 },
  has: true,
  getMany: [{ n: 1 }, undefined, 'text'],
  mget: { a: { n: 1 }, b: 'text' },
  set: true,
  put: true,
  setMany: 2,
  mset: 1,
  delete: true,
  del: false,
  deleteMany: 2,
  keys: ['a', 'b', 'n'],
  deletePattern: 2,
  clear: undefined,
  expire: true,
  invalidateTags: 'number',
  getOrSet: [{ n: 1 }, { key: 'made' }],
  warmup: { total: 2, done: 2, present: 1, loaded: 0, missing: 1, failed: 0, timed: true },
  getMetrics: 'string',
  stats: 2,
};

/** What stays when the operation has run alone: the keys that later reads find. */
async function fill(cache) {
  await cache.setMany({ a: { n: 1 }, b: 'text', n: 5 });
  await cache.set('t', 'tagged', { tags: ['red'] });
}

/** What has tests of its own. */
const OTHER_MEMBERS = ['constructor', 'name', 'closed', 'isWarmingUp', 'close'];
const EMITTER = ['on', 'addListener', 'prependListener', 'off', 'removeListener', 'removeAllListeners'];

module.exports = { OPERATIONS, ANSWERS, OTHER_MEMBERS, EMITTER, fill };
