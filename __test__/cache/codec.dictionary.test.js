'use strict';

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { KIND } = require('../../lib/cache/codec.js');
const { MemoryDictionary, openCodec, encoded, decoded, roundTrip, assertSame } = require('../support/codec');

describe('codec: the dictionary', () => {
  it('holds shapes that come back, and only those', () => {
    const dictionary = new MemoryDictionary();
    const codec = openCodec(dictionary);
    codec.encode({ once: 1 });
    assert.deepEqual(dictionary.shapes(), []);
    for (let i = 0; i < 500; i += 1) {
      codec.encode([
        { id: i, name: 'n' },
        { id: i, name: 'm' },
      ]);
      codec.encode({ [`dynamic${i}`]: 1, [`other${i}`]: 2 });
      codec.encode({ [i % 10]: 'a table by number' });
      codec.encode(Object.fromEntries(Array.from({ length: 65 }, (_, key) => [`k${key}`, i])));
    }
    assert.deepEqual(dictionary.shapes(), [['id', 'name']]);
    assert.equal(dictionary.saves, 1);
    assert.ok(dictionary.loads < 5);
  });

  it('a value of unshared shapes needs no dictionary, a shared one makes it small', () => {
    const dictionary = new MemoryDictionary();
    const codec = openCodec(dictionary);
    const value = {
      alpha: [
        { beta: 1, gamma: { delta: 2 } },
        { beta: 3, gamma: { delta: 4 } },
      ],
      epsilon: {},
    };
    const first = encoded(codec, value);
    const stranger = new MemoryDictionary();
    assertSame(value, decoded(openCodec(stranger), first));
    assert.equal(stranger.loads, 0);
    const later = [1, 2, 3].map(() => encoded(codec, value)).at(-1);
    assert.ok(later.payload.length * 2 < first.payload.length);
    assertSame(value, decoded(openCodec(dictionary), later));
    const lost = openCodec(stranger);
    for (let i = 0; i < 10; i += 1) assert.throws(() => decoded(lost, later), { code: 'ERR_HOTPATH_CORRUPT_VALUE' });
    assert.equal(stranger.loads, 1, 'the same version is not loaded again');
  });

  it('many codecs, alternating for thousands of writes, far more shapes than it takes', () => {
    const dictionary = new MemoryDictionary();
    const early = openCodec(dictionary);
    const codecs = [early, openCodec(dictionary)];
    const kept = [];
    for (let i = 0; i < 6_000; i += 1) {
      if (i % 500 === 250) codecs.push(openCodec(dictionary));
      const shape = (n) => ({ [`a${n % 90}`]: i, b: { [`c${n % 7}`]: [{ [`d${n % 50}`]: 1, e: `${i}` }] } });
      const value = {
        i,
        list: Array.from({ length: i % 5 }, (_, n) => shape(i * 7 + n * 13)),
        again: [shape(i), shape(i)],
      };
      const stored = encoded(codecs[(i * 7) % codecs.length], value);
      assert.equal(stored.kind, KIND.RECORD);
      assert.deepStrictEqual(decoded(codecs[(i * 11 + 3) % codecs.length], stored), value);
      if (i % 20 === 0) kept.push([value, stored]);
    }
    const shapes = dictionary.shapes();
    assert.ok(shapes.length > 20 && shapes.length < 32, `${shapes.length}`);
    assert.equal(new Set(shapes.map(String)).size, shapes.length);
    for (const [value, stored] of kept) {
      assert.deepStrictEqual(decoded(early, stored), value);
      assert.deepStrictEqual(decoded(openCodec(dictionary), stored), value);
    }
    assert.ok(dictionary.loads < 3 * 32 * codecs.length + kept.length * 2, `${dictionary.loads} loads`);
  });

  it('a save that loses to another thread is done again on top of the other', () => {
    const dictionary = new MemoryDictionary();
    const [codec, other] = [openCodec(dictionary), openCodec(dictionary)];
    for (let i = 0; i < 12; i += 1) {
      const mine = { [`mine${i}`]: 1, [`too${i}`]: [i] };
      for (let round = 0; round < 10; round += 1) {
        let interfered = false;
        dictionary.beforeSave = () => {
          if (interfered) return;
          interfered = true;
          if (dictionary.shapes().length < 31) dictionary.add([`theirs${i}`, `${round}`]);
        };
        const stored = encoded(codec, [mine, { i }]);
        assertSame([mine, { i }], decoded(other, stored));
        assertSame([mine, { i }], decoded(openCodec(dictionary), stored));
      }
    }
    assert.equal(new Set(dictionary.shapes().map(String)).size, dictionary.shapes().length);
  });

  it('what another thread saves just after us is not lost', () => {
    const dictionary = new MemoryDictionary();
    const [codec, other] = [openCodec(dictionary), openCodec(dictionary)];
    let additions = 0;
    dictionary.afterSave = () => dictionary.add([`theirs${(additions += 1)}`]);
    for (let i = 0; i < 6; i += 1) {
      for (let round = 0; round < 4; round += 1) {
        const stored = encoded(codec, { [`mine${i}`]: round });
        assertSame({ [`mine${i}`]: round }, decoded(other, stored));
      }
    }
    const mine = Array.from({ length: 6 }, (_, i) => [[`mine${i}`], [`theirs${i + 1}`]]).flat();
    assert.deepEqual(dictionary.shapes(), mine);
  });

  it('one that fails does no lasting harm', () => {
    const dictionary = new MemoryDictionary();
    const codec = openCodec(dictionary);
    const failure = new Error('closed');
    dictionary.beforeSave = () => {
      throw failure;
    };
    codec.encode({ a: { b: 1 } });
    assert.throws(
      () => codec.encode({ a: { b: 1 } }),
      (error) => error === failure,
    );
    dictionary.beforeSave = () => {};
    for (let i = 0; i < 5; i += 1)
      assertSame({ a: { b: i } }, roundTrip({ a: { b: i } }, codec, openCodec(dictionary)));
  });
});
