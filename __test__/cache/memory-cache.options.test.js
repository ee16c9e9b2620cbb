'use strict';

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { MemoryCache } = require('../..');
const { openCache, uniqueName, errors } = require('../support');
const { NOT_NUMBERS, NOT_STRINGS, NOT_BOOLEANS, NOT_OBJECTS, refuses } = require('../support/wrong-values');

describe('MemoryCache options: numbers', () => {
  for (const option of ['maxEntries', 'maxBytes']) {
    it(`${option} is a positive integer`, (t) => {
      const build = (value) => new MemoryCache({ [option]: value });
      refuses(build, NOT_NUMBERS, errors.invalidType(option));
      refuses(build, [NaN, 0, -0, -1, 1.5, 0.5, -Infinity, 2 ** 53, 1e300], errors.outOfRange(option));
      openCache(t, { [option]: 1 });
      assert.equal(openCache(t, { [option]: 2 ** 40 }).stats[option], 2 ** 40);
    });
  }

  it('maxBytes and maxMemoryMB are finite', () => {
    refuses((value) => new MemoryCache({ maxBytes: value }), [Infinity], errors.outOfRange('maxBytes'));
    refuses((value) => new MemoryCache({ maxMemoryMB: value }), [Infinity], errors.outOfRange('maxMemoryMB'));
  });

  it('maxMemoryMB is a positive number', (t) => {
    const build = (value) => new MemoryCache({ maxMemoryMB: value });
    refuses(build, NOT_NUMBERS, errors.invalidType('maxMemoryMB'));
    refuses(build, [NaN, 0, -1, -Infinity], errors.outOfRange('maxMemoryMB'));
    assert.equal(openCache(t, { maxMemoryMB: 3 }).stats.maxBytes, 3 * 1024 * 1024);
  });

  for (const option of ['ttlMs', 'idleMs']) {
    it(`${option} is a positive number, Infinity for never`, (t) => {
      const build = (value) => new MemoryCache({ [option]: value });
      refuses(build, NOT_NUMBERS, errors.invalidType(option));
      refuses(build, [NaN, 0, -0, -1, -0.5, -Infinity], errors.outOfRange(option));
      for (const good of [0.5, 1, 1e9, Infinity]) openCache(t, { [option]: good });
    });
  }
});

describe('MemoryCache options: the rest', () => {
  it('name is a string that is not empty', () => {
    refuses((name) => new MemoryCache({ name }), NOT_STRINGS, errors.invalidType('name'));
    refuses((name) => new MemoryCache({ name }), [''], errors.outOfRange('name'));
  });

  it('any other string is a name', (t) => {
    const opened = [' ', '\0', '__proto__', '\ud800', '\ud801', '\ufffd', '😀', 'n'.repeat(100_000)].map((name) =>
      openCache(t, { name }),
    );
    opened.forEach((cache, index) => cache.set('k', index));
    assert.deepEqual(
      opened.map((cache) => cache.get('k')),
      opened.map((_, index) => index),
    );
  });

  it('maxMemory is a percentage', (t) => {
    refuses(
      (maxMemory) => new MemoryCache({ maxMemory }),
      [20, 0.2, null, true, {}, ['20%']],
      errors.invalidType('maxMemory'),
    );
    refuses(
      (maxMemory) => new MemoryCache({ maxMemory }),
      ['', '%', '20', 'x%', '-5%', '0%', '101%', '1e999%', 'NaN%', '20%%', '0x10%'],
      errors.outOfRange('maxMemory'),
    );
    for (const maxMemory of ['1%', '20%', '0.5%', '100%']) assert.ok(openCache(t, { maxMemory }).stats.maxBytes > 0);
  });

  it('evictionPolicy is one of its names, in any case', (t) => {
    refuses((evictionPolicy) => new MemoryCache({ evictionPolicy }), NOT_STRINGS, errors.invalidType('evictionPolicy'));
    refuses(
      (evictionPolicy) => new MemoryCache({ evictionPolicy }),
      ['', 'fifo', 'lruu', ' lru'],
      errors.outOfRange('evictionPolicy'),
    );
    for (const evictionPolicy of ['lru', 'LRU', 'Lru', 'tinylfu', 'TinyLFU', 'adaptive', 'Adaptive'])
      openCache(t, { evictionPolicy });
  });

  it('compression is a boolean or an object', (t) => {
    const build = (compression) => new MemoryCache({ compression });
    refuses(build, [null, 0, 'lz4', 'true', [], () => {}], errors.invalidType('compression'));
    refuses((algorithm) => build({ algorithm }), [null, 5, true], errors.invalidType('algorithm'));
    refuses((algorithm) => build({ algorithm }), ['gzip', '', 'LZ'], errors.outOfRange('algorithm'));
    refuses((thresholdBytes) => build({ thresholdBytes }), NOT_NUMBERS, errors.invalidType('thresholdBytes'));
    refuses(
      (thresholdBytes) => build({ thresholdBytes }),
      [NaN, -1, 1.5, Infinity],
      errors.outOfRange('thresholdBytes'),
    );
    assert.throws(() => build({ treshold: 5 }), errors.unknownOption('treshold', 'thresholdBytes'));
    for (const good of [true, false, {}, { algorithm: 'zstd' }, { thresholdBytes: 10 }])
      openCache(t, { compression: good });
  });

  it('nearCache is a boolean or an object', (t) => {
    const build = (nearCache) => new MemoryCache({ nearCache });
    refuses(build, [null, 0, 1, 'true', [], () => {}], errors.invalidType('nearCache'));
    for (const option of ['maxEntries', 'maxBytes']) {
      refuses((value) => build({ [option]: value }), NOT_NUMBERS, errors.invalidType(option));
      refuses((value) => build({ [option]: value }), [NaN, -1, 1.5], errors.outOfRange(option));
    }
    assert.throws(() => build({ maxEntires: 5 }), errors.unknownOption('maxEntires', 'maxEntries'));
    for (const good of [true, false, {}, { maxEntries: 1 }, { maxBytes: 1 }]) openCache(t, { nearCache: good });
  });

  it('clone is a boolean', () => {
    refuses((clone) => new MemoryCache({ clone }), NOT_BOOLEANS, errors.invalidType('clone'));
  });

  it('options are a plain object, or nothing', (t) => {
    refuses((options) => new MemoryCache(options), NOT_OBJECTS, errors.invalidType('options'));
    openCache(t, undefined);
    openCache(t, {});
    openCache(t, Object.create(null));
  });

  it('undefined is the same as not given', (t) => {
    const nothing = Object.fromEntries(
      [
        'name',
        'maxEntries',
        'maxMemoryMB',
        'maxBytes',
        'maxMemory',
        'ttlMs',
        'idleMs',
        'evictionPolicy',
        'compression',
        'nearCache',
        'clone',
      ].map((option) => [option, undefined]),
    );
    const { stats } = openCache(t, nothing);
    assert.deepEqual(stats, openCache(t).stats);
    assert.equal(openCache(t, { ...nothing, maxBytes: 5_000_000 }).stats.maxBytes, 5_000_000);
  });

  it('an unknown option is refused with the nearest known name', () => {
    for (const [wrong, near] of [
      ['maxEntires', 'maxEntries'],
      ['maxentries', 'maxEntries'],
      ['ttl', 'ttlMs'],
      ['idle', 'idleMs'],
      ['maxMemoryMb', 'maxMemoryMB'],
      ['evictionpolicy', 'evictionPolicy'],
      ['compresion', 'compression'],
      ['nearcache', 'nearCache'],
      ['clones', 'clone'],
      ['names', 'name'],
    ]) {
      assert.throws(() => new MemoryCache({ [wrong]: 1 }), errors.unknownOption(wrong, near));
    }
    assert.throws(() => new MemoryCache({ zzzzzzzzzzzz: 1 }), {
      name: 'TypeError',
      code: 'ERR_HOTPATH_UNKNOWN_OPTION',
      message: /zzzzzzzzzzzz/,
    });
  });

  it('one budget at most', () => {
    const ways = { maxBytes: 1_048_576, maxMemoryMB: 1, maxMemory: '1%' };
    for (const [left, right] of [
      ['maxBytes', 'maxMemoryMB'],
      ['maxBytes', 'maxMemory'],
      ['maxMemoryMB', 'maxMemory'],
    ]) {
      assert.throws(
        () => new MemoryCache({ [left]: ways[left], [right]: ways[right] }),
        (error) => {
          assert.equal(error.name, 'TypeError');
          assert.equal(typeof error.code, 'string');
          assert.match(error.message, new RegExp(left));
          assert.match(error.message, new RegExp(right));
          return true;
        },
      );
    }
    assert.throws(() => new MemoryCache(ways), { name: 'TypeError' });
  });

  it('a message shows a short value and never a long one', () => {
    assert.throws(() => new MemoryCache({ maxEntries: 'a few' }), {
      message: /received ["'`]a few["'`] of type string/,
    });
    assert.throws(() => new MemoryCache({ maxEntries: NaN }), { message: /received NaN of type number/ });
    const long = 'password'.repeat(10);
    assert.throws(
      () => new MemoryCache({ maxEntries: long }),
      (error) => !error.message.includes('password'),
    );
    assert.throws(
      () => new MemoryCache({ maxEntries: { secret: 'hunter2' } }),
      (error) => !error.message.includes('hunter2'),
    );
  });

  it('needs new', () => {
    assert.throws(() => MemoryCache({}), { name: 'TypeError' });
  });

  it('a constructor that threw leaves no cache behind', (t) => {
    const name = uniqueName('half-open');
    assert.throws(() => new MemoryCache({ name, maxEntries: 5, nearCache: 'wrong' }), errors.invalidType('nearCache'));
    assert.equal(openCache(t, { name, maxEntries: 6 }).stats.maxEntries, 6);
  });
});
