'use strict';

// Copies of trees of plain data: objects, lists and dates, each of them once. Checking that a value is such a tree is done
// when it is stored; every copy after that needs to look at nothing but its contents.

const { copyOf } = require('./copy.js');
const { addProperty } = require('../own-property.js');

/** Deeper values are somebody else's business. */
const MAX_DEPTH = 100;
/** So many objects are told apart by looking at all of them; a Set pays only beyond. */
const FEW = 8;

const NOT_PLAIN = Symbol('not plain');

class PlainCopy {
  /** @param {any} value @param {number} weight values within, itself included */
  constructor(value, weight) {
    this.value = value;
    this.weight = weight;
  }

  /** A copy for a caller. */
  read() {
    return copyOf(this.value);
  }
}

/** The objects that one copy has met: a tree has each of them once. */
class Met {
  /** @type {object[]} */
  #few = [];
  /** @type {Set<object> | undefined} */
  #many;
  weight = 0;

  /** Whether it is new. @param {object} object */
  add(object) {
    if (this.#many !== undefined) return this.#many.size < this.#many.add(object).size;
    if (this.#few.includes(object)) return false;
    this.#few.push(object);
    if (this.#few.length > FEW) this.#many = new Set(this.#few);
    return true;
  }
}

/**
 * A copy of an object that is a tree of plain data, or undefined if it is anything else.
 * @param {object} value
 */
function plainCopy(value) {
  const met = new Met();
  const copy = copyPlain(value, met, 0);
  return copy === NOT_PLAIN ? undefined : new PlainCopy(copy, met.weight);
}

/** @param {any} value @param {Met} met @param {number} depth @returns {any} */
function copyPlain(value, met, depth) {
  if (depth > MAX_DEPTH || !met.add(value)) return NOT_PLAIN;
  if (Array.isArray(value)) return copyList(value, met, depth);
  const prototype = Object.getPrototypeOf(value);
  if (prototype === Object.prototype) return copyRecord(value, met, depth);
  if (prototype !== Date.prototype || Reflect.ownKeys(value).length > 0) return NOT_PLAIN;
  met.weight++;
  return new Date(value.getTime());
}

/** @param {any[]} list @param {Met} met @param {number} depth */
function copyList(list, met, depth) {
  const { length } = list;
  // As many keys as places: none is empty, and there is nothing besides.
  if (Object.getPrototypeOf(list) !== Array.prototype || Object.keys(list).length !== length) return NOT_PLAIN;
  met.weight += length + 1;
  const copy = new Array(length);
  for (let index = 0; index < length; index++) {
    const item = list[index];
    const copied = typeof item === 'object' && item !== null ? copyPlain(item, met, depth + 1) : item;
    if (copied === NOT_PLAIN) return NOT_PLAIN;
    copy[index] = copied;
  }
  return copy;
}

/** @param {Record<string, any>} record @param {Met} met @param {number} depth */
function copyRecord(record, met, depth) {
  const keys = Object.keys(record);
  if (Object.getOwnPropertySymbols(record).length > 0) return NOT_PLAIN;
  met.weight += keys.length + 1;
  /** @type {Record<string, any>} */
  const copy = {};
  for (const key of keys) {
    const item = record[key];
    const copied = typeof item === 'object' && item !== null ? copyPlain(item, met, depth + 1) : item;
    if (copied === NOT_PLAIN) return NOT_PLAIN;
    if (key === '__proto__') addProperty(copy, key, copied);
    else copy[key] = copied;
  }
  return copy;
}

/**
 * Whether a value holds something besides plain data, or is too deep to tell.
 * @param {any} value
 * @param {number} [depth]
 * @returns {boolean}
 */
function needsClone(value, depth = 0) {
  if (typeof value !== 'object' || value === null) return false;
  if (depth > MAX_DEPTH || Object.getOwnPropertySymbols(value).length > 0) return true;
  const prototype = Object.getPrototypeOf(value);
  if (prototype === Date.prototype) return Object.keys(value).length > 0;
  if (prototype !== Object.prototype && prototype !== Array.prototype) return true;
  if (Array.isArray(value)) return value.some((item) => needsClone(item, depth + 1));
  return Object.keys(value).some((key) => needsClone(value[key], depth + 1));
}

module.exports = { PlainCopy, needsClone, plainCopy };
