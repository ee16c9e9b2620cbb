'use strict';

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { openCache, errors } = require('../support');

describe('MemoryCache: increment', () => {
  it('starts at zero, adds one by default, and gives the new number', (t) => {
    const cache = openCache(t);
    assert.equal(cache.increment('visits'), 1);
    assert.equal(cache.increment('visits'), 2);
    assert.equal(cache.increment('visits', 40), 42);
    assert.equal(cache.increment('visits', -2), 40);
    assert.equal(cache.increment('visits', 0.5), 40.5);
    assert.equal(cache.increment('visits', undefined), 41.5);
    assert.equal(cache.get('visits'), 41.5);
    assert.equal(cache.increment('other', 10), 10);
  });

  it('adds to any stored number as JavaScript would', (t) => {
    const cache = openCache(t);
    for (const [start, by] of [
      [0.1, 0.2],
      [2 ** 53, 1],
      [-5, 5],
      [1e300, 1e300],
      [5e-324, -5e-324],
      [2 ** 31 - 1, 1],
    ]) {
      cache.set('n', start);
      assert.equal(cache.increment('n', by), start + by);
      assert.equal(cache.get('n'), start + by);
    }
  });

  it('refuses a value that is not a number, and leaves it', (t) => {
    const cache = openCache(t);
    for (const value of ['5', true, null, undefined, 5n, [1], { n: 1 }, new Date(0), Buffer.from([1])]) {
      cache.set('k', value);
      assert.throws(() => cache.increment('k'), errors.notANumber);
      assert.deepEqual(cache.get('k'), value);
    }
  });

  it('never stores a number that is not finite', (t) => {
    const cache = openCache(t);
    cache.set('n', Number.MAX_VALUE);
    assert.throws(() => cache.increment('n', Number.MAX_VALUE), { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' });
    assert.equal(cache.get('n'), Number.MAX_VALUE);
    for (const start of [NaN, Infinity, -Infinity]) {
      cache.set('n', start);
      assert.throws(() => cache.increment('n', 1), { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' });
      assert.equal(cache.get('n'), start);
    }
  });
});
