'use strict';

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { openCache, dice } = require('../support');

const TEXT = 'the same words again and again; '.repeat(3_000);
const NOISE = dice(11).bytes(50_000);
const ROWS = Array.from({ length: 500 }, (_, id) => ({ id, name: `customer ${id}`, city: 'Praha', active: true }));

for (const algorithm of ['lz4', 'zstd']) {
  describe(`MemoryCache compression: ${algorithm}`, () => {
    const open = (t, extra) => openCache(t, { nearCache: false, compression: { algorithm, ...extra } });

    it('keeps what compresses small, and says so', (t) => {
      const cache = open(t);
      cache.set('text', TEXT);
      cache.set('rows', ROWS);
      cache.set('bytes', Buffer.alloc(100_000, 'ab'));
      assert.equal(cache.get('text'), TEXT);
      assert.deepEqual(cache.get('rows'), ROWS);
      assert.deepEqual(cache.get('bytes'), Buffer.alloc(100_000, 'ab'));
      const { compression, bytes } = cache.stats;
      assert.equal(compression.algorithm, algorithm);
      assert.equal(compression.entries, 3);
      assert.ok(compression.originalBytes > TEXT.length + 100_000, `${compression.originalBytes} before`);
      assert.ok(compression.storedBytes < compression.originalBytes / 2, `${compression.storedBytes} after`);
      assert.ok(bytes < compression.originalBytes, 'the budget is charged for what is held');
      assert.equal(compression.ratio, compression.storedBytes / compression.originalBytes);
    });

    it('leaves what would not save a tenth', (t) => {
      const cache = open(t);
      cache.set('noise', NOISE);
      // 4 % of zeros: something could be saved, but not enough.
      const almost = Buffer.concat([NOISE, Buffer.alloc(2_000)]);
      cache.set('almost', almost);
      assert.equal(cache.stats.compression.entries, 0);
      assert.deepEqual(cache.get('noise'), NOISE);
      assert.deepEqual(cache.get('almost'), almost);
    });

    it('leaves what is below the threshold', (t) => {
      const cache = open(t);
      cache.set('small', 'a'.repeat(900));
      assert.equal(cache.stats.compression.entries, 0);
      cache.set('large', 'a'.repeat(1_200));
      assert.equal(cache.stats.compression.entries, 1);
      const lower = open(t, { thresholdBytes: 100 });
      lower.set('small', 'a'.repeat(900));
      lower.set('tiny', 'a'.repeat(50));
      assert.equal(lower.stats.compression.entries, 1);
      const higher = open(t, { thresholdBytes: 10_000 });
      higher.set('large', 'a'.repeat(5_000));
      assert.equal(higher.stats.compression.entries, 0);
    });

    it('forgets in its figures what it no longer holds', (t) => {
      const cache = open(t);
      cache.set('a', TEXT);
      cache.set('b', TEXT);
      cache.set('b', 'short');
      assert.equal(cache.stats.compression.entries, 1);
      cache.delete('a');
      const { entries, originalBytes, storedBytes } = cache.stats.compression;
      assert.deepEqual({ entries, originalBytes, storedBytes }, { entries: 0, originalBytes: 0, storedBytes: 0 });
      cache.set('c', TEXT);
      cache.clear();
      assert.equal(cache.stats.compression.entries, 0);
    });

    it('getBytes gives the original bytes', (t) => {
      const cache = open(t);
      cache.set('text', TEXT);
      cache.set('bytes', Buffer.alloc(5_000, 'ab'));
      cache.set('rows', ROWS);
      assert.equal(cache.getBytes('text').toString(), TEXT);
      assert.deepEqual(cache.getBytes('bytes'), Buffer.alloc(5_000, 'ab'));
      assert.equal(cache.getBytes('rows').toString(), JSON.stringify(ROWS));
    });

    it('fits more into the same memory', (t) => {
      const plain = openCache(t, { maxBytes: 1_000_000, nearCache: false, evictionPolicy: 'lru' });
      const packed = openCache(t, {
        maxBytes: 1_000_000,
        nearCache: false,
        evictionPolicy: 'lru',
        compression: { algorithm },
      });
      for (let i = 0; i < 40; i += 1) {
        plain.set(`k${i}`, TEXT);
        packed.set(`k${i}`, TEXT);
      }
      assert.equal(packed.size, 40);
      assert.ok(plain.size < 15, `${plain.size} uncompressed`);
    });
  });
}

describe('MemoryCache compression: choice', () => {
  it('true means lz4; false, and nothing said, mean none', (t) => {
    assert.equal(openCache(t, { compression: true }).stats.compression.algorithm, 'lz4');
    assert.equal(openCache(t, { compression: {} }).stats.compression.algorithm, 'lz4');
    assert.equal(openCache(t, { compression: false }).stats.compression.algorithm, null);
    const cache = openCache(t);
    cache.set('text', TEXT);
    assert.deepEqual(cache.stats.compression.algorithm, null);
    assert.equal(cache.stats.compression.entries, 0);
  });
});
