'use strict';

// NodeCache against node-cache itself: the same calls on both, the same results, events and statistics. What the package
// does by accident is listed at the end.

const assert = require('node:assert/strict');
const { describe, mock, test } = require('node:test');
const fc = require('fast-check');
const Peer = require('node-cache');
const { NodeCache } = require('../../index.js');

const EVENTS = ['set', 'del', 'expired', 'flush', 'flush_stats'];

/** Both caches with the same options, and what they have emitted. */
function pair(options) {
  return [NodeCache, Peer].map((Class) => {
    const cache = new Class(options);
    const events = [];
    for (const name of EVENTS) cache.on(name, (...args) => events.push([name, ...args.map(plain)]));
    return { cache, events };
  });
}

/** node-cache hands `del` its inner object; what is in it is what counts. */
function plain(value) {
  return typeof value === 'object' && value !== null ? structuredClone(value) : value;
}

/** What a call comes to: a result, or the error as users see it. */
function outcome(call) {
  try {
    return { returned: call() };
  } catch ({ name, errorcode, message, data }) {
    return { thrown: { name, errorcode, message, data } };
  }
}

/** Runs the same calls on both caches and compares all that can be seen of them. */
function same(options, calls) {
  const [ours, theirs] = pair(options);
  try {
    for (const call of calls) {
      assert.deepEqual(
        outcome(() => call(ours.cache)),
        outcome(() => call(theirs.cache)),
        `${call}`,
      );
    }
    assert.deepEqual(ours.events, theirs.events);
    assert.deepEqual({ ...ours.cache.getStats() }, { ...theirs.cache.getStats() });
    assert.deepEqual(ours.cache.keys(), theirs.cache.keys());
  } finally {
    ours.cache.close();
    theirs.cache.close();
  }
}

const values = {
  strings: ['', 'text', 'x'.repeat(3000)],
  numbers: [0, -0, 1.5, Number.NaN, Number.POSITIVE_INFINITY],
  others: [true, false, null, undefined],
  objects: [{}, { a: 1, b: { c: [1, 2, { d: 'e' }] } }, [], [1, [2]], new Date(7), /x/gi, Buffer.from('bytes')],
  collections: [new Map([[{ a: 1 }, new Set([1])]]), new Uint8Array([1, 2])],
};

describe('as node-cache', () => {
  for (const [kind, list] of Object.entries(values)) {
    test(`values of kind ${kind} come back, and count for the same size`, () => {
      same(
        {},
        list.flatMap((value, index) => [
          (cache) => cache.set(`k${index}`, value),
          (cache) => cache.get(`k${index}`),
          (cache) => ({ ...cache.getStats() }),
          (cache) => cache.set(`k${index}`, 'other'),
          (cache) => cache.set(`k${index}`, value),
          (cache) => cache.take(`k${index}`),
          (cache) => cache.del(`k${index}`),
        ]),
      );
    });
  }

  test('keys are strings or numbers', () => {
    same({}, [
      (cache) => cache.set(1, 'one'),
      (cache) => cache.get('1'),
      (cache) => cache.has(1),
      (cache) => cache.mget([1, '2']),
      (cache) => cache.set({}, 1),
      (cache) => cache.get(undefined),
      (cache) => cache.get(null),
      (cache) => cache.del([true]),
      (cache) => cache.mget('1'),
      (cache) => cache.mget([1, {}]),
      (cache) => cache.ttl({}, 1),
      (cache) => cache.getTtl([]),
      (cache) => cache.getTtl(''),
      (cache) => cache.ttl(''),
      (cache) => cache.set('__proto__x', 5),
      (cache) => cache.del(1),
    ]);
  });

  test('mset checks all before it stores any', () => {
    same({}, [
      (cache) =>
        cache.mset([
          { key: 'a', val: 1 },
          { key: 'b', val: { c: 1 }, ttl: 10 },
        ]),
      (cache) =>
        cache.mset([
          { key: 'd', val: 1 },
          { key: 'e', val: 1, ttl: '5' },
        ]),
      (cache) =>
        cache.mset([
          { key: 'd', val: 1 },
          { key: {}, val: 1 },
        ]),
      (cache) => cache.mget(['a', 'b', 'd', 'e']),
    ]);
  });

  test('maxKeys refuses new keys', () => {
    same({ maxKeys: 2 }, [
      (cache) => cache.set('a', 1),
      (cache) => cache.set('b', 1),
      (cache) => cache.set('c', 1),
      (cache) => cache.del('a'),
      (cache) => cache.set('c', 1),
      (cache) =>
        cache.mset([
          { key: 'd', val: 1 },
          { key: 'e', val: 1 },
        ]),
      (cache) => cache.keys(),
    ]);
  });

  test('flushing', () => {
    same({}, [
      (cache) =>
        cache.mset([
          { key: 'a', val: { b: 1 } },
          { key: 'c', val: 'd' },
        ]),
      (cache) => cache.get('a'),
      (cache) => cache.flushStats(),
      (cache) => cache.get('zz'),
      (cache) => cache.flushAll(),
      (cache) => cache.get('a'),
      (cache) => cache.data,
    ]);
  });

  test('methods can be passed around', () => {
    same({}, [({ set }) => set('a', 1), ({ get }) => get('a'), ({ del }) => del('a'), ({ keys }) => keys()]);
  });

  test('sizes follow the options', () => {
    const options = { objectValueSize: 3, arrayValueSize: 5, promiseValueSize: 7 };
    same({ ...options, useClones: false }, [
      (cache) => cache.set('a', { b: 1, c: 2 }),
      (cache) => cache.set('d', [1, 2, 3]),
      (cache) => cache.set('e', { then() {} }),
      (cache) => ({ ...cache.getStats() }),
    ]);
  });

  test('callbacks, where they are asked for', (t) => {
    t.mock.method(console, 'warn', () => {});
    const heard = [pair({ enableLegacyCallbacks: true })].flat().map(({ cache }) => {
      const calls = [];
      const note = (...args) => calls.push(args.map((arg) => arg?.name ?? arg));
      cache.set('a', 1, 0, note);
      cache.get('a', note);
      cache.get({}, note);
      cache.mget('a', note);
      cache.keys(note);
      cache.del('a', note);
      assert.equal(cache.has('a'), false);
      return calls;
    });
    assert.deepEqual(heard[0], heard[1]);
  });
});

describe('expiry', () => {
  test('follows the clock', (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: 1_000_000 });
    const wait = (ms) => () => t.mock.timers.tick(ms / 2);
    same({ stdTTL: 10 }, [
      (cache) => cache.set('standard', { a: 1 }),
      (cache) => cache.set('short', { b: 2 }, 0.5),
      (cache) => cache.set('text', 'c', '1'),
      (cache) => cache.set('ever', 'd', 0),
      (cache) => ['standard', 'short', 'text', 'ever'].map((key) => cache.getTtl(key)),
      wait(600),
      (cache) => cache.get('short'),
      (cache) => cache.getTtl('short'),
      (cache) => cache.has('text'),
      (cache) => cache.ttl('text', 100),
      (cache) => cache.ttl('standard'),
      (cache) => cache.ttl('missing', 5),
      wait(9_900),
      (cache) => cache.mget(['standard', 'text', 'ever']),
      (cache) => cache.ttl('text', -1),
      (cache) => cache.keys(),
      (cache) => ({ ...cache.getStats() }),
    ]);
  });

  test('events have the key as the call had it that found it expired', (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: 1_000_000 });
    const set = [1, 2, 3, 4, 5, '6', 7].map((key) => (cache) => cache.set(key, { key }, 1));
    same({}, [
      ...set,
      () => t.mock.timers.tick(1_000),
      (cache) => cache.get(1),
      (cache) => cache.mget([2]),
      (cache) => cache.has(3),
      (cache) => cache.ttl(4, 10),
      (cache) => cache.getTtl(5),
      (cache) => cache.take('6'),
      (cache) => cache._checkData(false),
    ]);
  });

  test('what is over goes in the order of its keys, once, whatever listeners do', (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: 1_000_000 });
    const keys = ['b', 10, '2', 'a', '01', 2 ** 32, 1, '-1', '1.5', 4294967294];
    same({}, [
      ...keys.map((key) => (cache) => cache.set(key, { key }, 1)),
      (cache) => cache.keys(),
      (cache) => cache.once('expired', () => cache.del('a')) && undefined,
      (cache) => cache.on('expired', (key) => key === '10' && cache.set('b', 'anew', 5)) && undefined,
      () => t.mock.timers.tick(600),
      (cache) => cache._checkData(false),
      (cache) => cache.keys(),
    ]);
    const restless = new NodeCache();
    restless.on('expired', (key) => restless.set(key, 1, -1));
    restless.set('a', 1, -1);
    restless._checkData(false);
    assert.deepEqual(restless.keys(), ['a']);
  });

  test('a ttl that is left out in whatever way is the standard one', (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: 1_000_000 });
    for (const stdTTL of [0, 10, '10', undefined, Number.NaN, -1]) {
      const values = [undefined, null, '', false, Number.NaN, 0, 5, '5', -1];
      same(
        { stdTTL },
        values.flatMap((ttl) => [
          (cache) => cache.set('a', 1, ttl),
          // Never, as both have it: the package by a deadline that is no number, if the standard one is none.
          (cache) => cache.getTtl('a') || 0,
          (cache) => cache.set('b', 1),
          (cache) => cache.ttl('b', ttl),
          (cache) => cache.getTtl('b') || 0,
        ]),
      );
    }
  });

  test('deleteOnExpire: false keeps the value', (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: 1_000_000 });
    same({ deleteOnExpire: false }, [
      (cache) => cache.set('a', { b: 1 }, 1),
      () => t.mock.timers.tick(1_000),
      (cache) => cache.get('a'),
      (cache) => cache.has('a'),
      (cache) => cache._checkData(false),
    ]);
  });

  test('the periodic check removes what nobody asks for, and can be closed', (t) => {
    t.mock.timers.enable({ apis: ['Date', 'setTimeout'], now: 1_000_000 });
    const expired = mock.fn();
    const cache = new NodeCache({ checkperiod: 5 });
    cache.on('expired', expired);
    cache.set('a', { b: 1 }, 1);
    t.mock.timers.tick(5_001);
    assert.deepEqual(expired.mock.calls[0].arguments, ['a', { b: 1 }]);
    assert.deepEqual(cache.keys(), []);
    cache.set('c', 1, 1);
    cache.close();
    t.mock.timers.tick(60_000);
    assert.deepEqual(cache.keys(), ['c']);
  });
});

describe('fetch', () => {
  test('gives what is there, else what it is given, which it stores', (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: 1_000_000 });
    const cache = new NodeCache({ stdTTL: 5 });
    const make = t.mock.fn(() => ({ made: true }));
    const { fetch } = cache;
    assert.deepEqual(fetch('a', 10, make), { made: true });
    assert.equal(cache.getTtl('a'), 1_010_000);
    assert.deepEqual(fetch('a', 10, make), { made: true });
    assert.equal(make.mock.callCount(), 1);
    assert.equal(fetch('b', 'as it is'), 'as it is');
    assert.equal(cache.getTtl('b'), 1_005_000);
    assert.equal(
      fetch(3, () => 0),
      0,
    );
    assert.equal(fetch(3, 10, 'unused'), 0);
    assert.deepEqual(cache.keys(), ['3', 'a', 'b']);
    assert.equal(cache.getStats().hits, 2);
  });

  test('stores nothing when the function throws', () => {
    const cache = new NodeCache();
    const fail = () => {
      throw new Error('no value');
    };
    assert.throws(() => cache.fetch('a', 10, fail), { message: 'no value' });
    assert.equal(cache.has('a'), false);
    assert.throws(() => cache.fetch({}, 10, 1), { name: 'EKEYTYPE' });
  });
});

test('nothing here needs the global Buffer', (t) => {
  const { Buffer } = globalThis;
  t.after(() => {
    globalThis.Buffer = Buffer;
  });
  const cache = new NodeCache();
  globalThis.Buffer = undefined;
  cache.set('a', { b: [new Date(1), new Map()] });
  assert.deepEqual(cache.get('a'), { b: [new Date(1), new Map()] });
  cache.close();
});

describe('copies', () => {
  test('what callers change stays theirs', () => {
    const cache = new NodeCache();
    const value = { list: [{ n: 1 }], when: new Date(1) };
    cache.set('a', value);
    value.list[0].n = 2;
    const read = cache.get('a');
    assert.equal(read.list[0].n, 1);
    read.list.push(3);
    assert.deepEqual(cache.get('a'), { list: [{ n: 1 }], when: new Date(1) });
  });

  test('instances, functions and promises are kept as node-cache keeps them', async () => {
    class Point {
      constructor(x) {
        this.x = x;
      }
      double() {
        return this.x * 2;
      }
    }
    const cache = new NodeCache();
    cache.set('point', new Point(4));
    assert.equal(cache.get('point').double(), 8);
    cache.set('function', () => 5);
    assert.equal(cache.get('function')(), 5);
    cache.set('promise', Promise.resolve(6));
    assert.equal(await cache.get('promise'), 6);
    const loop = { name: 'loop' };
    loop.self = loop;
    cache.set('loop', loop);
    assert.equal(cache.get('loop').self.name, 'loop');
  });

  test('useClones: false hands out the object itself', () => {
    const cache = new NodeCache({ useClones: false });
    const value = { a: 1 };
    cache.set('a', value);
    assert.equal(cache.get('a'), value);
  });

  test('a value that moves between engine and heap is read from where it is', () => {
    const cache = new NodeCache();
    const held = [{ a: 1 }, () => 1, { b: 2 }, 'text', new Map(), { c: 3 }];
    for (const value of held) {
      cache.set('a', value);
      if (typeof value === 'function') assert.equal(cache.get('a')(), 1);
      else assert.deepEqual(cache.get('a'), value);
    }
    assert.equal(cache.del('a'), 1);
    assert.equal(cache.get('a'), undefined);
  });
});

test('any sequence of calls', () => {
  const key = fc.constantFrom('a', 'b', 'c', 1);
  // The package loses properties that are named like those of Object.prototype.
  const lost = Object.getOwnPropertyNames(Object.prototype);
  const json = fc
    .jsonValue({ maxDepth: 2 })
    .filter((tree) => !lost.some((name) => JSON.stringify(tree).includes(JSON.stringify(name))));
  const value = fc.oneof(json, fc.date({ noInvalidDate: true }), fc.constant(undefined));
  const call = fc.oneof(
    fc.tuple(fc.constant('set'), key, value),
    fc.tuple(fc.constantFrom('get', 'del', 'take', 'has', 'getTtl'), key),
    fc.tuple(fc.constant('mget'), fc.array(key)),
    fc.tuple(fc.constant('mset'), fc.array(fc.record({ key, val: value }))),
    fc.tuple(fc.constantFrom('flushAll', 'flushStats', 'keys')),
  );
  fc.assert(
    fc.property(fc.array(call, { maxLength: 30 }), (calls) => {
      same(
        {},
        calls.map(
          ([method, ...args]) =>
            (cache) =>
              cache[method](...args),
        ),
      );
    }),
    { numRuns: 300 },
  );
});

describe('where node-cache does something by accident', () => {
  test('a full cache takes a new value for a key that it has, and mset may fill the last place', () => {
    const cache = new NodeCache({ maxKeys: 2 });
    cache.mset([
      { key: 'a', val: 1 },
      { key: 'b', val: 1 },
    ]);
    assert.equal(cache.set('a', 2), true);
    assert.equal(cache.get('a'), 2);
  });

  test('a ttl that is no number is an error', () => {
    assert.throws(() => new NodeCache().set('a', 1, 'soon'), { name: 'ETTLTYPE', errorcode: 'ETTLTYPE' });
  });

  test('forceString keeps the JSON of what is no string', () => {
    const cache = new NodeCache({ forceString: true });
    const heard = [];
    cache.on('set', (...args) => heard.push(args));
    cache.mset([
      { key: 'a', val: { b: 1 } },
      { key: 'c', val: null },
      { key: 'd', val: 'text' },
      { key: 'e', val: undefined },
    ]);
    assert.deepEqual(cache.mget(['a', 'c', 'd', 'e']), { a: '{"b":1}', c: 'null', d: 'text', e: null });
    assert.equal(cache.getStats().vsize, 7 + 4 + 4);
    assert.deepEqual(heard[0], ['a', '{"b":1}']);
  });

  test('properties named like those of Object.prototype stay', () => {
    const cache = new NodeCache();
    const value = { toString: null, constructor: 'c', nested: [{ valueOf: 1, hasOwnProperty: false }] };
    cache.set('a', value);
    assert.deepEqual(cache.get('a'), value);
    assert.deepEqual(cache.mget(['a']), { a: value });
  });

  test('keys named like properties of Object are keys', () => {
    const cache = new NodeCache();
    assert.equal(cache.get('constructor'), undefined);
    cache.set('__proto__', { a: 1 });
    assert.deepEqual(cache.get('__proto__'), { a: 1 });
    assert.deepEqual(cache.keys(), ['__proto__']);
  });
});

describe('where values are', () => {
  const { NodeCacheValues } = require('../../lib/adapters/node-cache-values.js');
  const { PlainCopy } = require('../../lib/adapters/plain-copy.js');
  const trees = {
    record: { a: 1, b: { c: [1, 2, { d: 'e' }] }, f: undefined, g: -0, h: 10n, i: () => 1 },
    list: [1, [2], { three: 3 }, null, undefined],
    date: { when: new Date(7), list: [new Date(8)] },
    wide: Array.from({ length: 50 }, (_, id) => ({ id })),
    proto: JSON.parse('{"__proto__":{"polluted":true}}'),
  };
  const shared = { n: 1 };
  const cycle = { name: 'loop' };
  cycle.self = cycle;
  const others = {
    map: new Map([[1, { a: 1 }]]),
    instance: new (class Point {
      x = 1;
    })(),
    twice: { one: shared, other: shared },
    twiceInMany: [...Array.from({ length: 30 }, (_, id) => ({ id })), shared, shared],
    cycle,
    holes: [1, , 3],
    extra: Object.assign([1], { more: 2 }),
    symbol: { [Symbol.for('s')]: 1 },
    bare: Object.assign(Object.create(null), { a: 1 }),
    regex: { pattern: /x/g },
    dated: Object.assign(new Date(5), { more: 1 }),
    deep: Array.from({ length: 150 }).reduce((inner) => ({ inner }), 1),
  };

  for (const heapWeight of [0, 1_000_000]) {
    const place = heapWeight === 0 ? 'in the engine' : 'on the heap';
    test(`whatever they are, they come back as they were: ${place}`, () => {
      const values = new NodeCacheValues(true, heapWeight);
      for (const [name, value] of Object.entries({ ...trees, ...others })) {
        // As node-cache does, where it has to be cloned.
        if (name === 'proto' && heapWeight === 0) continue;
        const held = values.store(name, value);
        const read = values.read(name, held);
        assert.deepEqual(read, value, name);
        assert.notEqual(read, value, name);
        assert.notEqual(values.read(name, held), read, name);
        assert.equal(held instanceof PlainCopy, heapWeight > 0 && name in trees, name);
      }
    });
  }

  test('what is one object stays one', () => {
    for (const heapWeight of [0, 1_000_000]) {
      const values = new NodeCacheValues(true, heapWeight);
      const { one, other } = values.read('a', values.store('a', others.twice));
      assert.equal(one, other);
    }
  });

  test('the heap takes its share, and what leaves makes room', () => {
    const values = new NodeCacheValues(true, 10);
    const held = [1, 2, 3].map((n) => values.store(`k${n}`, { list: [1, 2, n] }));
    assert.deepEqual(
      held.map((each) => each instanceof PlainCopy),
      [true, true, false],
    );
    assert.deepEqual(
      held.map((each, index) => values.read(`k${index + 1}`, each).list[2]),
      [1, 2, 3],
    );
    values.delete('k1', held[0]);
    values.delete('k2', held[1]);
    assert.ok(values.store('k4', { n: 4 }) instanceof PlainCopy);
    values.clear();
    assert.ok(values.store('k5', { n: 5 }) instanceof PlainCopy);
  });

  test('an entry that moves between both is where it was set last', () => {
    const cache = new NodeCache();
    const big = Array.from({ length: 300_000 }, (_, index) => index);
    for (let round = 0; round < 9; round++) cache.set(`big ${round}`, big);
    // The heap has its share now.
    cache.set('k', { n: 1 });
    assert.deepEqual(cache.get('k'), { n: 1 });
    for (let round = 0; round < 9; round++) cache.del(`big ${round}`);
    cache.set('k', { n: 2 });
    assert.deepEqual(cache.get('k'), { n: 2 });
    cache.set('k', 'text');
    assert.equal(cache.take('k'), 'text');
    assert.equal(cache.getStats().keys, 0);
    cache.close();
  });
});
