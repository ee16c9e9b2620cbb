'use strict';

// A codec without the native side: its dictionary, and trips through bytes that are overwritten afterwards.

const assert = require('node:assert/strict');
const { Codec, KIND } = require('../../lib/cache/codec.js');

/** What the native dictionary does, and a count of the calls. */
class MemoryDictionary {
  bytes = undefined;
  saves = 0;
  loads = 0;
  #version = 0;
  /** Set by a test: what another thread does between our load and our save, and just after it. */
  beforeSave = () => {};
  afterSave = () => {};

  load() {
    this.loads += 1;
    return this.bytes && Uint8Array.from(this.bytes);
  }

  version() {
    return this.#version;
  }

  save(bytes, expectedVersion) {
    this.beforeSave();
    if (expectedVersion !== this.#version) return false;
    const before = this.shapes();
    this.bytes = Uint8Array.from(bytes);
    assert.deepEqual(this.shapes().slice(0, before.length), before, 'append-only');
    this.#version += 1;
    this.saves += 1;
    this.afterSave();
    return true;
  }

  /** Another thread's addition. */
  add(shape) {
    this.bytes = Buffer.from(JSON.stringify([...this.shapes(), shape]));
    this.#version += 1;
  }

  shapes() {
    return this.bytes ? JSON.parse(Buffer.from(this.bytes).toString()) : [];
  }
}

function openCodec(dictionary = new MemoryDictionary()) {
  return new Codec(dictionary);
}

/** What a native store would keep: never the codec's own buffer. */
function encoded(codec, value) {
  const kind = codec.encode(value);
  const { payload, start, end } = codec;
  if (!Buffer.isBuffer(payload)) return { kind, payload };
  assert.ok(Number.isInteger(start) && Number.isInteger(end) && end <= payload.length);
  return { kind, payload: Buffer.from(payload.subarray(start, end)) };
}

/** Decodes from the middle of a larger buffer, which is overwritten at once: a view on it would show. */
function decoded(codec, { kind, payload }, offset = 0) {
  if (kind === KIND.NUMBER || kind === KIND.STRING) return payload;
  const bytes = payload ?? Buffer.alloc(0);
  const scratch = Buffer.alloc(offset + bytes.length + 64, 0xee);
  bytes.copy(scratch, offset);
  const value = codec.decode(kind, scratch, offset, offset + bytes.length);
  scratch.fill(0xa5);
  return value;
}

function roundTrip(value, codec = openCodec(), reader = codec, offset = 0) {
  return decoded(reader, encoded(codec, value), offset);
}

function kindOf(value) {
  return openCodec().encode(value);
}

/** What an object is besides its properties. */
function content(object) {
  if (ArrayBuffer.isView(object))
    return Buffer.from(object.buffer, object.byteOffset, object.byteLength).toString('hex');
  if (object instanceof ArrayBuffer) return Buffer.from(object).toString('hex');
  if (object instanceof Date) return object.getTime();
  if (object instanceof RegExp) return String(object);
  const isBoxed = [Number, String, Boolean, BigInt].some((Class) => object instanceof Class);
  return isBoxed ? Object.getPrototypeOf(object).valueOf.call(object) : undefined;
}

function properties(object) {
  if (ArrayBuffer.isView(object)) return [];
  const descriptors = Object.getOwnPropertyDescriptors(object);
  return Object.entries(descriptors).filter(([, { enumerable }]) => enumerable || object instanceof Error);
}

/**
 * `right` is `left` with every object replaced by another: equal (by Object.is, so assert's own comparison would not
 * do: to Node 20 two invalid dates differ), and with the same cycles and shared references.
 */
function assertSame(left, right) {
  const [copies, originals] = [new Map(), new Map()];
  const pending = [[left, right]];
  while (pending.length > 0) {
    const [a, b] = pending.pop();
    if (typeof a !== 'object' || a === null || copies.has(a) || originals.has(b)) {
      assert.ok(copies.has(a) || originals.has(b) ? copies.get(a) === b && originals.get(b) === a : Object.is(a, b));
      continue;
    }
    assert.notEqual(a, b);
    copies.set(a, b);
    originals.set(b, a);
    assert.equal(Object.getPrototypeOf(b), Object.getPrototypeOf(a));
    assert.ok(Object.is(content(a), content(b)));
    if (a instanceof Map || a instanceof Set) {
      assert.equal(b.size, a.size);
      for (const part of ['keys', 'values']) pending.push([[...a[part]()], [...b[part]()]]);
    }
    const [own, copied] = [properties(a), new Map(properties(b))];
    // An error's own properties may come back in another order.
    if (a instanceof Error) assert.deepEqual([...copied.keys()].sort(), own.map(([key]) => key).sort());
    else
      assert.deepEqual(
        [...copied.keys()],
        own.map(([key]) => key),
      );
    if (Array.isArray(a)) assert.equal(b.length, a.length);
    for (const [key, { value, enumerable }] of own) {
      assert.equal(copied.get(key).enumerable, enumerable);
      pending.push([value, copied.get(key).value]);
    }
  }
}

/** Also for `__proto__`. */
function define(object, key, value) {
  return Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
}

module.exports = { MemoryDictionary, openCodec, encoded, decoded, roundTrip, kindOf, assertSame, define };
