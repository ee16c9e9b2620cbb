'use strict';

// The last so many values. No native code: a value that stays in JavaScript is one store away.

const check = require('../validate.js');

/** What values are kept in. `any` is an array, everything else a typed array. */
const STORES = Object.freeze({
  any: Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  float32: Float32Array,
  float64: Float64Array,
  bigint64: BigInt64Array,
  biguint64: BigUint64Array,
});

const TYPES = /** @type {(keyof typeof STORES)[]} */ (Object.keys(STORES));

class CircularBuffer {
  #type;
  #capacity;
  /** @type {any} */
  #store;
  /** Where the oldest value lies. */
  #start = 0;
  #size = 0;

  /** @param {number} capacity @param {unknown} [type] */
  constructor(capacity, type = 'any') {
    this.#capacity = check.positiveInteger(capacity, 'capacity');
    this.#type = check.oneOf(type, 'type', TYPES);
    // An array grows as it is filled: most buffers of objects never are.
    this.#store = this.#type === 'any' ? [] : new STORES[this.#type](capacity);
  }

  get capacity() {
    return this.#capacity;
  }

  get type() {
    return this.#type;
  }

  get size() {
    return this.#size;
  }

  get isFull() {
    return this.#size === this.#capacity;
  }

  /** @param {any} value */
  push(value) {
    const { isFull } = this;
    const place = this.#place(this.#size);
    const overwritten = isFull ? this.#store[place] : undefined;
    this.#store[place] = value;
    if (isFull) this.#start = this.#place(1);
    else this.#size += 1;
    return overwritten;
  }

  shift() {
    if (this.#size === 0) return undefined;
    const value = this.#store[this.#start];
    // What was taken must not be kept alive.
    if (this.#type === 'any') this.#store[this.#start] = undefined;
    this.#start = this.#place(1);
    this.#size -= 1;
    return value;
  }

  /** @param {number} index */
  get(index) {
    check.integer(index, 'index');
    const offset = index < 0 ? index + this.#size : index;
    return offset < 0 || offset >= this.#size ? undefined : this.#store[this.#place(offset)];
  }

  toArray() {
    return Array.from(this);
  }

  clear() {
    if (this.#type === 'any') this.#store = [];
    this.#start = 0;
    this.#size = 0;
  }

  *[Symbol.iterator]() {
    for (let index = 0; index < this.#size; index++) yield this.#store[this.#place(index)];
  }

  /** @param {number} offset from the oldest value */
  #place(offset) {
    const place = this.#start + offset;
    return place < this.#capacity ? place : place - this.#capacity;
  }
}

module.exports = { CircularBuffer };
