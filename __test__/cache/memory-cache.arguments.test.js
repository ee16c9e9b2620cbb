'use strict';

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { openCache, errors } = require('../support');
const { NOT_NUMBERS, NOT_OBJECTS, refuses } = require('../support/wrong-values');

describe('MemoryCache arguments', () => {
  const WRITERS = {
    set: (cache, ttl) => cache.set('k', 1, ttl),
    put: (cache, ttl) => cache.put('k', 1, ttl),
    setMany: (cache, ttl) => cache.setMany({ k: 1 }, ttl),
    mset: (cache, ttl) => cache.mset({ k: 1 }, ttl),
    increment: (cache, ttl) => cache.increment('k', 1, ttl),
    touch: (cache, ttl) => cache.touch('old', ttl),
  };

  for (const [method, write] of Object.entries(WRITERS)) {
    it(`${method}: the ttl is checked before anything happens`, (t) => {
      const cache = openCache(t);
      cache.set('old', 'kept');
      refuses((ttl) => write(cache, ttl), [0, -0, -1, NaN, -Infinity], errors.outOfRange('ttl'));
      refuses(
        (ttl) => write(cache, ttl),
        ['5', true, null, [], 5n, () => 5, Symbol('5'), new Date(5)],
        errors.invalidType('ttl'),
      );
      for (const option of ['ttlMs', 'idleMs']) {
        refuses((value) => write(cache, { [option]: value }), [0, -1, NaN, -Infinity], errors.outOfRange(option));
        refuses((value) => write(cache, { [option]: value }), NOT_NUMBERS, errors.invalidType(option));
      }
      assert.throws(() => write(cache, { ttl: 5 }), errors.unknownOption('ttl', 'ttlMs'));
      assert.throws(() => write(cache, { tag: ['a'] }), { name: 'TypeError', code: 'ERR_HOTPATH_UNKNOWN_OPTION' });
      assert.deepEqual(cache.keys(), ['old']);
      assert.equal(cache.getTtl('old'), Infinity);
    });
  }

  it('touch takes no tags', (t) => {
    const cache = openCache(t);
    cache.set('k', 1, { tags: ['a'] });
    assert.throws(() => cache.touch('k', { tags: ['b'] }), {
      name: 'TypeError',
      code: 'ERR_HOTPATH_UNKNOWN_OPTION',
      message: /tags/,
    });
    assert.equal(cache.invalidateTags('b'), 0);
    assert.equal(cache.invalidateTags('a'), 1);
  });

  it('increment adds a finite number', (t) => {
    const cache = openCache(t);
    cache.set('n', 1);
    refuses((by) => cache.increment('n', by), NOT_NUMBERS, errors.invalidType());
    refuses((by) => cache.increment('n', by), [NaN, Infinity, -Infinity], errors.outOfRange());
    refuses(
      (by) => cache.increment('new', by),
      [NaN, 'x'],
      (error) => typeof error.code === 'string',
    );
    assert.deepEqual([...cache], [['n', 1]]);
  });

  it('resize takes limits', (t) => {
    const cache = openCache(t, { maxEntries: 10 });
    refuses((limits) => cache.resize(limits), NOT_OBJECTS, errors.invalidType());
    refuses((maxEntries) => cache.resize({ maxEntries }), [NaN, 0, -1, 1.5], errors.outOfRange('maxEntries'));
    refuses((maxBytes) => cache.resize({ maxBytes }), NOT_NUMBERS, errors.invalidType('maxBytes'));
    refuses((maxMemory) => cache.resize({ maxMemory }), ['20', '0%'], errors.outOfRange('maxMemory'));
    refuses((nearCache) => cache.resize({ nearCache }), [true, 7, null], errors.invalidType('nearCache'));
    refuses(
      (maxEntries) => cache.resize({ nearCache: { maxEntries } }),
      [0, 1.5],
      errors.outOfRange('nearCache.maxEntries'),
    );
    refuses((bytes) => cache.resize({ compressionThresholdBytes: bytes }), [-1, NaN], errors.outOfRange('Threshold'));
    assert.throws(() => cache.resize({ name: 'other' }), { name: 'TypeError', code: 'ERR_HOTPATH_UNKNOWN_OPTION' });
    assert.equal(cache.stats.maxEntries, 10);
  });

  it('an error carries no value from the cache', (t) => {
    const cache = openCache(t);
    cache.set('k', 'hunter2');
    assert.throws(
      () => cache.increment('k'),
      (error) => !`${error.message}${JSON.stringify(error)}`.includes('hunter2'),
    );
  });
});
