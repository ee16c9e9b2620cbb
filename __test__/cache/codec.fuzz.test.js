'use strict';

const { describe, it } = require('node:test');
const fc = require('fast-check');
const { MemoryDictionary, openCodec, roundTrip, assertSame, define } = require('../support/codec');

const fromEntries = (entries) => entries.reduce((object, [key, value]) => define(object, key, value), {});

describe('codec: arbitrary values', () => {
  const text = fc.oneof(
    fc.string(),
    fc.string({ unit: 'binary', maxLength: 80 }),
    fc.array(fc.nat(0xffff), { maxLength: 20 }).map((codes) => String.fromCharCode(...codes)),
    fc.constantFrom(
      '',
      '__proto__',
      '__keys__',
      'constructor',
      'hasOwnProperty',
      'toJSON',
      '0',
      '1',
      '-1',
      '\ufeff',
      'é'.repeat(100),
    ),
  );
  const key = fc.oneof(fc.constantFrom('a', 'b', 'id', 'name', '7'), text);
  const number = fc.oneof(
    fc.integer(),
    fc.double(),
    fc.maxSafeInteger(),
    fc.constantFrom(-0, NaN, 63, 64, 127, 128, 2 ** 32),
  );
  const leaf = fc.oneof(
    text,
    number,
    fc.boolean(),
    fc.constantFrom(null, undefined),
    fc.bigInt(),
    fc.date({ noInvalidDate: false }),
  );
  const bytes = fc.uint8Array({ minLength: 8, maxLength: 16 });
  const exotic = fc.oneof(
    bytes,
    bytes.map((b) => Buffer.from(b)),
    bytes.map((b) => b.buffer),
    bytes.map((b) => new DataView(b.buffer, 1, 4)),
    fc.float64Array(),
    fc.bigInt64Array(),
    fc.constantFrom('', 'giu').map((flags) => new RegExp('a/(b)', flags)),
    fc.oneof(text, number, fc.bigInt(), fc.boolean()).map(Object),
  );
  const { plain, clean, any } = fc.letrec((tie) => ({
    plain: fc.oneof(
      { depthSize: 'small' },
      leaf,
      fc.array(tie('plain')),
      fc.array(fc.tuple(key, tie('plain')), { maxLength: 8 }).map(fromEntries),
    ),
    clean: fc.oneof(
      { depthSize: 'small' },
      fc.oneof(
        fc.string({ unit: 'grapheme' }),
        fc.integer(),
        fc.boolean(),
        fc.constantFrom(null, undefined),
        fc.date({ noInvalidDate: true }),
      ),
      fc.array(tie('clean')),
      fc.dictionary(fc.constantFrom(...'abcdefgh'), tie('clean'), { noNullPrototype: true }),
    ),
    any: fc.oneof(
      { depthSize: 'small' },
      leaf,
      exotic,
      tie('plain'),
      fc.array(tie('any')),
      fc.array(fc.tuple(key, tie('any')), { maxLength: 6 }).map(fromEntries),
      fc.array(fc.tuple(tie('any'), tie('any')), { maxLength: 4 }).map((entries) => new Map(entries)),
      fc.array(tie('any'), { maxLength: 4 }).map((members) => new Set(members)),
      fc
        .tuple(text, tie('any'), tie('any'))
        .map(([message, cause, detail]) => Object.assign(new RangeError(message, { cause }), { detail })),
    ),
  }));
  // Objects that refer to each other at random.
  const graph = fc
    .tuple(
      fc.array(fc.nat(3), { minLength: 1, maxLength: 8 }),
      fc.array(fc.tuple(fc.nat(7), fc.nat(7), leaf), { maxLength: 16 }),
    )
    .map(([kinds, edges]) => {
      const nodes = kinds.map((kind) => [{}, [], new Map(), new Set()][kind]);
      for (const [from, to, value] of edges) {
        const [node, target] = [nodes[from % nodes.length], nodes[to % nodes.length]];
        if (node instanceof Map) node.set(target, value);
        else if (node instanceof Set) node.add(target).add(value);
        else if (Array.isArray(node)) node.push(target, value);
        else Object.assign(node, { [`k${to}`]: target, value });
      }
      return nodes[0];
    });

  for (const [label, values, numRuns] of [
    ['plain data', clean, 1500],
    ['data with oddities', plain, 1500],
    ['everything', any, 1500],
    ['graphs', graph, 1500],
  ]) {
    it(label, () => {
      const dictionary = new MemoryDictionary();
      const codecs = [openCodec(dictionary), openCodec(dictionary), openCodec(dictionary)];
      let run = 0;
      fc.assert(
        fc.property(values, (value) => {
          run += 1;
          assertSame(value, roundTrip(value, codecs[run % 3], codecs[(run >> 1) % 3], run % 17));
        }),
        { numRuns },
      );
    });
  }
});
