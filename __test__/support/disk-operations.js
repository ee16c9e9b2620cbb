'use strict';

// Every public member of DiskCache once, over the content that `fill` makes; see operations.js.

const { drained } = require('./disks');

/** Content on which every operation finds something to do. */
async function fill(cache) {
  await cache.setMany({ a: { n: 1 }, b: 'text', n: 5 });
}

const bytesOf = async (stream) => stream && (await drained(stream)).toString();

const OPERATIONS = {
  set: (cache) => cache.set('new', { fresh: true }),
  put: (cache) => cache.put('a', 'other'),
  get: (cache) => cache.get('a'),
  getSync: async (cache) => cache.getSync('b'),
  has: (cache) => cache.has('a'),
  delete: (cache) => cache.delete('a'),
  del: (cache) => cache.del('b'),
  touch: (cache) => cache.touch('a', Number.POSITIVE_INFINITY),
  getTtl: async (cache) => (await cache.getTtl('b')) > 0,
  increment: (cache) => cache.increment('n', 2),
  getMany: (cache) => cache.getMany(['a', 'missing', 'b']),
  mget: (cache) => cache.mget(['a', 'missing', 'b']),
  setMany: (cache) => cache.setMany({ x: 1, y: { z: 2 } }),
  mset: (cache) => cache.mset([['x', 1]], 1_000),
  deleteMany: (cache) => cache.deleteMany(['a', 'missing', 'n']),
  keys: async (cache) => (await cache.keys('?')).sort(),
  deletePattern: (cache) => cache.deletePattern('[ab]'),
  setStream: (cache) => cache.setStream('streamed', ['one', Buffer.from('two')]),
  getStream: async (cache) => bytesOf(await cache.getStream('a')),
  clear: (cache) => cache.clear(),
  compact: (cache) => cache.compact(),
  validate: (cache) => cache.validate(),
  size: async (cache) => cache.size,
  stats: async (cache) => cache.stats.diskLimit,
};

/** Members that are not operations on the content. */
const OTHER_MEMBERS = [
  'constructor',
  'name',
  'directory',
  'closed',
  'close',
  'on',
  'off',
  'addListener',
  'removeListener',
  'removeAllListeners',
  'prependListener',
];

/** The whole content, in a comparable form. */
async function content(cache) {
  const keys = (await cache.keys()).sort();
  return Promise.all(keys.map(async (key) => [key, await cache.get(key)]));
}

module.exports = { OPERATIONS, OTHER_MEMBERS, fill, content };
