'use strict';

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { openCache, recordEvents, dice, errors } = require('../support');

const BOUNDED_BY_ENTRIES = (policy) => ({ maxEntries: 50, evictionPolicy: policy });
const BOUNDED_BY_BYTES = (policy) => ({ maxBytes: 200_000, evictionPolicy: policy });

for (const evictionPolicy of ['adaptive', 'tinylfu', 'lru']) {
  describe(`MemoryCache bounds: ${evictionPolicy}`, () => {
    it('never holds more entries than it may, after any write', async (t) => {
      const cache = openCache(t, BOUNDED_BY_ENTRIES(evictionPolicy));
      for (let i = 0; i < 1_000; i += 1) {
        cache.set(`k${i}`, { i });
        assert.ok(cache.size <= 50, `${cache.size} after ${i}`);
        if (i % 3 === 0) cache.get(`k${i - 10}`);
      }
      assert.ok(cache.size >= 40, `${cache.size} of 50 used`);
      for (let i = 0; i < 200; i += 1) {
        cache.increment(`n${i}`);
        assert.ok(cache.size <= 50);
        await cache.getOrSet(`loaded${i}`, () => i);
        assert.ok(cache.size <= 50);
        cache.setMany(Array.from({ length: 80 }, (_, j) => [`many${j}`, i]));
        assert.ok(cache.size <= 50);
      }
      assert.equal(cache.keys().length, cache.size);
      assert.equal(cache.stats.entries, cache.size);
    });

    it('never holds more bytes than it may', (t) => {
      const cache = openCache(t, BOUNDED_BY_BYTES(evictionPolicy));
      const { below } = dice(5);
      for (let i = 0; i < 2_000; i += 1) {
        cache.set(`k${below(300)}`, 'x'.repeat(below(20_000)));
        const { bytes, maxBytes } = cache.stats;
        assert.ok(bytes <= maxBytes, `${bytes} after ${i}`);
      }
      assert.equal(cache.stats.maxBytes, 200_000);
      assert.ok(cache.stats.bytes > 100_000, `${cache.stats.bytes} used`);
      assert.ok(cache.stats.evictions > 100);
    });

    it('counts every entry that left, with one event each', (t) => {
      const cache = openCache(t, BOUNDED_BY_ENTRIES(evictionPolicy));
      const log = recordEvents(cache, ['evict']);
      const values = new Map();
      for (let i = 0; i < 500; i += 1) {
        values.set(`k${i}`, { i });
        cache.set(`k${i}`, { i });
      }
      assert.equal(cache.stats.evictions, 500 - cache.size);
      assert.equal(log.length, cache.stats.evictions);
      assert.equal(new Set(log.map(([, key]) => key)).size, log.length);
      for (const [, key, value] of log) {
        assert.deepEqual(value, values.get(key));
        assert.equal(cache.has(key), false);
      }
    });

    it('an entry of one cache of one', (t) => {
      const cache = openCache(t, { maxEntries: 1, evictionPolicy });
      for (let i = 0; i < 50; i += 1) {
        cache.set(`k${i}`, i);
        assert.equal(cache.size, 1);
      }
      cache.clear();
      cache.set('a', 1);
      cache.set('a', 2);
      assert.equal(cache.get('a'), 2);
      assert.equal(cache.size, 1);
    });

    it('refuses a value that could never fit, and removes the old one', (t) => {
      for (const nearCache of [true, false]) {
        const cache = openCache(t, { maxBytes: 100_000, evictionPolicy, nearCache });
        cache.set('k', { old: true }, { tags: ['t'] });
        cache.set('other', 'stays');
        assert.deepEqual(cache.get('k'), { old: true });
        assert.equal(cache.set('k', 'x'.repeat(150_000)), false);
        assert.equal(cache.get('k'), undefined);
        assert.equal(cache.has('k'), false);
        assert.equal(cache.stats.refusals, 1);
        assert.equal(cache.set(`key${'y'.repeat(150_000)}`, 1), false);
        assert.equal(cache.stats.refusals, 2);
        assert.equal(cache.invalidateTags('t'), 0);
        assert.deepEqual(cache.keys(), ['other']);
        assert.equal(cache.set('k', 'fits again'), true);
        assert.equal(cache.get('k'), 'fits again');
      }
    });

    it('a loaded value that does not fit goes to its callers all the same', async (t) => {
      const cache = openCache(t, { maxBytes: 100_000, evictionPolicy });
      const huge = 'x'.repeat(150_000);
      const [first, second] = await Promise.all([
        cache.getOrSet('k', async () => huge),
        cache.getOrSet('k', () => 'never called'),
      ]);
      assert.ok(first === huge && second === huge);
      assert.equal(cache.has('k'), false);
    });

    it('shrinks and grows', (t) => {
      const cache = openCache(t, { maxEntries: 100, evictionPolicy });
      const log = recordEvents(cache, ['evict']);
      for (let i = 0; i < 100; i += 1) cache.set(`k${i}`, i);
      assert.equal(cache.size, 100);
      cache.resize({ maxEntries: 10 });
      assert.equal(cache.stats.maxEntries, 10);
      assert.ok(cache.size <= 10);
      assert.equal(log.length, 100 - cache.size);
      assert.equal(cache.stats.evictions, 100 - cache.size);
      for (let i = 0; i < 100; i += 1) {
        cache.set(`again${i}`, i);
        assert.ok(cache.size <= 10);
      }
      cache.resize({ maxEntries: 1_000 });
      cache.clear();
      for (let i = 0; i < 1_000; i += 1) cache.set(`k${i}`, i);
      assert.equal(cache.size, 1_000);
    });

    it('shrinks and grows by bytes', (t) => {
      const cache = openCache(t, { maxBytes: 1_000_000, evictionPolicy });
      for (let i = 0; i < 80; i += 1) cache.set(`k${i}`, 'x'.repeat(10_000));
      assert.equal(cache.size, 80);
      for (const [limits, expected] of [
        [{ maxBytes: 100_000 }, 100_000],
        [{ maxMemoryMB: 2 }, 2 * 1024 * 1024],
      ]) {
        cache.resize(limits);
        assert.equal(cache.stats.maxBytes, expected);
        assert.ok(cache.stats.bytes <= expected);
        for (let i = 0; i < 300; i += 1) {
          cache.set(`again${i}`, 'x'.repeat(10_000));
          assert.ok(cache.stats.bytes <= expected);
        }
      }
      assert.ok(cache.size > 100, `${cache.size} entries in 2 MiB`);
      cache.resize({ maxMemory: '1%' });
      assert.ok(cache.stats.maxBytes > 0);
      assert.ok(cache.stats.bytes <= cache.stats.maxBytes);
    });

    it('resize changes what it is told and nothing else', (t) => {
      const cache = openCache(t, { maxEntries: 100, maxBytes: 1_000_000, evictionPolicy });
      cache.set('k', 1);
      cache.resize({ maxEntries: 50 });
      assert.equal(cache.stats.maxBytes, 1_000_000);
      cache.resize({ maxBytes: 500_000 });
      assert.equal(cache.stats.maxEntries, 50);
      cache.resize({});
      assert.deepEqual([cache.stats.maxEntries, cache.stats.maxBytes], [50, 500_000]);
      assert.throws(() => cache.resize({ maxEntries: 0 }), errors.outOfRange('maxEntries'));
      assert.throws(() => cache.resize({ maxBytes: 1, maxMemoryMB: 1 }), { name: 'TypeError' });
      assert.throws(() => cache.resize({ maxEntires: 5 }), errors.unknownOption('maxEntires', 'maxEntries'));
      assert.deepEqual([cache.stats.maxEntries, cache.stats.maxBytes], [50, 500_000]);
      assert.equal(cache.get('k'), 1);
    });
  });
}
