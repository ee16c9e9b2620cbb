'use strict';

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { openCache, errors } = require('../support');

const LONG = 'k'.repeat(70 * 1024);

// Strings that a careless conversion would merge: by trimming, by truncating at NUL or at a buffer's end, by UTF-8's replacement
// character, by Unicode normalisation, by the object behind a property lookup, or by reading a number.
const DISTINCT = [
  '',
  ' ',
  '  ',
  '\0',
  '\0\0',
  'a',
  'a\0',
  'a\0b',
  'a ',
  ' a',
  'A',
  '\n',
  '\r\n',
  '\u2028',
  '\ufeff',
  '\ufeffa',
  LONG,
  `${LONG}k`,
  `${LONG}l`,
  `l${LONG}`,
  '\ufffd'.repeat(30_000),
  `${'\ufffd'.repeat(29_999)}\ud800`,
  '\ud800',
  '\ud801',
  '\udc00',
  '\udfff',
  '\ufffd',
  '\ufffd\ufffd',
  '\ud800\ud800',
  '\udc00\ud800',
  '\udc00\udc00',
  'x\ud800',
  'x\ud801',
  'x\ufffd',
  '\ud800x',
  '\udc00x',
  '\ufffdx',
  '\ud83d',
  '\ude00',
  '😀',
  '😁',
  '\ude00\ud83d',
  '😀\ud83d',
  '\ude00😀',
  '\u00e9',
  'e\u0301',
  'É',
  '\u212b',
  '\u00c5',
  'A\u030a',
  'ﬁ',
  'fi',
  'ÿ',
  'Ā',
  '\u0080',
  '\u007f',
  '\u00ff\u00ff',
  'é',
  'Ã©',
  '\u00c3\u00a9x',
  'éx',
  '中文',
  '中',
  '𝒳',
  '👩‍👩‍👧',
  '👩',
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'length',
  '0',
  '1',
  '01',
  '1.0',
  '-0',
  '-1',
  '4294967295',
  '4294967296',
  'NaN',
  'Infinity',
  'undefined',
  'null',
  'true',
  '[object Object]',
].filter((key, index, all) => all.indexOf(key) === index);

const LENGTHS = [
  1, 2, 15, 16, 31, 32, 63, 64, 127, 128, 254, 255, 256, 257, 510, 511, 512, 513, 1022, 1023, 1024, 1025, 2047, 2048,
  2049, 4094, 4095, 4096, 4097, 8191, 8192, 8193, 16383, 16384, 16385, 65534, 65535, 65536, 65537,
];

for (const nearCache of [true, false]) {
  describe(`MemoryCache keys, near cache ${nearCache ? 'on' : 'off'}`, () => {
    it('keeps every string apart from every other', (t) => {
      const cache = openCache(t, { nearCache });
      DISTINCT.forEach((key, index) => assert.equal(cache.set(key, { index }), true));
      assert.equal(cache.size, DISTINCT.length);
      DISTINCT.forEach((key, index) => {
        const name = JSON.stringify(key.slice(0, 20));
        assert.deepEqual(cache.get(key), { index }, name);
        assert.deepEqual(cache.peek(key), { index }, name);
        assert.equal(cache.has(key), true, name);
        assert.equal(cache.getTtl(key), Infinity, name);
        assert.equal(cache.getBytes(key).toString(), `{"index":${index}}`, name);
      });
      assert.deepEqual(
        cache.getMany(DISTINCT),
        DISTINCT.map((_, index) => ({ index })),
      );
    });

    it('gives the same strings back', (t) => {
      const cache = openCache(t, { nearCache });
      const seen = [];
      cache.on('set', (key) => seen.push(key));
      cache.setMany(DISTINCT.map((key, index) => [key, index]));
      assert.deepEqual(seen, DISTINCT);
      assert.deepEqual(cache.keys().sort(), [...DISTINCT].sort());
      assert.deepEqual(
        [...cache].map(([key, index]) => [DISTINCT.indexOf(key), index]).filter(([at, index]) => at !== index),
        [],
      );
      assert.deepEqual(Object.keys(cache.mget(DISTINCT)).sort(), [...DISTINCT].sort());
    });

    it('deletes, takes, touches and counts exactly the key it was given', (t) => {
      const cache = openCache(t, { nearCache });
      cache.setMany(DISTINCT.map((key) => [key, 1]));
      let left = DISTINCT.length;
      DISTINCT.forEach((key, index) => {
        const name = JSON.stringify(key.slice(0, 20));
        assert.equal(cache.touch(key, 60), true, name);
        assert.equal(cache.increment(key, index), index + 1, name);
        if (index % 2) assert.equal(cache.delete(key), true, name);
        else assert.equal(cache.take(key), index + 1, name);
        left -= 1;
        assert.equal(cache.size, left, name);
        assert.equal(cache.has(key), false, name);
        for (const other of DISTINCT.slice(index + 1, index + 4))
          assert.equal(cache.peek(other), 1, `${name} left others alone`);
      });
      assert.equal(cache.deleteMany(DISTINCT), 0);
    });

    it('knows a key by its content, however the string is held in memory', (t) => {
      const cache = openCache(t, { nearCache });
      const wide = `Ā${'narrow'}`.slice(1);
      const rope = ['nar', 'row'].reduce((left, right) => left + right);
      cache.set('narrow', 1);
      assert.equal(cache.get(wide), 1);
      assert.equal(cache.get(rope), 1);
      cache.set(wide, 2);
      assert.equal(cache.get('narrow'), 2);
      assert.equal(cache.size, 1);
    });

    it('takes keys of any length, in any script, around the sizes where buffers end', (t) => {
      const cache = openCache(t, { nearCache, maxMemoryMB: 200 });
      for (const character of ['a', 'é', '中', '😀', '\ud800']) {
        for (const length of LENGTHS) {
          const key = character.repeat(Math.ceil(length / character.length));
          assert.equal(cache.set(key, length), true);
          assert.equal(cache.get(key), length);
          assert.equal(cache.get(`${key}x`), undefined);
          assert.equal(cache.get(key.slice(0, -1)) === length, false);
        }
      }
      const listed = new Set(cache.keys());
      for (const character of ['a', 'é', '中', '\ud800'])
        for (const length of LENGTHS) assert.ok(listed.has(character.repeat(length)));
    });
  });
}

describe('MemoryCache keys that are not strings', () => {
  const NOT_STRINGS = [
    undefined,
    null,
    0,
    1.5,
    NaN,
    true,
    10n,
    Symbol('key'),
    {},
    ['a'],
    () => 'a',
    Buffer.from('a'),
    new String('a'),
    new Date(0),
  ];

  const CALLS = {
    set: (cache, key) => cache.set(key, 1),
    put: (cache, key) => cache.put(key, 1),
    get: (cache, key) => cache.get(key),
    peek: (cache, key) => cache.peek(key),
    has: (cache, key) => cache.has(key),
    delete: (cache, key) => cache.delete(key),
    del: (cache, key) => cache.del(key),
    take: (cache, key) => cache.take(key),
    touch: (cache, key) => cache.touch(key, 1),
    getTtl: (cache, key) => cache.getTtl(key),
    increment: (cache, key) => cache.increment(key),
    getBytes: (cache, key) => cache.getBytes(key),
    getMany: (cache, key) => cache.getMany(['a', key]),
    mget: (cache, key) => cache.mget(['a', key]),
    deleteMany: (cache, key) => cache.deleteMany([key, 'b']),
    setMany: (cache, key) => cache.setMany([[key, 1]]),
    mset: (cache, key) => cache.mset(new Map([[key, 1]])),
  };

  for (const [method, call] of Object.entries(CALLS)) {
    it(`${method} refuses them`, (t) => {
      const cache = openCache(t);
      cache.set('a', 'kept');
      // The bulk forms name the place in their argument instead.
      const path = /^m?set/.test(method) && method !== 'set' ? 'entries[0]' : 'key';
      for (const key of NOT_STRINGS) assert.throws(() => call(cache, key), errors.invalidType(path), typeof key);
      assert.deepEqual(cache.keys(), ['a']);
      assert.equal(cache.get('a'), 'kept');
    });
  }

  it('getOrSet rejects and never calls its loader', async (t) => {
    const cache = openCache(t);
    let loaded = 0;
    for (const key of NOT_STRINGS)
      await assert.rejects(
        cache.getOrSet(key, () => (loaded += 1)),
        errors.invalidType('key'),
      );
    assert.equal(loaded, 0);
    assert.equal(cache.size, 0);
  });

  it('does not show a key’s content in the message', (t) => {
    const cache = openCache(t);
    assert.throws(
      () => cache.get({ secret: 'hunter2' }),
      (error) => !error.message.includes('hunter2'),
    );
  });
});
