'use strict';

// One of everything that structured clone takes. `make` builds it afresh: a test that mutates one spoils no other.

class Point {
  constructor() {
    this.x = 1;
    this.y = -0;
  }

  length() {
    return Math.hypot(this.x, this.y);
  }
}

const holes = () => {
  const list = [1, , 3, , ,];
  list.extra = 'property';
  return list;
};

const shared = () => {
  const inner = { n: 1 };
  return { left: inner, right: inner, list: [inner, inner] };
};

const cyclic = () => {
  const root = { name: 'root', children: [] };
  root.self = root;
  root.children.push({ parent: root });
  root.map = new Map([[root, root]]);
  return root;
};

const deep = () => {
  let node = { leaf: true };
  for (let level = 0; level < 500; level += 1) node = { level, node };
  return node;
};

const nullPrototype = () => Object.assign(Object.create(null), { a: 1 });

const bytes = (length) => Uint8Array.from({ length }, (_, i) => i * 7);

const primitives = {
  undefined: undefined,
  null: null,
  true: true,
  false: false,
  zero: 0,
  'negative zero': -0,
  NaN: NaN,
  Infinity: Infinity,
  '-Infinity': -Infinity,
  one: 1,
  'negative one': -1,
  fraction: 0.1,
  'largest double': Number.MAX_VALUE,
  'smallest double': Number.MIN_VALUE,
  '2 ** 31': 2 ** 31,
  '-(2 ** 31)': -(2 ** 31),
  '2 ** 32': 2 ** 32,
  '2 ** 53': 2 ** 53,
  '-(2 ** 53)': -(2 ** 53),
  'zero BigInt': 0n,
  'small BigInt': -5n,
  '2n ** 63n': 2n ** 63n,
  '-(2n ** 63n)': -(2n ** 63n),
  '2n ** 64n': 2n ** 64n,
  'huge BigInt': -(7n ** 300n),
  'empty string': '',
  ascii: 'plain',
  'latin-1': 'déjà vu ÿ',
  'two bytes': 'Ω中',
  emoji: '😀👩‍👩‍👧',
  NUL: 'a\0b',
  'lone high': 'x\ud800',
  'lone low': '\udc00x',
  'swapped pair': '\ude00\ud83d',
  replacement: '\ufffd',
  BOM: '\ufeffx',
  '20 KB latin-1': 'é'.repeat(20_000),
  '20 KB of two bytes': '中'.repeat(10_000),
  '300 KB': 'ab'.repeat(150_000),
};

const objects = {
  'empty object': () => ({}),
  'empty array': () => [],
  'plain object': () => ({
    id: 1,
    name: 'Ada',
    tags: ['a', 'b'],
    active: true,
    score: -0.5,
    nothing: null,
    absent: undefined,
  }),
  'nested strings': () => ({ lone: '\ud800', 'key \udc00': 1, emoji: ['😀'], latin: 'é', '': 'empty key', 'a.b': 1 }),
  'negative zero inside': () => [-0, { z: -0 }, new Map([[0, -0]])],
  'special numbers inside': () => [NaN, Infinity, -Infinity, 2 ** 53, 1e21, -1e-7],
  '__proto__ key': () => JSON.parse('{"__proto__":{"polluted":true},"a":{"__proto__":1},"constructor":2}'),
  'number-like keys': () => ({ 2: 'b', 1: 'a', '-1': 'c', '01': 'd' }),
  'a thousand keys': () => Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`key${i}`, i])),
  'sparse array with a property': holes,
  'only holes': () => new Array(5),
  'undefined elements': () => [undefined, undefined],
  'list of equal shapes': () => Array.from({ length: 200 }, (_, id) => ({ id, name: `user ${id}`, tags: [] })),
  date: () => new Date(1_700_000_000_123),
  'date before 1970': () => new Date(-1),
  'dates inside': () => ({ at: new Date(0), all: [new Date(8.64e15)] }),
  regexp: () => /a(b)?\/[c]/giu,
  'boxed primitives': () => [new Number(-0), new String('s'), new Boolean(false), Object(5n)],
  bigints: () => ({ small: 1n, huge: 2n ** 200n, negative: -(2n ** 70n) }),
  map: () =>
    new Map([
      ['a', 1],
      [1, 'a'],
      [NaN, -0],
      [null, undefined],
    ]),
  'map with object keys': () =>
    new Map([
      [{ id: 1 }, [1]],
      [new Date(0), new Map()],
    ]),
  set: () => new Set([1, '1', { n: 1 }, new Set([2])]),
  'empty map and set': () => [new Map(), new Set()],
  'shared references': shared,
  cycles: cyclic,
  'deep nesting': deep,
  'no prototype': nullPrototype,
  'class instance': () => new Point(),
  buffer: () => Buffer.from([0, 1, 254, 255]),
  'empty buffer': () => Buffer.alloc(0),
  'large buffer': () => Buffer.from(bytes(200_000)),
  'buffers inside': () => ({
    body: Buffer.from('bytes'),
    list: [Buffer.alloc(3), new Uint8Array(3)],
    map: new Map([['b', Buffer.from([9])]]),
  }),
  'buffer over a part of its memory': () => Buffer.from(bytes(100).buffer, 10, 20),
  ArrayBuffer: () => bytes(33).buffer,
  DataView: () => new DataView(bytes(32).buffer, 4, 16),
  'view over a part': () => new Uint16Array(bytes(64).buffer, 2, 5),
};

for (const View of [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
]) {
  objects[View.name] = () => new View(bytes(48).buffer.slice(0));
  objects[`${View.name} inside`] = () => ({ view: new View(3), empty: new View(0) });
}

/** [label, make] for every value. */
const VALUES = [
  ...Object.entries(primitives).map(([label, value]) => [label, () => value]),
  ...Object.entries(objects),
];

/**
 * What the cache owes for a value: what structured clone makes of it, except that a Buffer stays a Buffer. `undefined` for the kinds
 * that equal themselves.
 */
const EXPECTED = {
  'class instance': () => ({ x: 1, y: -0 }),
  'no prototype': () => ({ a: 1 }),
};

const expectedOf = (label, make) => (EXPECTED[label] ?? make)();

/** Whether a loader's own object, which its first caller may be given, is another thing than what is stored of it. */
const isChanged = (label) => label in EXPECTED;

module.exports = { VALUES, expectedOf, isChanged };
