'use strict';

const { types } = require('node:util');
const native = require('../native.js');
const { scratch } = require('../environment.js');
const { invalidArgType, outOfRange } = require('../errors.js');
const { eachJoined } = require('../joined-texts.js');
const { translated } = require('../native-errors.js');
const check = require('../validate.js');

/** Gives the memory of filters back that nobody refers to any more. */
const collected = new FinalizationRegistry((/** @type {number} */ handle) => native.closeBloom(handle));

/** Tells the constructor to take a handle as it is. */
const OWN = Symbol('handle');

class BloomFilter {
  #handle;

  /** @param {number} capacity @param {number} [falsePositiveRate] @param {unknown} [options] */
  constructor(capacity, falsePositiveRate = 0.01, options = undefined) {
    this.#handle =
      /** @type {unknown} */ (falsePositiveRate) === OWN ? capacity : open(capacity, falsePositiveRate, options);
    collected.register(this, this.#handle);
  }

  /** @param {number} handle */
  static #over(handle) {
    return new BloomFilter(handle, /** @type {any} */ (OWN));
  }

  /** @param {Uint8Array} bytes */
  static deserialize(bytes) {
    return BloomFilter.#over(translated(() => native.deserializeBloom(checkBytes(bytes, 'bytes'))));
  }

  /** @param {string | Uint8Array} item */
  add(item) {
    if (typeof item === 'string') return native.bloomAdd(this.#handle, item) === 1;
    return native.bloomAddBytes(this.#handle, checkItem(item, 'item')) === 1;
  }

  /** @param {string | Uint8Array} item */
  has(item) {
    if (typeof item === 'string') return native.bloomHas(this.#handle, item) === 1;
    return native.bloomHasBytes(this.#handle, checkItem(item, 'item')) === 1;
  }

  /** @param {Iterable<string | Uint8Array>} items */
  addMany(items) {
    const { list, onlyText } = checkItems(items);
    let added = 0;
    if (onlyText) {
      eachJoined(list, (joined, count) => {
        added += native.bloomAddMany(this.#handle, joined, count);
      });
    } else {
      for (const item of list) added += Number(this.add(item));
    }
    return added;
  }

  /** @param {Iterable<string | Uint8Array>} items @returns {boolean[]} */
  hasMany(items) {
    const { list, onlyText } = checkItems(items);
    if (!onlyText) return list.map((item) => this.has(item));
    const found = new Array(list.length);
    eachJoined(list, (joined, count, from) => {
      native.bloomHasMany(this.#handle, joined, count);
      for (let index = 0; index < count; index++) found[from + index] = scratch[index] === 1;
    });
    return found;
  }

  /** @param {BloomFilter} other */
  union(other) {
    if (!(other instanceof BloomFilter)) throw invalidArgType('a BloomFilter', 'other', other);
    return BloomFilter.#over(translated(() => native.bloomUnion(this.#handle, other.#handle)));
  }

  clear() {
    native.bloomClear(this.#handle);
  }

  serialize() {
    return translated(() => native.bloomSerialize(this.#handle));
  }

  get capacity() {
    return native.bloomFigures(this.#handle)[0];
  }

  get falsePositiveRate() {
    return native.bloomFigures(this.#handle)[1];
  }

  get size() {
    return native.bloomFigures(this.#handle)[2];
  }

  get bytes() {
    return native.bloomFigures(this.#handle)[3];
  }
}

/** @param {unknown} capacity @param {unknown} rate @param {unknown} options */
function open(capacity, rate, options) {
  const items = check.positiveInteger(capacity, 'capacity');
  const path = 'falsePositiveRate';
  if (typeof rate !== 'number') throw invalidArgType('a number between 0 and 1', path, rate);
  if (!(rate > 0 && rate < 1)) throw outOfRange('a number between 0 and 1', path, rate);
  const { seed = 0 } = check.options(options, 'options', ['seed']);
  check.nonNegativeInteger(seed, 'options.seed');
  return translated(() => native.openBloom(items, rate, seed));
}

/** @param {any} item @param {string} path */
function checkItem(item, path) {
  if (!types.isUint8Array(item)) throw invalidArgType('a string or a Uint8Array', path, item);
  return item;
}

/** @param {any} bytes @param {string} path */
function checkBytes(bytes, path) {
  if (!types.isUint8Array(bytes)) throw invalidArgType('a Uint8Array', path, bytes);
  return bytes;
}

/** All checked before the first is added. @param {any} items @returns {{ list: any[], onlyText: boolean }} */
function checkItems(items) {
  if (typeof items?.[Symbol.iterator] !== 'function' || typeof items === 'string') {
    throw invalidArgType('an iterable of strings or Uint8Arrays', 'items', items);
  }
  const list = Array.isArray(items) ? items : Array.from(items);
  let onlyText = true;
  for (let index = 0; index < list.length; index++) {
    if (typeof list[index] === 'string') continue;
    checkItem(list[index], `items[${index}]`);
    onlyText = false;
  }
  return { list, onlyText };
}

module.exports = { BloomFilter };
