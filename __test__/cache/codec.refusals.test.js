'use strict';

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const msgpackr = require('msgpackr');
const { KIND } = require('../../lib/cache/codec.js');
const { MemoryDictionary, openCodec, encoded, decoded, roundTrip, assertSame, define } = require('../support/codec');

const noop = () => {};
const argumentsOf = function () {
  // biome-ignore lint/complexity/noArguments: the object itself is what is refused
  return arguments;
};
const transferred = (view) => {
  structuredClone(null, { transfer: [view.buffer ?? view] });
  return view;
};
const revoked = () => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
};
const cyclicWithFunction = () => {
  const object = { list: [] };
  object.list.push(object, noop);
  return object;
};

const REFUSED = {
  'a function': [noop, 'value'],
  'a symbol': [Symbol('secret'), 'value'],
  'a nested function': [{ user: { name: 'secret', onClick: noop } }, 'value.user.onClick'],
  'an element': [{ list: [1, 2, Symbol('secret')] }, 'value.list[2]'],
  'an element far out': [[...Array(20_000).fill(1), noop], 'value[20000]'],
  'a property of a long array': [define(Array(20_000).fill(1), 'fn', noop), 'value.fn'],
  'a URL beside a long array': [define(Array(20_000).fill(1), 'link', new URL('http://secret/')), 'value.link'],
  'a sparse element': [define([], 4_000_000_000, noop), 'value[4000000000]'],
  'odd keys': [{ 'a b': { '': noop } }, 'value["a b"][""]'],
  'a long key': [{ ['secret'.repeat(20)]: noop }, 'value[…]'],
  'a value of a Map': [{ map: new Map([['k', [noop]]]) }, 'value.map.get("k")[0]'],
  'a value under an object key': [new Map([[{ secret: 1 }, noop]]), 'value.get(…)'],
  'a key of a Map': [
    new Map([
      [1, 1],
      [noop, 1],
    ]),
    'value.keys()[1]',
  ],
  'a member of a Set': [{ set: new Set([1, { fn: noop }]) }, 'value.set.values()[1].fn'],
  'in an error': [new AggregateError([new Error('secret', { cause: { fn: noop } })]), 'value.errors[0].cause.fn'],
  'in a cycle': [cyclicWithFunction(), 'value.list[1]'],
  toJSON: [{ toJSON: noop }, 'value.toJSON'],
  'a promise': [{ then: Promise.resolve() }, 'value.then'],
  'a WeakMap': [[new WeakMap()], 'value[0]'],
  'a WeakSet': [[new WeakSet()], 'value[0]'],
  'a WeakRef': [[new WeakRef({})], 'value[0]'],
  'a generator': [{ deep: [{ g: (function* () {})() }] }, 'value.deep[0].g'],
  'an iterator': [[[].values()], 'value[0]'],
  arguments: [{ args: argumentsOf('secret') }, 'value.args'],
  'no arguments': [{ args: argumentsOf() }, 'value.args'],
  'a proxy': [{ p: new Proxy({}, {}) }, 'value.p'],
  'a proxy of an array': [new Proxy([], {}), 'value'],
  'a revoked proxy': [{ p: revoked() }, 'value.p'],
  'a boxed symbol': [[Object(Symbol('secret'))], 'value[0]'],
  'shared memory': [{ s: new SharedArrayBuffer(1) }, 'value.s'],
  'a view of shared memory': [new Uint8Array(new SharedArrayBuffer(1)), 'value'],
  'another view of shared memory': [{ v: new Float64Array(new SharedArrayBuffer(8)) }, 'value.v'],
  'a transferred ArrayBuffer': [[transferred(new ArrayBuffer(1))], 'value[0]'],
  'transferred bytes': [transferred(new Uint8Array(1)), 'value'],
  'a transferred view': [{ v: transferred(new Int16Array(1)) }, 'value.v'],
  'a URL': [{ link: new URL('http://secret/') }, 'value.link'],
  'a subclass of URL': [{ link: new (class Link extends URL {})('http://secret/') }, 'value.link'],
  URLSearchParams: [new URLSearchParams('secret=1'), 'value'],
  'a Blob': [{ b: new Blob(['secret']) }, 'value.b'],
  Headers: [{ h: new Headers({ secret: '1' }) }, 'value.h'],
  'an AbortSignal': [{ s: AbortSignal.abort() }, 'value.s'],
  'a DOMException': [{ e: new DOMException('secret') }, 'value.e'],
  'a WebAssembly.Module': [[new WebAssembly.Module(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0))], 'value[0]'],
  'a key object': [{ k: require('node:crypto').createSecretKey(Buffer.from('secret')) }, 'value.k'],
};

describe('codec: refusals', () => {
  const codec = openCodec();
  for (const [label, [value, path]] of Object.entries(REFUSED)) {
    it(`${label}: names ${path}`, () => {
      assert.throws(
        () => codec.encode(value),
        (error) => {
          assert.ok(error instanceof TypeError);
          assert.equal(error.code, 'ERR_INVALID_ARG_TYPE');
          assert.ok(error.message.includes(` for ${path} but received a value of type `), error.message);
          assert.ok(!error.message.includes('secret') && error.cause === undefined, error.message);
          return true;
        },
      );
      assertSame({ still: ['works'] }, roundTrip({ still: ['works'] }, codec));
    });
  }

  it('a MessagePort', () => {
    const { port1, port2 } = new MessageChannel();
    assert.throws(() => codec.encode({ port: port1 }), /, unlike MessagePort, for value\.port /);
    port1.close();
    port2.close();
  });

  it('corrupt bytes throw, or read as something else; the codec goes on', () => {
    const values = [
      { a: [1, 'text', { b: new Date(5) }], c: 'x'.repeat(200) },
      [new Map([[1, [new Float64Array(3)]]])],
      [new Error('e')],
    ];
    for (const value of values) {
      const good = encoded(codec, value);
      for (let at = 0; at < good.payload.length; at += 1) {
        for (const change of [0xff, 0x80, 1, good.payload[at] ^ 0xd4, good.payload[at] ^ 0xdd]) {
          const bad = Buffer.from(good.payload);
          bad[at] ^= change;
          try {
            decoded(codec, { kind: good.kind, payload: bad });
          } catch (error) {
            assert.equal(error.message, 'A stored value cannot be decoded');
            assert.equal(error.code, 'ERR_HOTPATH_CORRUPT_VALUE');
          }
        }
        for (const kind of [KIND.RECORD, KIND.CLONE, KIND.CLONE_WITH_ERRORS]) {
          const cut = { kind, payload: good.payload.subarray(0, at) };
          if (kind === good.kind) assert.throws(() => decoded(codec, cut), { code: 'ERR_HOTPATH_CORRUPT_VALUE' });
        }
      }
      assertSame(value, decoded(codec, good));
    }
    const { kind, payload } = encoded(codec, { a: 1 });
    assert.throws(() => codec.decode(kind, payload, 0, 0), { code: 'ERR_HOTPATH_CORRUPT_VALUE' });
    assert.throws(() => codec.decode(99, Buffer.alloc(1), 0, 1), { code: 'ERR_HOTPATH_CORRUPT_VALUE' });
  });
});

describe('codec: values that run code', () => {
  /** An object whose getter runs `action` at the given reads (1 is the walk, 2 the packing). */
  const reading = (action, ...when) => {
    let reads = 0;
    return {
      before: ['x'],
      get middle() {
        reads += 1;
        return when.includes(reads) ? action() : ['quiet'];
      },
      after: { y: 1 },
    };
  };

  it('a getter that encodes and decodes with the same codec, at any read', () => {
    const codec = openCodec();
    const other = encoded(codec, { stored: [{ deep: 1 }], when: new Date(0) });
    for (let round = 0; round < 20; round += 1) {
      for (const when of [[1], [2], [1, 2], [3]]) {
        const seen = [];
        const value = reading(
          () => {
            for (const inner of [
              { [`new${round}`]: [round] },
              [-0],
              new Error('inner'),
              { before: 1, middle: 2, after: 3 },
            ]) {
              seen.push([inner, roundTrip(inner, codec)]);
            }
            msgpackr.unpack(msgpackr.pack({ the: 'app uses it too' }));
            return decoded(codec, other).stored;
          },
          ...when,
        );
        const copy = roundTrip(value, codec);
        assert.deepEqual(copy, {
          before: ['x'],
          middle: when.includes(2) ? [{ deep: 1 }] : ['quiet'],
          after: { y: 1 },
        });
        for (const [inner, innerCopy] of seen) assertSame(inner, innerCopy);
        assertSame({ plain: round }, roundTrip({ plain: round }, codec));
      }
    }
  });

  it('a getter that encodes in the middle of the walk does not make it forget', () => {
    const codec = openCodec();
    const shared = { n: 1 };
    const value = { left: shared, inner: reading(() => (codec.encode({ x: [1] }), 1), 1, 2, 3, 4), right: shared };
    const { left, right } = roundTrip(value, codec);
    assert.equal(left, right);
  });

  it('a getter that throws, at any read: its own error, and the codec goes on', () => {
    const dictionary = new MemoryDictionary();
    const codec = openCodec(dictionary);
    const failure = new SyntaxError('from the getter');
    const fail = () => {
      throw failure;
    };
    for (let round = 0; round < 8; round += 1) {
      for (const read of [1, 2]) {
        const value = { [`shape${round % 3}`]: { a: 1 }, failing: reading(fail, read) };
        assert.throws(
          () => codec.encode(value),
          (error) => error === failure,
        );
        assertSame({ a: { b: round } }, roundTrip({ a: { b: round } }, codec, openCodec(dictionary)));
      }
      assert.throws(
        () => codec.encode(new Map([[1, reading(fail, 1)]])),
        (error) => error === failure,
      );
      assert.throws(
        () => codec.encode(new Map([[1, reading(fail, 2)]])),
        (error) => error === failure,
      );
    }
    assert.throws(() => codec.encode(reading(() => () => {}, 2)), TypeError);
    assertSame({ ok: true }, roundTrip({ ok: true }, codec));
  });
});
