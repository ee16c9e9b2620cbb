/// <reference lib="es2024.string" />
'use strict';

// The fast look at a value before it is packed: may msgpackr take it, and will exactly the same come back? It runs on
// every write, so it stops at the first doubt and explains nothing; codec-survey.js has the time for that.
//
// The state is kept per thread and not per call, which saves an allocation a write. codec.js never enters twice.

const { isArgumentsObject, isDate, isExternal, isModuleNamespaceObject, isProxy } = require('node:util').types;

/** Deeper values go to V8's serializer, whose frames are smaller than msgpackr's. */
const MAX_DEPTH = 100;
/** msgpackr keeps its (shared) output buffer as large as the largest value it ever packed: big values go elsewhere. */
const MAX_CHARACTERS = 1 << 20;
const MAX_OBJECTS = 1 << 16;
const MAX_LENGTH = 1 << 14;
/** More keys than this are data rather than a shape: written as a map, never as a record. */
const MAX_RECORD_KEYS = 64;
/** Up to here searching an array is cheaper than a Set. */
const FEW = 64;

const BYTE_ORDER_MARK = 0xfeff;
const UNDERSCORE = 0x5f;
const NINE = 0x39;

const hasOwn = Object.prototype.hasOwnProperty;
const { getTime, getMilliseconds } = Date.prototype;

/**
 * The objects met so far, filled from the end: `indexOf` then searches the used part only.
 * @type {(object | null)[]}
 */
const few = new Array(FEW).fill(null);
/** @type {Set<object>} */
const many = new Set();
/** @type {object[]} */
let wide = [];
let objects = 0;
let characters = 0;

/**
 * Whether this is the first time that the walk meets an object. The second time it is a cycle or a shared reference,
 * and msgpackr would write a copy, or write for ever.
 * @param {object} object
 */
function first(object) {
  if (objects < FEW) {
    if (few.indexOf(object, FEW - objects) !== -1) return false;
    few[FEW - ++objects] = object;
    return true;
  }
  if (objects === FEW) for (const earlier of few) many.add(/** @type {object} */ (earlier));
  many.add(object);
  return many.size === ++objects && objects <= MAX_OBJECTS;
}

/**
 * Strings of more than 64 bytes are decoded by a TextDecoder where msgpackr's native part is missing, and it drops a
 * byte order mark.
 * @param {string} string
 * @param {number} code of its first character
 */
function textFits(string, code) {
  return string.isWellFormed() && (code !== BYTE_ORDER_MARK || string.length <= 20);
}

/**
 * @param {unknown} value
 * @param {number} depth
 * @returns {boolean}
 */
function fits(value, depth) {
  switch (typeof value) {
    case 'string':
      characters += value.length;
      return characters <= MAX_CHARACTERS && textFits(value, value.charCodeAt(0));
    case 'number':
      return value !== 0 || 1 / value > 0;
    case 'object':
      return value === null || objectFits(value, depth);
    case 'boolean':
    case 'undefined':
      return true;
    case 'bigint':
      return BigInt.asIntN(64, value) === value;
    default:
      return false;
  }
}

/**
 * @param {object} object
 * @param {number} depth
 * @returns {boolean}
 */
function objectFits(object, depth) {
  // Proxies come first, since every later question would run their handler.
  if (depth > MAX_DEPTH || isProxy(object) || !first(object)) return false;
  if (Array.isArray(object)) return arrayFits(object, depth);
  const prototype = Object.getPrototypeOf(object);
  if (prototype === Object.prototype) {
    // msgpackr asks objects for these two, and believes the answer.
    if (object.constructor !== Object || object.hasOwnProperty !== hasOwn) return false;
  } else if (prototype === null) {
    if ('constructor' in object || 'hasOwnProperty' in object || isModuleNamespaceObject(object)) return false;
  } else {
    return prototype === Date.prototype && dateFits(/** @type {Date} */ (object));
  }
  return propertiesFit(/** @type {Record<string, unknown>} */ (object), depth + 1);
}

/**
 * @param {Record<string, unknown>} object
 * @param {number} depth
 * @returns {boolean}
 */
function propertiesFit(object, depth) {
  let keys = 0;
  for (const key in object) {
    // Somebody has extended Object.prototype.
    if (!hasOwn.call(object, key)) continue;
    const code = key.charCodeAt(0);
    // msgpackr renames `__proto__`, and keeps notes under `__keys__` in the tree of shapes that such keys index.
    if (code === UNDERSCORE && (key === '__proto__' || key === '__keys__')) return false;
    if (keys++ === 0 && code <= NINE && isArgumentsObject(object)) return false;
    if (!textFits(key, code) || !fits(object[key], depth)) return false;
  }
  if (keys === 0) return !isArgumentsObject(object) && !isExternal(object);
  if (keys > MAX_RECORD_KEYS) {
    if (keys > MAX_LENGTH) return false;
    wide.push(object);
  }
  return true;
}

/**
 * @param {unknown[]} array
 * @param {number} depth
 * @returns {boolean}
 */
function arrayFits(array, depth) {
  const { length } = array;
  if (array.constructor !== Array || Object.getPrototypeOf(array) !== Array.prototype) return false;
  // Properties beside the elements? A list of keys would turn every index into a string; a list of values does not.
  if (length > MAX_LENGTH || Object.values(array).length > length) return false;
  for (let i = 0; i < length; i++) {
    const element = array[i];
    if (element === undefined && !hasOwn.call(array, i)) return false;
    if (!fits(element, depth + 1)) return false;
  }
  return true;
}

/**
 * Every valid date survives: msgpackr splits it into whole seconds (48 bits or more) and nanoseconds, and all the
 * arithmetic stays within 2^53.
 * @param {Date} date
 */
function dateFits(date) {
  if (!isDate(date) || date.constructor !== Date) return false;
  if (date.getTime !== getTime || date.getMilliseconds !== getMilliseconds) return false;
  return !Number.isNaN(date.getTime());
}

/**
 * Whether msgpackr would give back the same value. The caller calls `forget` when it has packed it.
 * @param {object | bigint} value
 */
function packable(value) {
  return fits(value, 0);
}

/** Drops every reference to the value. */
function forget() {
  if (objects > FEW) many.clear();
  // A loop: `fill` costs a call.
  for (let i = Math.max(FEW - objects, 0); i < FEW; i++) few[i] = null;
  if (wide.length > 0) wide = [];
  objects = characters = 0;
}

/**
 * Whether the object that is being packed is to be a record; a map otherwise.
 * @param {object} object
 */
function isRecord(object) {
  return wide.length === 0 || !wide.includes(object);
}

module.exports = { packable, forget, isRecord, MAX_RECORD_KEYS };
