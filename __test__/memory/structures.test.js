'use strict';

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { BufferPool, CircularBuffer, LRUCache } = require('../..');
const { errors, waitFor } = require('../support');

describe('CircularBuffer', () => {
  it('keeps the last so many values', () => {
    const buffer = new CircularBuffer(3);
    assert.deepEqual([1, 2, 3, 4].map((value) => buffer.push(value)), [undefined, undefined, undefined, 1]); // biome-ignore format: rows
    assert.deepEqual([buffer.toArray(), [...buffer], buffer.size, buffer.isFull], [[2, 3, 4], [2, 3, 4], 3, true]);
    assert.deepEqual([buffer.get(0), buffer.get(-1), buffer.get(3), buffer.get(-4)], [2, 4, undefined, undefined]);
    assert.deepEqual([buffer.shift(), buffer.shift(), buffer.shift(), buffer.shift()], [2, 3, 4, undefined]);
    buffer.push(5);
    buffer.clear();
    assert.deepEqual([buffer.toArray(), buffer.size, buffer.isFull, buffer.capacity], [[], 0, false, 3]);
  });

  it('agrees with an array over many steps, in every type', () => {
    for (const type of ['any', 'float64', 'uint8', 'int32']) {
      const buffer = new CircularBuffer(7, type);
      const model = [];
      for (let step = 0; step < 500; step++) {
        if ((step * 7919) % 5 === 0) assert.equal(buffer.shift(), model.shift());
        else {
          const overwritten = buffer.push(step % 200);
          assert.equal(model.push(step % 200) > 7 ? model.shift() : undefined, overwritten);
        }
        assert.deepEqual(buffer.toArray(), model);
      }
    }
  });

  it('converts as typed arrays do, and refuses other types', () => {
    const bytes = new CircularBuffer(2, 'uint8');
    bytes.push(257);
    assert.equal(bytes.get(0), 1);
    const wide = new CircularBuffer(1, 'bigint64');
    assert.throws(() => wide.push(1), TypeError);
    assert.equal(wide.size, 0);
    assert.throws(() => new CircularBuffer(0), errors.outOfRange('capacity'));
    assert.throws(() => new CircularBuffer(1, 'number'), errors.outOfRange('type'));
    assert.throws(() => new CircularBuffer(1).get('0'), errors.invalidType('index'));
  });
});

describe('BufferPool', () => {
  it('lends buffers, and makes more when there are none', () => {
    const pool = new BufferPool(16, 2);
    const lent = [pool.acquire(), pool.acquire(), pool.acquire()];
    assert.equal(new Set(lent).size, 3);
    assert.ok(lent.every((buffer) => buffer.length === 16));
    assert.deepEqual(pool.stats, { size: 16, count: 2, available: 0, inUse: 3, created: 3, reused: 2, discarded: 0, bytes: 48 }); // biome-ignore format: shape
    for (const buffer of lent) pool.release(buffer);
    assert.deepEqual([pool.stats.available, pool.stats.discarded, pool.stats.inUse], [2, 1, 0]);
    assert.equal(pool.trim(), 2);
    assert.equal(pool.stats.bytes, 0);
  });

  it('takes back only what it has lent, once', () => {
    const pool = new BufferPool(8, 1);
    const buffer = pool.acquire();
    pool.release(buffer);
    const wrong = { code: 'ERR_HOTPATH_NOT_ACQUIRED' };
    assert.throws(() => pool.release(buffer), wrong);
    assert.throws(() => pool.release(Buffer.alloc(8)), wrong);
    assert.throws(() => pool.release('x'), errors.invalidType('buffer'));
  });

  it('lends for the time of a function', async () => {
    const pool = new BufferPool(8, 1, { zeroFill: true });
    pool.acquire().fill(7);
    const seen = await pool.use(async (buffer) => {
      assert.equal(pool.stats.inUse, 2);
      return buffer.every((byte) => byte === 0);
    });
    assert.equal(seen, true);
    await assert.rejects(
      pool.use(() => Promise.reject(new Error('mine'))),
      /mine/,
    );
    await assert.rejects(pool.use(5), errors.invalidType('use'));
    assert.equal(pool.stats.inUse, 1);
  });

  it('does not keep what was transferred away', () => {
    const pool = new BufferPool(8, 1);
    const buffer = pool.acquire();
    structuredClone(buffer.buffer, { transfer: [buffer.buffer] });
    pool.release(buffer);
    assert.equal(pool.acquire().length, 8);
  });

  it('checks its arguments', () => {
    assert.throws(() => new BufferPool(0, 1), errors.outOfRange('size'));
    assert.throws(() => new BufferPool(2 ** 50, 0), errors.outOfRange('size'));
    assert.throws(() => new BufferPool(1), errors.invalidType('count'));
    assert.throws(() => new BufferPool(1, 1, { zero: true }), errors.unknownOption('zero', 'zeroFill'));
  });
});

describe('LRUCache', () => {
  it('gives up what was not used for longest', () => {
    const cache = new LRUCache({ max: 2 });
    cache.set('a', 1);
    cache.set('b', 2);
    assert.equal(cache.get('a'), 1);
    cache.set('c', 3);
    assert.deepEqual([...cache.keys()], ['c', 'a']);
    assert.deepEqual([cache.has('b'), cache.peek('b'), cache.get('b')], [false, undefined, undefined]);
    assert.deepEqual(cache.stats, { entries: 2, bytes: 0, hits: 1, misses: 1, evictions: 1, expirations: 0 });
  });

  it('keeps live values under keys of any kind', () => {
    const cache = new LRUCache();
    const [key, value] = [{}, () => {}];
    cache.set(key, value);
    cache.set(NaN, undefined);
    assert.equal(cache.get(key), value);
    assert.deepEqual([cache.has(NaN), cache.size], [true, 2]);
    assert.equal(cache.delete(key), true);
    assert.equal(cache.delete(key), false);
    cache.clear();
    assert.equal(cache.size, 0);
  });

  it('counts bytes, by estimate or by the caller’s own measure', () => {
    const cache = new LRUCache({ maxBytes: 10, sizeOf: (value) => value.length });
    cache.set(1, 'xxxx');
    cache.set(2, 'xxxx');
    assert.equal(cache.bytes, 8);
    cache.set(3, 'xxx');
    assert.deepEqual([...cache], [[3, 'xxx'], [2, 'xxxx']]); // biome-ignore format: rows
    assert.equal(cache.set(4, 'x'.repeat(11)), false);
    cache.set(2, 'x');
    assert.equal(cache.bytes, 4);
    assert.throws(() => new LRUCache({ maxBytes: 10, sizeOf: () => -1 }).set(1, 1), errors.outOfRange('sizeOf'));
    const estimated = new LRUCache({ maxBytes: 100_000 });
    const circular = { list: [1, 2, 3], bytes: Buffer.alloc(50_000), text: 'ü漢'.repeat(1000) };
    circular.self = circular;
    assert.equal(estimated.set('a', circular), true);
    assert.ok(estimated.bytes > 54_000 && estimated.bytes < 56_000, `${estimated.bytes}`);
    assert.equal(estimated.set('b', Buffer.alloc(200_000)), false);
  });

  it('forgets what has lived long enough', async () => {
    const cache = new LRUCache({ ttl: 5 });
    cache.set('short', 1);
    cache.set('long', 2, { ttl: Infinity });
    await waitFor(() => !cache.has('short'));
    assert.deepEqual([cache.get('long'), cache.size, cache.stats.expirations], [2, 1, 1]);
    cache.set('again', 3, { ttl: 1 });
    await waitFor(() => cache.prune() === 1);
    assert.equal(cache.size, 1);
  });

  it('checks its options', () => {
    assert.throws(() => new LRUCache({ max: 0 }), errors.outOfRange('options.max'));
    assert.throws(() => new LRUCache({ ttl: -1 }), errors.outOfRange('options.ttl'));
    assert.throws(() => new LRUCache({ maxByte: 1 }), errors.unknownOption('maxByte', 'maxBytes'));
    assert.throws(() => new LRUCache().set('a', 1, { ttl: '1' }), errors.invalidType('options.ttl'));
  });
});
