'use strict';

const { stateMatrix } = require('../support/matrix.js');
const { temporaryFolder } = require('../support/servers.js');

/** What all faces have, over three entries. */
const operations = {
  get: (cache) => cache.get('a'),
  set: (cache) => cache.set('new', { fresh: true }),
  put: (cache) => cache.put('a', 'other'),
  has: (cache) => cache.has('b'),
  delete: (cache) => cache.delete('a'),
  del: (cache) => cache.del('missing'),
  getMany: (cache) => cache.getMany(['a', 'missing', 'b']),
  clear: (cache) => cache.clear(),
};
const answers = {
  get: { n: 1 },
  set: true,
  put: true,
  has: true,
  delete: true,
  del: false,
  getMany: [{ n: 1 }, undefined, 'text'],
  clear: undefined,
};

/** What those have that stand on a MemoryCache alone. */
const bulk = {
  mget: (cache) => cache.mget(['a', 'missing', 'b']),
  setMany: (cache) => cache.setMany({ x: 1, y: { z: 2 } }),
  mset: (cache) => cache.mset([['x', 1]], 1_000),
  deleteMany: (cache) => cache.deleteMany(['a', 'missing', 'b']),
};
const bulkAnswers = { mget: { a: { n: 1 }, b: 'text' }, setMany: 2, mset: 1, deleteMany: 2 };

async function fill(cache) {
  await cache.set('a', { n: 1 });
  await cache.set('b', 'text');
}

stateMatrix('AdvancedCacheManager', {
  operations: {
    ...operations,
    ...bulk,
    deletePattern: (cache) => cache.deletePattern('a*'),
    warm: (cache) => cache.warm({ all: { keys: ['a', 'c'], loader: (key) => key } }),
    getStats: (cache) => cache.getStats().size >= 2,
  },
  answers: {
    ...answers,
    ...bulkAnswers,
    deletePattern: 1,
    warm: { all: { warmed: 2, failed: 0, errors: [] } },
    getStats: true,
  },
  others: ['stats'],
  fill,
  options: () => ({}),
  full: () => ({ maxSize: 2 }),
  inside: (cache, run) => {
    const loader = () => {
      run();
      return 1;
    };
    cache.warm({ all: { keys: ['loaded'], loader } });
  },
  close: 'close',
});

stateMatrix('CacheService', {
  operations: {
    ...operations,
    ...bulk,
    setWithPattern: (cache) => cache.setWithPattern('posts', 1, 'post'),
    getWithPattern: (cache) => cache.getWithPattern('posts', 2),
    delPattern: (cache) => cache.delPattern('a'),
    increment: (cache) => cache.increment('n', 60),
    setWithIntelligentTTL: (cache) => cache.setWithIntelligentTTL('a', 1),
    optimize: (cache) => cache.optimize().then(({ examined }) => examined),
    getStats: (cache) => cache.getStats().size >= 2,
  },
  answers: {
    ...answers,
    ...bulkAnswers,
    setWithPattern: true,
    getWithPattern: undefined,
    delPattern: 1,
    increment: 1,
    setWithIntelligentTTL: 300,
    optimize: 0,
    getStats: true,
  },
  others: ['stats'],
  fill,
  options: () => ({ prefix: 'matrix:' }),
  full: () => ({ maxMemoryMB: 0.02 }),
  close: 'close',
});

stateMatrix('AdvancedCache', {
  operations: {
    ...operations,
    init: (cache) => cache.init(),
    setStream: (cache) => cache.setStream('film', [Buffer.from('frames')]),
    getStream: (cache) => cache.getStream('missing'),
    getMetadata: (cache) => cache.getMetadata('b').then(({ level }) => level),
    preload: (cache) => cache.preload(['a', 'c'], (key) => key),
  },
  answers: {
    ...answers,
    init: undefined,
    setStream: 6,
    getStream: undefined,
    getMetadata: 'memory',
    preload: { memory: 1, promoted: 0, loaded: 1, missing: 0 },
  },
  others: ['stats', 'getStats', 'close'],
  fill,
  options: (t) => ({ directory: temporaryFolder(t) }),
  full: (t) => ({ directory: temporaryFolder(t), memoryLimit: 20_000, diskLimit: 1024 * 1024 }),
  inside: (cache, run) => {
    cache.once('cacheMiss', run);
    cache.get('missing');
  },
  close: 'shutdown',
});
