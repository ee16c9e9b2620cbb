'use strict';

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const { readdirSync } = require('node:fs');
const path = require('node:path');
const fc = require('fast-check');
const { KIND } = require('../../lib/cache/codec.js');
const { openCodec, encoded, decoded, roundTrip, kindOf, assertSame, define } = require('../support/codec');
const { VALUES, expectedOf } = require('../support/values');

describe('codec: what comes back equals what went in', () => {
  for (const [label, make] of VALUES) {
    it(label, () => {
      const codec = openCodec();
      const expected = expectedOf(label, make);
      const wrap = (value) => ({ value, list: [value, { value }], map: new Map([['k', value]]) });
      const plainly = (value) => ({ first: 1, value, last: ['x'] });
      for (let round = 0; round < 4; round += 1) {
        assert.deepStrictEqual(roundTrip(make(), codec), expected);
        assertSame(expected, roundTrip(make(), codec, codec, round));
        assertSame(plainly(expected), roundTrip(plainly(make()), codec, codec, round));
        assertSame(wrap(expected), roundTrip(wrap(make()), codec, codec, round));
      }
    });
  }

  it('numbers at every boundary of the format', () => {
    const edges = [5, 6, 7, 8, 15, 16, 31, 32, 52, 53, 63, 64].flatMap((bits) => [
      2 ** bits - 1,
      2 ** bits,
      2 ** bits + 1,
    ]);
    const numbers = [...edges, ...edges.map((n) => -n), 0.5, 1e308, 5e-324, NaN, Infinity, -Infinity];
    assert.equal(kindOf(numbers), KIND.RECORD);
    assertSame(numbers, roundTrip(numbers));
    const bigints = edges.filter(Number.isSafeInteger).flatMap((n) => [BigInt(n), -BigInt(n), BigInt(n) * 2n ** 40n]);
    assertSame(bigints, roundTrip(bigints));
  });

  it('every valid date is exact, and takes the fast way', () => {
    const any = fc.date({ noInvalidDate: true });
    const near = fc.integer({ min: -5000, max: 5000 });
    const edge = fc.tuple(fc.constantFrom(0, 2 ** 32 * 1000, -(2 ** 31) * 1000, 2 ** 34 * 1000, 253402300800000), near);
    fc.assert(
      fc.property(
        fc.oneof(
          any,
          edge.map(([at, by]) => new Date(at + by)),
        ),
        (date) => {
          const codec = openCodec();
          const stored = encoded(codec, { date });
          assert.equal(stored.kind, KIND.RECORD);
          assert.ok(Object.is(decoded(codec, stored).date.getTime(), date.getTime()));
        },
      ),
      { numRuns: 3000 },
    );
    assertSame({ at: new Date(NaN) }, roundTrip({ at: new Date(NaN) }));
  });

  it('a byte order mark, in values and keys of any length', () => {
    for (const length of [1, 20, 21, 64, 65, 70_000]) {
      const text = `\ufeff${'é'.repeat(length)}`;
      assertSame({ text, [text]: 1 }, roundTrip({ text, [text]: 1 }));
      assertSame([`x${text}`], roundTrip([`x${text}`]));
    }
  });

  it('keys that msgpackr uses itself', () => {
    const codec = openCodec();
    for (let round = 0; round < 4; round += 1) {
      for (const json of [
        '{"a":1}',
        '{"a":1,"__keys__":2,"length":3}',
        '{"__proto__":{"x":1}}',
        '{"constructor":"c","toJSON":1}',
      ]) {
        assertSame(JSON.parse(json), roundTrip(JSON.parse(json), codec));
      }
      assertSame({ hasOwnProperty: 1, valueOf: 2 }, roundTrip({ hasOwnProperty: 1, valueOf: 2 }, codec));
    }
  });

  it('objects of any number of keys, arrays of any length', () => {
    const codec = openCodec();
    for (const length of [0, 1, 31, 32, 63, 64, 65, 100, 1_000, 16_383, 16_384, 16_385, 70_000]) {
      const object = Object.fromEntries(Array.from({ length }, (_, i) => [`k${i}`, i % 7 ? i : { i }]));
      assertSame([object, { ok: 1 }], roundTrip([object, { ok: 1 }], codec));
      const array = Array.from({ length }, (_, i) => (i % 7 ? i : `${i}`));
      assertSame({ array }, roundTrip({ array }, codec));
      assertSame(
        { array: define([...array], 'extra', 1) },
        roundTrip({ array: define([...array], 'extra', 1) }, codec),
      );
    }
  });

  it('what structured clone makes of the exotic', () => {
    class List extends Array {}
    class Bytes extends Uint8Array {}
    class Custom extends Map {}
    assertSame([1, 2, 3], roundTrip(List.of(1, 2, 3)));
    assertSame(new Uint8Array([1]), roundTrip(new Bytes([1])));
    assertSame([new Map([[1, 2]])], roundTrip([new Custom([[1, 2]])]));
    assertSame({}, roundTrip(Object.create(Date.prototype)));
    assertSame(
      { a: 1 },
      roundTrip(Object.create({ inherited: 1 }, { a: { value: 1, enumerable: true }, b: { value: 2 } })),
    );
    assertSame({ a: 1 }, roundTrip({ a: 1, [Symbol('s')]: 2 }));
    const expression = Object.assign(/a/g, { lastIndex: 3 });
    assert.equal(roundTrip({ expression }).expression.lastIndex, 0);
  });

  it('sharing: of objects, dates and ArrayBuffers', () => {
    const date = new Date(5);
    assertSame([date, [date]], roundTrip([date, [date]]));
    for (const count of [2, 63, 64, 65, 200]) {
      const list = Array.from({ length: count }, (_, i) => ({ i, tags: ['x'] }));
      assert.equal(kindOf(list), KIND.RECORD);
      list.push(list[count - 2].tags);
      assertSame(list, roundTrip(list));
    }
    const memory = new ArrayBuffer(16);
    const views = {
      memory,
      bytes: new Uint8Array(memory, 4, 8),
      floats: new Float64Array(memory, 8),
      node: Buffer.from(memory),
    };
    for (const value of [views, { one: views.bytes, two: views.floats, three: views.node }]) {
      const copy = roundTrip(value);
      assertSame(value, copy);
      assert.equal(new Set(Object.values(copy).map((view) => view.buffer ?? view)).size, 1);
    }
    const pooled = roundTrip({ a: Buffer.from('a'), b: Buffer.from('b'), u: new Uint8Array(2) });
    assert.deepEqual(pooled, { a: Buffer.from('a'), b: Buffer.from('b'), u: new Uint8Array(2) });
    assert.equal(pooled.u.buffer.byteLength, 2);
  });

  it('errors: class, stack, cause, own properties, AggregateError', () => {
    const classes = [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError];
    for (const Class of classes) {
      const error = Object.assign(new Class('outer', { cause: new Class('inner', { cause: { code: 1 } }) }), {
        code: 'E',
        errno: -0,
      });
      assertSame(error, roundTrip(error));
      assertSame({ list: [error, error], cause: error.cause }, roundTrip({ list: [error, error], cause: error.cause }));
    }
    const shared = new TypeError('shared');
    const aggregate = new AggregateError([shared, { plain: [shared] }], 'several', { cause: shared });
    aggregate.self = aggregate;
    const copy = roundTrip([aggregate]);
    assertSame([aggregate], copy);
    assert.deepEqual(Object.keys(copy[0]), ['self']);
    const renamed = define(new RangeError('renamed'), 'name', 'TypeError');
    assertSame(renamed, roundTrip(renamed));
    assert.equal(Object.hasOwn(roundTrip(new Error()), 'message'), false);
    class AppError extends TypeError {
      get name() {
        return 'AppError';
      }
    }
    const app = roundTrip(new AppError('m'));
    assert.deepEqual(
      [Object.getPrototypeOf(app), app.name, app.message, Object.keys(app)],
      [TypeError.prototype, 'AppError', 'm', []],
    );
  });

  it('nesting: 1,000 levels, and a RangeError beyond', () => {
    const steps = [
      (inner) => ({ inner }),
      (inner) => [inner],
      (inner) => new Map([[1, inner]]),
      (inner) => new Set([inner]),
    ];
    for (const step of [...steps, (cause) => new Error('', { cause })]) {
      const nested = (levels) => Array.from({ length: levels }).reduce(step, {});
      for (const levels of [99, 101, 1000]) {
        let [a, b] = [nested(levels), roundTrip(nested(levels))];
        for (let level = 0; level < levels; level += 1) {
          assert.equal(Object.prototype.toString.call(b), Object.prototype.toString.call(a));
          [a, b] = [a, b].map((o) => o.inner ?? o.cause ?? (Array.isArray(o) ? o[0] : [...o.values()][0]));
        }
        assert.deepEqual(b, {});
      }
      for (const levels of [1001, 50_000])
        assert.throws(() => roundTrip(nested(levels)), { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' });
    }
  });

  it('a string of 100 MB inside an object', () => {
    const text = 'abcdefghij'.repeat(10 * 1024 * 1024);
    const codec = openCodec();
    const copy = roundTrip({ text, list: [1] }, codec);
    assert.ok(copy.text === text);
    codec.encode({ small: true });
    assert.ok(codec.payload.length < 1 << 24, 'msgpackr must not keep a buffer of that size');
  });
});

describe('codec: ways', () => {
  it('plain data takes the fast way, anything else the exact one', () => {
    const row = {
      id: 1,
      name: 'Zoë 😀',
      at: new Date(),
      tags: ['a'],
      nested: { n: null, u: undefined, b: true, big: 5n },
    };
    const fast = [
      row,
      [row],
      [],
      {},
      Object.assign(Object.create(null), { a: 1 }),
      new Date(0),
      7n,
      Object.fromEntries([...'abc'.repeat(50)].map((c, i) => [c + i, i])),
    ];
    for (const value of fast) assert.equal(kindOf(value), KIND.RECORD);
    const exact = [
      { z: -0 },
      ['\ud800'],
      new Map(),
      [, 1],
      { d: new Date(NaN) },
      2n ** 64n,
      [row, row],
      new Float32Array(2),
      { e: /x/ },
    ];
    for (const value of exact) assert.equal(kindOf(value), KIND.CLONE);
    assert.equal(kindOf([new Error()]), KIND.CLONE_WITH_ERRORS);
    assert.equal(kindOf(Buffer.from('x')), KIND.BUFFER);
    assert.equal(kindOf(new Uint8Array(1)), KIND.BYTES);
    assert.deepEqual(
      [undefined, null, false, true, -0, '\ud800'].map((v) => kindOf(v)),
      [0, 1, 2, 3, 4, 5],
    );
  });

  it('an object of many keys is a map: no shape is worth that', () => {
    const codec = openCodec();
    const { payload } = encoded(codec, Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`k${i}`, i])));
    assert.equal(payload[0], 0xde);
  });

  it('is not misled by hidden properties', () => {
    const hidden = { constructor: Map, hasOwnProperty: () => false, toJSON: () => 'misled', length: 5 };
    for (const [key, value] of Object.entries(hidden)) {
      for (const object of [{ a: 1 }, Object.assign(Object.create(null), { a: 1 })]) {
        assertSame([{ a: 1 }], roundTrip([Object.defineProperty(object, key, { value })]));
      }
      if (key !== 'length') assertSame([[1]], roundTrip([Object.defineProperty([1], key, { value })]));
      assertSame([new Date(5)], roundTrip([Object.defineProperty(new Date(5), key, { value })]));
    }
    for (const method of ['getTime', 'getMilliseconds']) {
      assertSame([new Date(5)], roundTrip([Object.defineProperty(new Date(5), method, { value: () => 1e6 })]));
    }
  });

  it('calls no toJSON, and survives keys added to Object.prototype', () => {
    const row = { at: new Date(5), toJSON: 1 };
    assertSame(row, roundTrip(row));
    assertSame({ row }, roundTrip({ row: Object.assign(Object.create(null), row) }));
    Object.prototype.polluted = () => {};
    try {
      const copy = roundTrip([{ a: 1 }, Object.create(null)]);
      assert.deepEqual(copy.map(Object.keys), [['a'], []]);
      assert.equal(kindOf({ a: 1 }), KIND.RECORD);
    } finally {
      delete Object.prototype.polluted;
    }
  });
});

// msgpackr decodes strings in another way where its optional native part is missing.
const SWITCH = 'MSGPACKR_NATIVE_ACCELERATION_DISABLED';
it('codec: all its tests without msgpackr-extract', { skip: process.env[SWITCH] === 'true' }, () => {
  const { NODE_TEST_CONTEXT, ...env } = process.env;
  const siblings = readdirSync(__dirname).filter((name) => name.startsWith('codec.'));
  const files = siblings.map((name) => path.join(__dirname, name));
  const { status, stdout } = spawnSync(process.execPath, ['--test', '--test-reporter=tap', ...files], {
    env: { ...env, [SWITCH]: 'true' },
    encoding: 'utf8',
  });
  assert.equal(status, 0, stdout);
  assert.match(stdout, /^# pass \d{3}$/m);
});
