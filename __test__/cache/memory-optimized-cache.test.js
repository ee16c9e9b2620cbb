'use strict';

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { MemoryCache, MemoryOptimizedCache } = require('../..');
const { NAMESPACE } = require('../../lib/cache/memory-options.js');
const { errors, turnOfTheLoop, uniqueName } = require('../support');

function open(t, options) {
  const cache = new MemoryOptimizedCache(options);
  t.after(() => cache.close());
  return cache;
}

describe('MemoryOptimizedCache: keys and values', () => {
  it('stores, reads and deletes behind promises', async (t) => {
    const cache = open(t);
    assert.equal(await cache.get('a'), undefined);
    assert.equal(await cache.put('a', { b: [new Date(0)] }), true);
    assert.deepEqual(await cache.get('a'), { b: [new Date(0)] });
    assert.equal(await cache.set('c', 1), true);
    assert.deepEqual([await cache.has('c'), await cache.has('d')], [true, false]);
    assert.deepEqual([await cache.delete('a'), await cache.delete('a')], [true, false]);
    assert.deepEqual([await cache.del('c'), await cache.del('c')], [true, false]);
    assert.equal(cache.entryCount, 0);
  });

  it('takes a time to live in seconds, and none for none, null or 0', async (t) => {
    const name = uniqueName('optimized');
    const cache = open(t, { name });
    const inside = new MemoryCache({ name, [NAMESPACE]: 'MemoryOptimizedCache' });
    t.after(() => inside.close());
    await cache.put('minute', 1, 60);
    assert.ok(inside.getTtl('minute') > 0 && inside.getTtl('minute') <= 60_000);
    for (const ttl of [undefined, null, 0]) {
      await cache.put('forever', 1, ttl);
      assert.equal(inside.getTtl('forever'), Number.POSITIVE_INFINITY);
    }
  });

  it('counts bytes and entries, and forgets them all', async (t) => {
    const cache = open(t);
    await cache.put('a', 'x'.repeat(10_000));
    assert.equal(cache.entryCount, 1);
    assert.ok(cache.memoryUsage >= 10_000);
    assert.equal(cache.stats.entries, 1);
    await cache.clear();
    assert.deepEqual([cache.entryCount, cache.memoryUsage], [0, 0]);
  });

  it('refuses what is larger than the whole cache', async (t) => {
    const cache = open(t, { maxMemoryMB: 1 });
    assert.equal(await cache.put('big', Buffer.alloc(2 << 20)), false);
    assert.equal(await cache.get('big'), undefined);
  });

  it('rejects, and never throws, for bad arguments', async (t) => {
    const cache = open(t);
    const calls = [
      [() => cache.get(1), errors.invalidType('key')],
      [() => cache.has(Symbol('key')), errors.invalidType('key')],
      [() => cache.delete(null), errors.invalidType('key')],
      [() => cache.put({}, 1), errors.invalidType('key')],
      [() => cache.put('a', () => 1), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE', message: /value/ }],
      [() => cache.put('a', 1, -1), { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' }],
      [() => cache.put('a', 1, Number.NaN), { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' }],
      [() => cache.evictEntries('1'), errors.invalidType('bytes')],
      [() => cache.evictEntries(-1), errors.outOfRange('bytes')],
      [() => cache.evictEntries(Number.NaN), errors.outOfRange('bytes')],
    ];
    for (const [call, expected] of calls) await assert.rejects(call(), expected, String(call));
    assert.equal(cache.entryCount, 0);
  });
});

describe('MemoryOptimizedCache: options', () => {
  it('has the defaults of its documentation', (t) => {
    const { maxBytes, maxEntries, compression } = open(t).stats;
    assert.deepEqual([maxBytes, maxEntries, compression.algorithm], [100 * 2 ** 20, 10_000, null]);
  });

  it('takes LRU in any case', (t) => {
    for (const evictionPolicy of ['LRU', 'lru', 'Lru', 'TinyLFU']) open(t, { evictionPolicy });
  });

  it('rejects what is wrong, and what belongs to MemoryCache alone', () => {
    const open = (options) => () => new MemoryOptimizedCache(options);
    assert.throws(open({ maxMemory: '20%' }), errors.unknownOption('maxMemory', 'maxMemoryMB'));
    assert.throws(open({ maxEntrys: 1 }), errors.unknownOption('maxEntrys', 'maxEntries'));
    assert.throws(open({ maxMemoryMB: '1' }), errors.invalidType('maxMemoryMB'));
    assert.throws(open({ maxEntries: 0 }), errors.outOfRange('maxEntries'));
    assert.throws(open({ name: '' }), errors.outOfRange('name'));
    assert.throws(open(null), errors.invalidType('options'));
  });

  it('shares a named cache, and only explicit options must agree', async (t) => {
    const name = uniqueName('optimized');
    const first = open(t, { name, maxMemoryMB: 10, maxEntries: 50 });
    const second = open(t, { name });
    await first.put('a', 1);
    assert.equal(await second.get('a'), 1);
    assert.equal(second.stats.maxEntries, 50);
    assert.throws(() => new MemoryOptimizedCache({ name, maxEntries: 51 }), { name: 'HotpathConflictError' });
  });

  it('keeps its names apart from those of MemoryCache', async (t) => {
    const name = uniqueName('optimized');
    const other = new MemoryCache({ name });
    t.after(() => other.close());
    await open(t, { name }).put('a', 1);
    assert.equal(other.has('a'), false);
  });
});

describe('MemoryOptimizedCache: memory', () => {
  it('evicts at least as many bytes as asked for', async (t) => {
    const cache = open(t, { maxMemoryMB: 4 });
    for (let i = 0; i < 100; i++) await cache.put(`key:${i}`, Buffer.alloc(10_000));
    const before = cache.memoryUsage;
    const freed = await cache.evictEntries(200_000);
    assert.ok(freed >= 200_000, `freed ${freed}`);
    assert.equal(cache.memoryUsage, before - freed);
    assert.ok(cache.entryCount > 0);
    assert.equal(cache.stats.maxBytes, 4 * 2 ** 20, 'the limit is as it was');
  });

  it('evicts down to 80 % when more than that is in use', async (t) => {
    const cache = open(t, { maxMemoryMB: 1 });
    for (let i = 0; i < 100; i++) await cache.put(`key:${i}`, Buffer.alloc(10_000));
    await cache.evictEntries(1);
    assert.ok(cache.memoryUsage <= 0.8 * 2 ** 20, `${cache.memoryUsage} bytes`);
  });

  it('evicts everything when asked for more than there is, and nothing for nothing', async (t) => {
    const cache = open(t);
    assert.equal(await cache.evictEntries(100), 0);
    await cache.put('a', 'value');
    assert.equal(await cache.evictEntries(0), 0);
    const held = cache.memoryUsage;
    assert.equal(await cache.evictEntries(Number.POSITIVE_INFINITY), held);
    assert.equal(cache.entryCount, 0);
  });

  it('estimates how much a value takes', (t) => {
    const cache = open(t);
    const small = cache.estimateSize({ a: 1 });
    const large = cache.estimateSize({ a: 'x'.repeat(10_000) });
    assert.ok(small > 0 && small < 100, `${small}`);
    assert.ok(large >= 10_000 && large < 10_200, `${large}`);
    assert.equal(cache.entryCount, 0);
    assert.throws(() => cache.estimateSize({ f: () => 1 }), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
  });

  it('knows the ratio of compression once something is compressed', async (t) => {
    const cache = open(t, { compression: true });
    assert.equal(cache.compressionRatio, 0);
    await cache.put('a', 'compressible '.repeat(10_000));
    assert.ok(cache.compressionRatio > 0 && cache.compressionRatio < 0.5, `${cache.compressionRatio}`);
  });
});

describe('MemoryOptimizedCache: the monitor', () => {
  /** Counts collections and pretends a size of the heap. */
  function pretend(t, heapUsed) {
    t.mock.timers.enable({ apis: ['setInterval'] });
    t.mock.method(process, 'memoryUsage', () => ({ heapUsed }));
    return t.mock.method(global, 'gc', () => {});
  }

  it('collects garbage every 30 seconds while the heap is above 1.2 times the limit', (t) => {
    const gc = pretend(t, 1.3 * 2 ** 20);
    open(t, { maxMemoryMB: 1 });
    t.mock.timers.tick(29_999);
    assert.equal(gc.mock.callCount(), 0);
    t.mock.timers.tick(1);
    assert.equal(gc.mock.callCount(), 1);
    t.mock.timers.tick(60_000);
    assert.equal(gc.mock.callCount(), 3);
  });

  it('leaves a smaller heap alone', (t) => {
    const gc = pretend(t, 1.1 * 2 ** 20);
    open(t, { maxMemoryMB: 1 });
    t.mock.timers.tick(60_000);
    assert.equal(gc.mock.callCount(), 0);
  });

  it('can be stopped and started, again and again, and ends with the cache', async (t) => {
    const gc = pretend(t, 2 ** 40);
    const cache = open(t);
    cache.stopMemoryMonitoring();
    cache.stopMemoryMonitoring();
    t.mock.timers.tick(60_000);
    assert.equal(gc.mock.callCount(), 0);
    cache.startMemoryMonitoring();
    cache.startMemoryMonitoring();
    t.mock.timers.tick(30_000);
    assert.equal(gc.mock.callCount(), 1, 'one timer, however often it is started');
    await cache.close();
    t.mock.timers.tick(60_000);
    cache.startMemoryMonitoring();
    t.mock.timers.tick(60_000);
    assert.equal(gc.mock.callCount(), 1);
  });

  it('says whether it could collect', (t) => {
    const gc = t.mock.method(global, 'gc', () => {});
    const cache = open(t);
    assert.equal(cache.forceGarbageCollection(), true);
    assert.equal(gc.mock.callCount(), 1);
    t.mock.restoreAll();
    const { gc: real } = global;
    t.after(() => (global.gc = real));
    global.gc = undefined;
    assert.equal(cache.forceGarbageCollection(), false);
  });

  it('does not keep a forgotten cache', async () => {
    let reference;
    (() => {
      reference = new WeakRef(new MemoryOptimizedCache());
    })();
    for (let round = 0; round < 5 && reference.deref(); round++) {
      await turnOfTheLoop();
      global.gc();
    }
    assert.equal(reference.deref(), undefined);
  });
});

describe('MemoryOptimizedCache: closing', () => {
  it('may be repeated; everything later rejects or throws', async () => {
    const cache = new MemoryOptimizedCache();
    assert.equal(cache.closed, false);
    await cache.close();
    await cache.close();
    assert.equal(cache.closed, true);
    for (const call of [
      () => cache.put('a', 1),
      () => cache.set('a', 1),
      () => cache.get('a'),
      () => cache.has('a'),
      () => cache.delete('a'),
      () => cache.del('a'),
      () => cache.clear(),
      () => cache.evictEntries(1),
    ]) {
      await assert.rejects(call(), errors.closed, String(call));
    }
    for (const getter of ['memoryUsage', 'entryCount', 'compressionRatio', 'stats']) {
      assert.throws(() => cache[getter], errors.closed, getter);
    }
    assert.equal(typeof cache.forceGarbageCollection(), 'boolean');
  });

  it('is what `await using` does', async () => {
    const cache = new MemoryOptimizedCache();
    await cache[Symbol.asyncDispose]();
    assert.equal(cache.closed, true);
  });
});
