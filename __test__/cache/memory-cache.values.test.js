'use strict';

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { openCache, settled } = require('../support');
const { VALUES, expectedOf, isChanged } = require('../support/values');

const HANDLES = {
  'near cache on': {},
  'near cache off': { nearCache: false },
  'copies handed out': { clone: true },
  lz4: { compression: { algorithm: 'lz4', thresholdBytes: 1 }, nearCache: false },
  zstd: { compression: { algorithm: 'zstd', thresholdBytes: 1 }, nearCache: false },
};

for (const [handle, options] of Object.entries(HANDLES)) {
  describe(`MemoryCache values, ${handle}`, () => {
    it('gives back what went in, twice', (t) => {
      const cache = openCache(t, options);
      for (const [label, make] of VALUES) {
        assert.equal(cache.set(label, make()), true, label);
        const expected = expectedOf(label, make);
        assert.deepEqual(cache.get(label), expected, label);
        assert.deepEqual(cache.get(label), expected, `${label}, again`);
        assert.deepEqual(cache.peek(label), expected, `${label}, peek`);
      }
      assert.equal(cache.size, VALUES.length);
      assert.deepEqual(
        cache.getMany(VALUES.map(([label]) => label)),
        VALUES.map(([label, make]) => expectedOf(label, make)),
      );
    });

    it('gives it back through every other door', async (t) => {
      const cache = openCache(t, options);
      const heard = new Map();
      cache.on('set', (key, value) => heard.set(key, value));
      cache.setMany(VALUES.map(([label, make]) => [label, make()]));
      const listed = new Map(cache.entries());
      const fetched = cache.mget(VALUES.map(([label]) => label));
      for (const [label, make] of VALUES) {
        const expected = expectedOf(label, make);
        assert.deepEqual(listed.get(label), expected, `${label}, entries`);
        assert.deepEqual(fetched[label], expected, `${label}, mget`);
        assert.deepEqual(heard.get(label), expected, `${label}, event`);
        assert.deepEqual(cache.take(label), expected, `${label}, take`);
        const loaded = await cache.getOrSet(label, make);
        if (!isChanged(label)) assert.deepEqual(loaded, expected, `${label}, loaded`);
        assert.deepEqual(await cache.getOrSet(label, make), expected, `${label}, found`);
      }
    });

    it('keeps the class of a Buffer and the identity inside a value', (t) => {
      const cache = openCache(t, options);
      for (const [label, make] of VALUES) cache.set(label, make());
      assert.ok(Buffer.isBuffer(cache.get('buffer')));
      assert.ok(Buffer.isBuffer(cache.get('empty buffer')));
      assert.ok(Buffer.isBuffer(cache.get('buffers inside').body));
      assert.ok(Buffer.isBuffer(cache.get('buffers inside').list[0]));
      assert.ok(!Buffer.isBuffer(cache.get('buffers inside').list[1]));
      assert.ok(!Buffer.isBuffer(cache.get('Uint8Array')));
      const root = cache.get('cycles');
      assert.equal(root.self, root);
      assert.equal(root.children[0].parent, root);
      assert.equal(root.map.get(root), root);
      const { left, right, list } = cache.get('shared references');
      assert.equal(left, right);
      assert.equal(list[1], left);
      assert.equal(1 in cache.get('sparse array with a property'), false);
      assert.equal(Object.getPrototypeOf(cache.get('__proto__ key')).polluted, undefined);
    });

    it('keeps an invalid date', (t) => {
      const cache = openCache(t, options);
      for (const value of [new Date(NaN), { at: [new Date(NaN)] }]) {
        cache.set('d', value);
        const date = cache.get('d').at?.[0] ?? cache.get('d');
        assert.ok(date instanceof Date && Number.isNaN(date.getTime()));
      }
    });

    it('keeps errors: class, message, stack and cause', (t) => {
      const cache = openCache(t, options);
      for (const Kind of [Error, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError]) {
        const original = new Kind('outer', { cause: new RangeError('inner \ud800', { cause: { code: 7 } }) });
        cache.set('bare', original);
        cache.set('inside', { list: [original] });
        for (const copy of [cache.get('bare'), cache.get('inside').list[0]]) {
          assert.notEqual(copy, original);
          assert.ok(copy instanceof Kind);
          assert.equal(copy.name, Kind.name);
          assert.equal(copy.message, 'outer');
          assert.equal(copy.stack, original.stack);
          assert.ok(copy.cause instanceof RangeError);
          assert.equal(copy.cause.message, 'inner \ud800');
          assert.deepEqual(copy.cause.cause, { code: 7 });
        }
      }
      cache.set('custom', new (class CustomError extends Error {})('m'));
      assert.ok(cache.get('custom') instanceof Error);
      assert.equal(cache.get('custom').message, 'm');
    });

    it('is not touched by what the caller does to its object afterwards', (t) => {
      const cache = openCache(t, options);
      const value = { list: [1], bytes: Buffer.from([1]) };
      cache.set('k', value);
      const large = Buffer.alloc(100_000, 1);
      cache.set('large', large);
      value.list.push(2);
      value.bytes[0] = 2;
      large.fill(2);
      assert.deepEqual(cache.get('k'), { list: [1], bytes: Buffer.from([1]) });
      assert.deepEqual(cache.get('large'), Buffer.alloc(100_000, 1));
    });
  });
}

describe('MemoryCache values of many shapes', () => {
  it('takes objects with ever new keys', (t) => {
    const cache = openCache(t, { maxEntries: 1_000, nearCache: false });
    for (let i = 0; i < 20_000; i += 1) {
      const make = () => ({ id: i, [`key${i}`]: [i], nested: { [`inner${i % 3_000}`]: { [`deep${i}`]: i } } });
      cache.set(`k${i % 1_000}`, make());
      assert.deepEqual(cache.get(`k${i % 1_000}`), make());
    }
  });

  it('takes objects of few shapes, read long after others came between', (t) => {
    const cache = openCache(t, { nearCache: false });
    const make = (i) => ({ [`shape${i % 200}`]: i, [`second${i % 7}`]: { [`third${i % 90}`]: [{ i }] } });
    for (let i = 0; i < 5_000; i += 1) cache.set(`k${i}`, make(i));
    for (let i = 0; i < 5_000; i += 1) assert.deepEqual(cache.get(`k${i}`), make(i));
  });
});

describe('MemoryCache values of great size', () => {
  it('takes a string of 100 MB', async (t) => {
    const text = 'abcdefghij'.repeat(10 * 1024 * 1024);
    const cache = openCache(t, { maxMemoryMB: 400 });
    assert.equal(cache.set('huge', text), true);
    assert.ok(cache.get('huge') === text);
    assert.ok(cache.stats.bytes >= text.length);
    assert.ok((await settled(cache.getOrSet('huge', () => 'wrong'))) === text);
    assert.ok(cache.take('huge') === text);
  });

  it('takes large strings and bytes of every width', (t) => {
    for (const compression of [false, true]) {
      const cache = openCache(t, { maxMemoryMB: 400, nearCache: false, compression });
      const values = [
        'é'.repeat(5_000_000),
        '中'.repeat(5_000_000),
        '😀'.repeat(2_500_000),
        `${'a'.repeat(5_000_000)}\ud800`,
        Buffer.alloc(10_000_000, 'bytes'),
      ];
      values.forEach((value, index) => assert.equal(cache.set(`v${index}`, value), true));
      values.forEach((value, index) => {
        const got = cache.get(`v${index}`);
        assert.ok(Buffer.isBuffer(value) ? value.equals(got) : got === value, `value ${index}`);
      });
    }
  });
});
