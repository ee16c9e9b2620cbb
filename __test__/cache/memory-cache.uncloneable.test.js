'use strict';

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { openCache, recordEvents, errors } = require('../support');

const noop = () => {};
async function* generator() {}

// [what it is, the value, the path that the message must name]
const REFUSED = [
  ['function', noop, 'value'],
  ['class', class A {}, 'value'],
  ['symbol', Symbol('s'), 'value'],
  ['promise', Promise.resolve(1), 'value'],
  ['WeakMap', new WeakMap(), 'value'],
  ['WeakSet', new WeakSet(), 'value'],
  ['WeakRef', new WeakRef({}), 'value'],
  ['generator function', generator, 'value'],
  ['property', { onClick: noop }, 'value.onClick'],
  ['nested property', { user: { name: 'Ada', onClick: noop } }, 'value.user.onClick'],
  ['element', [1, 2, noop], 'value[2]'],
  ['element of a property', { list: [1, 2, Symbol('s')] }, 'value.list[2]'],
  ['property of an element', [{ ok: 1 }, { then: Promise.resolve() }], 'value[1].then'],
  ['nested weak map', { deep: { deeper: [new WeakMap()] } }, 'value.deep.deeper[0]'],
  ['after numbers that need care', { a: -0, b: noop }, 'value.b'],
  [
    'among cycles',
    (() => {
      const o = { list: [] };
      o.list.push(o, noop);
      return o;
    })(),
    'value.list[1]',
  ],
  ['at the end of a long list', [...Array(10_000).fill({ id: 1 }), { fn: noop }], 'value[10000].fn'],
  ['in a map’s value', new Map([['k', noop]]), 'value'],
  ['in a map’s key', new Map([[noop, 1]]), 'value'],
  ['in a set', new Set([1, noop]), 'value'],
  ['in an error’s cause', new Error('e', { cause: noop }), 'value'],
  ['own toJSON', { toJSON: () => 1 }, 'value.toJSON'],
];

describe('MemoryCache values that cannot be cloned', () => {
  for (const [what, value, path] of REFUSED) {
    it(`${what}: a TypeError that names ${path}, and nothing changes`, async (t) => {
      const cache = openCache(t);
      cache.set('k', { old: true }, { tags: ['t'] });
      const log = recordEvents(cache);
      const refusal = errors.invalidType(path);
      assert.throws(() => cache.set('k', value), refusal);
      assert.throws(() => cache.put('new', value), refusal);
      // A promise as such would be awaited, as a loader's result should be.
      const loaded = value instanceof Promise ? { value } : value;
      await assert.rejects(
        cache.getOrSet('loaded', () => loaded),
        errors.invalidType('value'),
      );
      assert.deepEqual(cache.get('k'), { old: true });
      assert.deepEqual(cache.keys(), ['k']);
      assert.deepEqual(log, []);
      assert.equal(cache.stats.sets, 1);
      assert.equal(cache.invalidateTags('t'), 1);
    });
  }

  it('names the path exactly, and shows no value', (t) => {
    const cache = openCache(t);
    const value = { user: { password: 'hunter2', onClick: noop } };
    assert.throws(
      () => cache.set('k', value),
      (error) => {
        assert.match(error.message, /value\.user\.onClick(?![\w.[])/);
        assert.ok(!error.message.includes('hunter2'));
        return true;
      },
    );
  });

  it('a getter that throws is the caller’s error, and nothing changes', (t) => {
    const cache = openCache(t);
    cache.set('k', 'old');
    const value = {
      get broken() {
        throw new SyntaxError('from the getter');
      },
    };
    assert.throws(() => cache.set('k', value), { name: 'SyntaxError', message: 'from the getter' });
    assert.equal(cache.get('k'), 'old');
    assert.equal(cache.stats.sets, 1);
  });

  it('is whole after a refusal: the next values are not mixed with the refused one', (t) => {
    const cache = openCache(t, { nearCache: false });
    for (let i = 0; i < 200; i += 1) {
      assert.throws(() => cache.set('bad', { filler: 'x'.repeat(i * 10), list: [{ i }], fn: noop }), {
        name: 'TypeError',
      });
      cache.set('good', { i, list: [{ i }] });
      assert.deepEqual(cache.get('good'), { i, list: [{ i }] });
    }
  });
});

describe('MemoryCache values that use the cache while they are read', () => {
  it('a getter that sets and gets other keys', (t) => {
    for (const nearCache of [true, false]) {
      const cache = openCache(t, { nearCache });
      cache.set('other', { stored: ['before'], when: new Date(0) });
      const value = {
        first: 'x'.repeat(100),
        get other() {
          cache.set('inner', { inside: new Map([['a', -0]]) });
          return cache.get('other').stored;
        },
        last: { n: 1 },
      };
      cache.set('k', value);
      assert.deepEqual(cache.get('k'), { first: 'x'.repeat(100), other: ['before'], last: { n: 1 } });
      assert.deepEqual(cache.get('inner'), { inside: new Map([['a', -0]]) });
    }
  });

  it('a getter that writes the same key: the outer write comes last', (t) => {
    const cache = openCache(t);
    cache.set('k', {
      get x() {
        cache.set('k', 'inner');
        return 1;
      },
    });
    assert.deepEqual(cache.get('k'), { x: 1 });
    assert.equal(cache.size, 1);
  });

  it('a getter that clears or resizes', (t) => {
    const cache = openCache(t, { maxEntries: 100 });
    cache.set('gone', 1);
    cache.set('k', {
      get x() {
        cache.clear();
        cache.resize({ maxEntries: 10 });
        return 1;
      },
    });
    assert.deepEqual(cache.keys(), ['k']);
  });

  it('a getter that closes the cache', (t) => {
    const cache = openCache(t);
    assert.throws(
      () =>
        cache.set('k', {
          get x() {
            cache.close();
            return 1;
          },
        }),
      errors.closed,
    );
    assert.equal(cache.closed, true);
  });
});
