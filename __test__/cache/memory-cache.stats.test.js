'use strict';

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { openCache, waitFor } = require('../support');

const FIELDS = [
  'bytes',
  'compression',
  'deletes',
  'entries',
  'evictions',
  'eventsDropped',
  'expirations',
  'hitRatio',
  'hits',
  'loadFailures',
  'loads',
  'maxBytes',
  'maxEntries',
  'memoryPressure',
  'misses',
  'nearBytes',
  'nearEntries',
  'nearHits',
  'nearMaxBytes',
  'nearMaxEntries',
  'refusals',
  'sets',
];

describe('MemoryCache: stats', () => {
  it('has plain numbers, all of them from the start', (t) => {
    const { stats } = openCache(t);
    assert.deepEqual(Object.keys(stats).sort(), FIELDS.sort());
    for (const field of FIELDS.filter((name) => !['compression', 'memoryPressure'].includes(name)))
      assert.equal(typeof stats[field], 'number', field);
    for (const field of [
      'entries',
      'hits',
      'misses',
      'hitRatio',
      'nearHits',
      'nearEntries',
      'sets',
      'deletes',
      'evictions',
      'expirations',
      'refusals',
      'loads',
      'loadFailures',
      'eventsDropped',
    ]) {
      assert.equal(stats[field], 0, field);
    }
    assert.equal(stats.maxEntries, Infinity);
    assert.equal(stats.maxBytes, 100 * 1024 * 1024);
    assert.deepEqual(Object.keys(stats.compression).sort(), [
      'algorithm',
      'belowThreshold',
      'dictionary',
      'entries',
      'originalBytes',
      'ratio',
      'savedBytes',
      'skipped',
      'storedBytes',
      'thresholdBytes',
    ]);
    assert.equal(stats.compression.algorithm, null);
    assert.equal(stats.compression.entries, 0);
    assert.equal(stats.compression.ratio, 1);
  });

  it('shows the limits it was given', (t) => {
    assert.equal(openCache(t, { maxEntries: 77 }).stats.maxEntries, 77);
    assert.equal(openCache(t, { maxBytes: 123_456 }).stats.maxBytes, 123_456);
    assert.equal(openCache(t, { maxMemoryMB: 2 }).stats.maxBytes, 2 * 1024 * 1024);
    const share = openCache(t, { maxMemory: '1%' }).stats.maxBytes;
    const doubled = openCache(t, { maxMemory: '2%' }).stats.maxBytes;
    assert.ok(share > 0 && Number.isFinite(share));
    assert.ok(Math.abs(doubled - 2 * share) <= 2, `${doubled} is twice ${share}`);
  });

  it('counts hits and misses, near or not', (t) => {
    for (const nearCache of [true, false]) {
      const cache = openCache(t, { nearCache });
      cache.set('a', { n: 1 });
      for (let i = 0; i < 30; i += 1) cache.get('a');
      for (let i = 0; i < 10; i += 1) cache.get(`missing${i}`);
      const { hits, misses, hitRatio, nearHits } = cache.stats;
      assert.equal(hits, 30);
      assert.equal(misses, 10);
      assert.equal(hitRatio, 0.75);
      if (nearCache) assert.ok(nearHits > 0 && nearHits <= 30, `nearHits ${nearHits}`);
      else assert.equal(nearHits, 0);
    }
  });

  it('has and peek leave no trace', (t) => {
    const cache = openCache(t);
    cache.set('a', 1);
    for (const key of ['a', 'missing']) {
      cache.has(key);
      cache.peek(key);
      cache.getTtl(key);
    }
    assert.deepEqual([cache.stats.hits, cache.stats.misses], [0, 0]);
  });

  it('counts each key of a bulk read', (t) => {
    const cache = openCache(t);
    cache.setMany({ a: 1, b: 2 });
    cache.getMany(['a', 'b', 'c']);
    cache.mget(['a', 'd']);
    assert.equal(cache.stats.hits, 3);
    assert.equal(cache.stats.misses, 2);
  });

  it('counts each key of a bulk read once, however large its value', (t) => {
    const cache = openCache(t, { nearCache: false });
    cache.setMany({ small: 1, large: 'x'.repeat(500_000), bytes: Buffer.alloc(500_000) });
    cache.getMany(['large', 'small', 'missing', 'bytes', 'large']);
    assert.deepEqual([cache.stats.hits, cache.stats.misses], [4, 1]);
  });

  it('counts writes and deletes', (t) => {
    const cache = openCache(t);
    cache.set('a', 1);
    cache.set('a', 2);
    cache.setMany({ b: 1, c: 2, d: 3 });
    assert.equal(cache.stats.sets, 5);
    assert.equal(cache.stats.entries, 4);
    cache.delete('a');
    cache.delete('a');
    cache.deleteMany(['b', 'nothing']);
    assert.equal(cache.stats.deletes, 2);
    assert.equal(cache.stats.entries, 2);
  });

  it('weighs what it holds: more for more, nothing for nothing', (t) => {
    const cache = openCache(t);
    const empty = cache.stats.bytes;
    cache.set('k', 'x'.repeat(1_000));
    const one = cache.stats.bytes;
    assert.ok(one >= empty + 1_000, `${one} bytes hold 1,000`);
    cache.set('k', 'x'.repeat(50_000));
    const replaced = cache.stats.bytes;
    assert.ok(replaced >= one + 49_000, `${replaced} bytes hold 50,000`);
    cache.set('k', 1);
    assert.ok(cache.stats.bytes < one);
    cache.set(`k${'y'.repeat(10_000)}`, 1);
    assert.ok(cache.stats.bytes >= 10_000, 'keys have weight');
    cache.deleteMany(cache.keys());
    assert.equal(cache.stats.bytes, empty);
  });

  it('counts loads and their failures', async (t) => {
    const cache = openCache(t);
    await cache.getOrSet('a', () => 1);
    await cache.getOrSet('a', () => 2);
    await assert.rejects(
      cache.getOrSet('b', () => {
        throw new Error('down');
      }),
      { message: 'down' },
    );
    assert.equal(cache.stats.loads, 2);
    assert.equal(cache.stats.loadFailures, 1);
  });

  it('counts expirations apart from deletes and evictions', async (t) => {
    const cache = openCache(t);
    for (let i = 0; i < 10; i += 1) cache.set(`k${i}`, i, { ttlMs: 20 });
    await waitFor(() => cache.stats.expirations === 10, { what: 'ten expirations' });
    const { entries, deletes, evictions, bytes } = cache.stats;
    assert.deepEqual({ entries, deletes, evictions, bytes }, { entries: 0, deletes: 0, evictions: 0, bytes: 0 });
  });

  it('is a snapshot, not a view', (t) => {
    const cache = openCache(t);
    const before = cache.stats;
    cache.set('a', 1);
    assert.equal(before.sets, 0);
    before.sets = 99;
    assert.equal(cache.stats.sets, 1);
  });
});
