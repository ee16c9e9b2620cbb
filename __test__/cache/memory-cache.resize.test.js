'use strict';

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { MemoryCache } = require('hotpath');

describe('MemoryCache: resize', () => {
  it('bounds the near cache anew, up and down', (t) => {
    const cache = new MemoryCache({ nearCache: { maxEntries: 100 } });
    t.after(() => cache.close());
    for (let index = 0; index < 1_000; index += 1) cache.set(`k${index}`, index);
    const readAll = () => {
      for (let round = 0; round < 3; round += 1) for (let index = 0; index < 1_000; index += 1) cache.get(`k${index}`);
    };
    readAll();
    assert.equal(cache.stats.nearMaxEntries, 100);
    assert.ok(cache.stats.nearEntries <= 100);
    cache.resize({ nearCache: { maxEntries: 1_000 } });
    readAll();
    assert.ok(cache.stats.nearEntries > 500, String(cache.stats.nearEntries));
    cache.resize({ nearCache: { maxEntries: 10 } });
    assert.ok(cache.stats.nearEntries <= 10, 'at once');
    readAll();
    assert.ok(cache.stats.nearEntries <= 10);
    assert.equal(cache.get('k5'), 5);
    const { maxEntries } = cache.stats;
    cache.resize({ nearCache: {} });
    assert.equal(cache.stats.maxEntries, maxEntries, 'and nothing else');
  });

  it('does nothing to a near cache that is off', (t) => {
    const cache = new MemoryCache({ nearCache: false });
    t.after(() => cache.close());
    cache.resize({ nearCache: { maxEntries: 10 } });
    assert.equal(cache.stats.nearMaxEntries, 0);
  });

  it('changes from how many bytes on values are compressed', (t) => {
    const cache = new MemoryCache({ compression: { thresholdBytes: 1_024 } });
    t.after(() => cache.close());
    const value = 'again and '.repeat(50);
    cache.set('before', value);
    assert.deepEqual([cache.stats.compression.entries, cache.stats.compression.thresholdBytes], [0, 1_024]);
    cache.resize({ compressionThresholdBytes: 100 });
    cache.set('after', value);
    assert.deepEqual([cache.stats.compression.entries, cache.stats.compression.thresholdBytes], [1, 100]);
    assert.equal(cache.get('before') + cache.get('after'), value + value);
    const plain = new MemoryCache();
    t.after(() => plain.close());
    plain.resize({ compressionThresholdBytes: 1 });
    plain.set('a', value);
    assert.deepEqual([plain.stats.compression.entries, plain.stats.compression.thresholdBytes], [0, null]);
  });
});
