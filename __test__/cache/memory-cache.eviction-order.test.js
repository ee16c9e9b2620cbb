'use strict';

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { openCache, recordEvents } = require('../support');

describe('MemoryCache order of eviction: lru', () => {
  // The near cache reports its hits in batches; the exact order is the native store's.
  const open = (t) => {
    const cache = openCache(t, { maxEntries: 3, evictionPolicy: 'lru', nearCache: false });
    cache.set('a', 1);
    cache.set('b', 2);
    cache.set('c', 3);
    return cache;
  };
  const left = (cache) => cache.keys().sort().join('');

  it('the oldest goes first', (t) => {
    const cache = open(t);
    cache.set('d', 4);
    assert.equal(left(cache), 'bcd');
    cache.set('e', 5);
    assert.equal(left(cache), 'cde');
  });

  for (const [what, use] of Object.entries({
    get: (cache) => cache.get('a'),
    getMany: (cache) => cache.getMany(['a']),
    mget: (cache) => cache.mget(['a']),
    'set again': (cache) => cache.set('a', 'new'),
    increment: (cache) => cache.increment('a'),
  })) {
    it(`${what} refreshes`, (t) => {
      const cache = open(t);
      use(cache);
      cache.set('d', 4);
      assert.equal(left(cache), 'acd');
    });
  }

  it('getOrSet refreshes what it finds', async (t) => {
    const cache = open(t);
    await cache.getOrSet('a', () => 'never');
    cache.set('d', 4);
    assert.equal(left(cache), 'acd');
  });

  for (const [what, look] of Object.entries({
    peek: (cache) => cache.peek('a'),
    has: (cache) => cache.has('a'),
    entries: (cache) => [...cache.entries()],
    keys: (cache) => cache.keys('a*'),
    getTtl: (cache) => cache.getTtl('a'),
    stats: (cache) => cache.stats,
  })) {
    it(`${what} does not`, (t) => {
      const cache = open(t);
      look(cache);
      cache.set('d', 4);
      assert.equal(left(cache), 'bcd');
    });
  }

  it('resize keeps what was used last', (t) => {
    const cache = openCache(t, { maxEntries: 100, evictionPolicy: 'lru', nearCache: false });
    for (let i = 0; i < 100; i += 1) cache.set(`k${i}`, i);
    for (let i = 0; i < 10; i += 1) cache.get(`k${i}`);
    cache.resize({ maxEntries: 20 });
    const expected = [
      ...Array.from({ length: 10 }, (_, i) => `k${i}`),
      ...Array.from({ length: 10 }, (_, i) => `k${90 + i}`),
    ];
    assert.deepEqual(cache.keys().sort(), expected.sort());
  });

  it('a delete makes room', (t) => {
    const cache = open(t);
    const log = recordEvents(cache, ['evict']);
    cache.delete('b');
    cache.set('d', 4);
    assert.equal(left(cache), 'acd');
    assert.deepEqual(log, []);
    cache.set('e', 5);
    assert.deepEqual(log, [['evict', 'a', 1]]);
  });

  it('what the near cache serves counts as used', (t) => {
    const cache = openCache(t, { maxEntries: 100, evictionPolicy: 'lru' });
    cache.set('hot', { hot: true });
    for (let i = 0; i < 2_000; i += 1) {
      cache.set(`cold${i}`, i);
      for (let j = 0; j < 20; j += 1) assert.deepEqual(cache.get('hot'), { hot: true }, `after ${i} cold writes`);
    }
  });
});

describe('MemoryCache order of eviction: the near cache', () => {
  for (const evictionPolicy of ['adaptive', 'tinylfu', 'lru']) {
    it(`${evictionPolicy}: keys that it serves all the time stay`, (t) => {
      const cache = openCache(t, { maxEntries: 500, evictionPolicy });
      const hot = Array.from({ length: 50 }, (_, i) => `hot${i}`);
      let lost = 0;
      for (let i = 0; i < 10_000; i += 1) {
        cache.set(`cold${i}`, i);
        for (let j = 0; j < 20; j += 1) {
          const key = hot[(i * 20 + j) % hot.length];
          if (cache.get(key) !== undefined) continue;
          cache.set(key, { key });
          // While the cache fills up nothing is known of any key yet.
          if (i >= 2_000) lost += 1;
        }
      }
      assert.ok(cache.stats.nearHits > 150_000, `${cache.stats.nearHits} of 200,000 reads were near`);
      assert.ok(cache.stats.evictions > 5_000);
      assert.ok(lost < 20, `${lost} of 160,000 reads of hot keys found nothing`);
    });
  }

  it('adaptive: a resize keeps what is hot', (t) => {
    const cache = openCache(t, { maxEntries: 200, evictionPolicy: 'adaptive', nearCache: false });
    for (let i = 0; i < 200; i += 1) cache.set(`k${i}`, i);
    for (let round = 0; round < 5; round += 1) for (let i = 0; i < 20; i += 1) cache.get(`k${i}`);
    cache.resize({ maxEntries: 50 });
    const kept = Array.from({ length: 20 }, (_, i) => `k${i}`).filter((key) => cache.has(key)).length;
    assert.ok(kept >= 18, `${kept} of 20 hot keys left`);
  });
});

describe('MemoryCache order of eviction: the policies that weigh how often', () => {
  for (const evictionPolicy of ['adaptive', 'tinylfu']) {
    it(`${evictionPolicy} keeps what is read often through a scan`, (t) => {
      for (const nearCache of [true, false]) {
        const cache = openCache(t, { maxEntries: 100, evictionPolicy, nearCache });
        const hot = Array.from({ length: 20 }, (_, i) => `hot${i}`);
        for (const key of hot) cache.set(key, { key });
        for (let round = 0; round < 50; round += 1) for (const key of hot) cache.get(key);
        for (let i = 0; i < 3_000; i += 1) {
          cache.set(`scan${i}`, i);
          if (i % 10 === 0) for (const key of hot) cache.get(key);
        }
        const kept = hot.filter((key) => cache.has(key)).length;
        assert.ok(kept >= 18, `${kept} of 20 hot keys left`);
      }
    });
  }
});
