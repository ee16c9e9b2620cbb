'use strict';

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { openCache, recordEvents, snapshot, errors } = require('../support');

describe('MemoryCache: many keys at once', () => {
  it('getMany answers in the order of the keys, with undefined for a miss', (t) => {
    for (const nearCache of [true, false]) {
      const cache = openCache(t, { nearCache });
      cache.set('a', 1);
      cache.set('b', { n: 2 });
      cache.set('u', undefined);
      assert.deepEqual(cache.getMany(['b', 'missing', 'a', 'b', 'u']), [{ n: 2 }, undefined, 1, { n: 2 }, undefined]);
      assert.deepEqual(cache.getMany([]), []);
    }
  });

  it('mget gives an object of the hits alone', (t) => {
    const cache = openCache(t);
    cache.set('a', 1);
    cache.set('u', undefined);
    cache.set('__proto__', 'harmless');
    const hits = cache.mget(['a', 'missing', 'u', '__proto__', 'a']);
    assert.ok([Object.prototype, null].includes(Object.getPrototypeOf(hits)), 'a plain object');
    assert.deepEqual(Object.keys(hits).sort(), ['__proto__', 'a', 'u']);
    assert.equal(hits.a, 1);
    assert.equal(hits.u, undefined);
    assert.equal(Object.getOwnPropertyDescriptor(hits, '__proto__').value, 'harmless');
    assert.deepEqual({ ...cache.mget([]) }, {});
  });

  it('setMany and mset take an object, a Map, pairs or a generator, and count what was stored', (t) => {
    const cache = openCache(t);
    function* pairs() {
      yield ['g1', 1];
      yield ['g2', { two: 2 }];
    }
    assert.equal(cache.setMany({ o1: 1, o2: { two: 2 } }), 2);
    assert.equal(cache.mset(new Map([['m1', 1]])), 1);
    assert.equal(
      cache.setMany([
        ['p1', 1],
        ['p2', undefined],
        ['p3', null],
      ]),
      3,
    );
    assert.equal(cache.mset(pairs()), 2);
    assert.equal(cache.setMany({}), 0);
    assert.equal(cache.setMany(new Map()), 0);
    assert.equal(cache.setMany([]), 0);
    assert.deepEqual(snapshot(cache), [
      ['g1', 1],
      ['g2', { two: 2 }],
      ['m1', 1],
      ['o1', 1],
      ['o2', { two: 2 }],
      ['p1', 1],
      ['p2', undefined],
      ['p3', null],
    ]);
  });

  it('setMany takes own properties only, __proto__ among them', (t) => {
    const cache = openCache(t);
    const source = Object.create({ inherited: 1 }, { hidden: { value: 2, enumerable: false } });
    source.own = 3;
    Object.defineProperty(source, '__proto__', { value: 4, enumerable: true });
    assert.equal(cache.setMany(source), 2);
    assert.deepEqual(cache.keys().sort(), ['__proto__', 'own']);
    assert.equal(cache.get('__proto__'), 4);
  });

  it('setMany gives its ttl and tags to every entry', (t) => {
    const cache = openCache(t);
    cache.setMany({ a: 1, b: 2 }, 60);
    cache.mset({ c: 3, d: 4 }, { ttlMs: 90_000, tags: ['pair'] });
    for (const key of ['a', 'b']) assert.ok(cache.getTtl(key) <= 60_000);
    for (const key of ['c', 'd']) assert.ok(cache.getTtl(key) > 60_000 && cache.getTtl(key) <= 90_000);
    assert.equal(cache.invalidateTags('pair'), 2);
    assert.deepEqual(cache.keys().sort(), ['a', 'b']);
  });

  it('setMany does not count what was refused', (t) => {
    const cache = openCache(t, { maxBytes: 100_000 });
    assert.equal(cache.setMany({ small: 1, huge: 'x'.repeat(500_000), other: 2 }), 2);
    assert.deepEqual(cache.keys().sort(), ['other', 'small']);
    assert.equal(cache.stats.refusals, 1);
  });

  it('deleteMany counts what it deleted', (t) => {
    const cache = openCache(t);
    cache.setMany({ a: 1, b: 2, c: 3 });
    assert.equal(cache.deleteMany(['a', 'missing', 'c', 'a']), 2);
    assert.equal(cache.deleteMany([]), 0);
    assert.deepEqual(cache.keys(), ['b']);
  });

  it('raises one event for each entry', (t) => {
    const cache = openCache(t);
    const log = recordEvents(cache);
    cache.setMany([
      ['a', 1],
      ['b', { n: 2 }],
    ]);
    cache.deleteMany(['b', 'missing', 'a']);
    assert.deepEqual(log, [
      ['set', 'a', 1],
      ['set', 'b', { n: 2 }],
      ['delete', 'b', { n: 2 }],
      ['delete', 'a', 1],
    ]);
  });

  it('carries thousands of keys and values of every size in one call', (t) => {
    const cache = openCache(t, { nearCache: false });
    const source = Array.from({ length: 3_000 }, (_, i) => [
      `key:${i}`,
      i % 3 === 0 ? 'x'.repeat(i) : { i, text: 'é'.repeat(i % 50) },
    ]);
    assert.equal(cache.setMany(source), 3_000);
    assert.deepEqual(
      cache.getMany(source.map(([key]) => key)),
      source.map(([, value]) => value),
    );
    assert.equal(cache.size, 3_000);
    assert.equal(cache.deleteMany(source.map(([key]) => key)), 3_000);
    assert.equal(cache.size, 0);
  });

  it('refuses what is not a list of keys', (t) => {
    const cache = openCache(t);
    for (const method of ['getMany', 'mget', 'deleteMany']) {
      for (const wrong of [undefined, null, 'abc', 5, { a: 1 }]) {
        assert.throws(() => cache[method](wrong), errors.invalidType(), `${method}(${typeof wrong})`);
      }
    }
  });

  it('refuses what holds no entries', (t) => {
    const cache = openCache(t);
    for (const method of ['setMany', 'mset']) {
      for (const wrong of [undefined, null, 'abc', 5, true, () => {}, [1, 2], ['ab'], [null]]) {
        assert.throws(() => cache[method](wrong), errors.invalidType(), `${method}(${String(wrong)})`);
      }
      assert.throws(() => cache[method]({ a: 1 }, 0), errors.outOfRange());
      assert.throws(() => cache[method]({ a: 1 }, { ttl: 5 }), errors.unknownOption('ttl', 'ttlMs'));
    }
    assert.equal(cache.size, 0);
  });

  it('an error of the iterable is the caller’s, and the cache stays whole', (t) => {
    const cache = openCache(t);
    function* broken() {
      yield ['first', 1];
      throw new Error('no more');
    }
    assert.throws(() => cache.setMany(broken()), { message: 'no more' });
    cache.validate();
    assert.equal(cache.size, 0);
    assert.equal(cache.set('after', 1), true);
  });

  it('one value that cannot be cloned is a TypeError, and nothing is stored', (t) => {
    const cache = openCache(t);
    cache.set('b', 'old');
    const log = recordEvents(cache);
    assert.throws(() => cache.setMany({ a: 1, b: { handler() {} }, c: 3 }), errors.invalidType('handler'));
    assert.deepEqual([...cache], [['b', 'old']]);
    assert.deepEqual(log, []);
    assert.throws(
      () =>
        cache.setMany([
          ['a', 1],
          [5, 2],
        ]),
      errors.invalidType('entries[1]'),
    );
    assert.equal(cache.size, 1);
  });
});
