'use strict';

// What holds for all classes, whatever else they do.

const assert = require('node:assert/strict');
const { EventEmitter } = require('node:events');
const { describe, it } = require('node:test');
const hotpath = require('hotpath');
const { ASYNC_DISPOSE, DISPOSE } = require('../../lib/aliases.js');

const classes = Object.entries(hotpath).filter(([, Class]) => /^class\b/.test(String(Class)));

/** Values, which go with the object, and classes that hold nothing between two calls. */
const NOTHING_TO_END = [
  'BloomFilter',
  'CircularBuffer',
  'OpenTelemetryProducer',
  'ParallelIntentProcessor',
  'PerformanceTestSuite',
  'PerformanceTests',
  'SparseMatrix',
];

describe('every cache', () => {
  const caches = classes.filter(([name]) => /Cache(Manager|Service)?$/.test(name));
  for (const [name, { prototype }] of caches) {
    it(`${name} stores with set and put, and deletes with delete and del`, () => {
      const methods = ['set', 'put', 'delete', 'del'].map((method) => typeof prototype[method]);
      assert.deepEqual(methods, ['function', 'function', 'function', 'function']);
    });
  }

  it('is among them', () => {
    assert.ok(caches.length >= 9);
  });
});

describe('every class', () => {
  for (const [name, { prototype }] of classes.filter(([each]) => !each.endsWith('Error'))) {
    if (NOTHING_TO_END.includes(name)) continue;
    it(`${name} can be disposed of`, () => {
      assert.ok(typeof prototype[DISPOSE] === 'function' || typeof prototype[ASYNC_DISPOSE] === 'function');
    });
  }

  it('with events can be disposed of', () => {
    const emitters = classes.filter(([, { prototype }]) => prototype instanceof EventEmitter);
    assert.ok(emitters.length > 10);
    assert.ok(emitters.every(([name]) => !NOTHING_TO_END.includes(name)));
  });
});

describe('aliases and ends', () => {
  it('of an LRUCache', () => {
    const cache = new hotpath.LRUCache({ max: 5 });
    assert.equal(cache.put('a', 1), true);
    assert.equal(cache.del('a'), true);
    cache.put('b', 2);
    cache[DISPOSE]();
    assert.equal(cache.size, 0);
  });

  it('of a NodeCache', (t) => {
    const cache = new hotpath.NodeCache();
    t.after(() => cache.close());
    assert.equal(cache.put('a', 1), true);
    assert.equal(cache.delete('a'), 1);
  });

  it('of a BufferPool and a circuit breaker', () => {
    const pool = new hotpath.BufferPool(8, 2);
    pool[DISPOSE]();
    assert.equal(pool.stats.available, 0);
    const breaker = new hotpath.CircuitBreaker().on('state', () => {});
    breaker[DISPOSE]();
    assert.equal(breaker.listenerCount('state'), 0);
  });

  it('of an AdvancedCache', async () => {
    const cache = new hotpath.AdvancedCache();
    assert.equal(cache.closed, false);
    await cache.shutdown();
    assert.equal(cache.closed, true);
  });
});

describe('the area of memory', () => {
  it('has the monitor of it, too', () => {
    assert.equal(require('hotpath/memory').MemoryMonitor, hotpath.MemoryMonitor);
  });
});
