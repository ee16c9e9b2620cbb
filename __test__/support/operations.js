'use strict';

// Every public member of MemoryCache once, over the content that `fill` makes. The state matrix runs the table in every state;
// a member that is missing here fails a test of its own.

const { openCache } = require('./caches');
const { settled } = require('./wait');

/** Content on which every operation finds something to do. */
function fill(cache) {
  cache.set('a', { n: 1 }, { tags: ['t'] });
  cache.set('b', 'text');
  cache.set('n', 5);
}

const bySpelling = ([left], [right]) => (left < right ? -1 : 1);

const OPERATIONS = {
  set: (cache) => cache.set('new', { fresh: true }),
  put: (cache) => cache.put('a', 'other'),
  get: (cache) => cache.get('a'),
  peek: (cache) => cache.peek('a'),
  has: (cache) => cache.has('a'),
  delete: (cache) => cache.delete('a'),
  del: (cache) => cache.del('b'),
  take: (cache) => cache.take('a'),
  touch: (cache) => cache.touch('a', 1_000),
  getTtl: (cache) => cache.getTtl('b'),
  increment: (cache) => cache.increment('n', 2),
  getBytes: (cache) => cache.getBytes('a')?.toString(),
  getMany: (cache) => cache.getMany(['a', 'missing', 'b']),
  mget: (cache) => ({ ...cache.mget(['a', 'missing', 'b']) }),
  setMany: (cache) => cache.setMany({ x: 1, y: { z: 2 } }),
  mset: (cache) => cache.mset([['x', 1]], 1_000),
  deleteMany: (cache) => cache.deleteMany(['a', 'missing', 'n']),
  keys: (cache) => cache.keys('?').sort(),
  entries: (cache) => [...cache.entries()].sort(bySpelling),
  iterator: (cache) => [...cache].sort(bySpelling),
  deletePattern: (cache) => cache.deletePattern('[ab]'),
  invalidateTags: (cache) => cache.invalidateTags(['t']),
  getOrSet: (cache) => cache.getOrSet('loaded', () => 'value'),
  resize: (cache) => cache.resize({ maxMemoryMB: 50 }),
  validate: (cache) => cache.validate(),
  clear: (cache) => cache.clear(),
  size: (cache) => cache.size,
  // Only what no other operation of the same scene disturbs.
  stats: ({ stats }) => ({
    entries: stats.entries,
    maxEntries: stats.maxEntries,
    refusals: stats.refusals,
    fields: Object.keys(stats).length,
  }),
};

/** Members that have tests of their own: ends and names, the emitter's part, and what MemoryOptimizedCache calls. */
const OTHER_MEMBERS = [
  'constructor',
  'close',
  'closed',
  'name',
  'evict',
  'on',
  'addListener',
  'prependListener',
  'off',
  'removeListener',
  'removeAllListeners',
];

/** The content in a comparable form. */
const content = (cache) => [...cache.entries()].sort(bySpelling);

/** What an operation gives (a promise's value, too) and what it leaves behind. */
async function outcome(cache, name) {
  const result = await settled(Promise.resolve(OPERATIONS[name](cache)), { what: name });
  cache.validate();
  return { result, content: content(cache) };
}

/** The reference: the same operation on the same content with nothing going on around it. */
async function calmOutcome(t, name, options) {
  const cache = openCache(t, options);
  fill(cache);
  return outcome(cache, name);
}

module.exports = { OPERATIONS, OTHER_MEMBERS, fill, content, outcome, calmOutcome };
