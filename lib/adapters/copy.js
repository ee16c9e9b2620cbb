'use strict';

// Copies of values that a cache hands out more than once. Plain trees are what a cache mostly holds, and copying them
// here costs a fraction of a structured clone or of decoding them once more.

const { Buffer } = require('node:buffer');
const { addProperty } = require('../own-property.js');

/** Deeper values are left to structuredClone; so is whatever turns out to be a cycle. */
const MAX_DEPTH = 100;

class TooDeep extends Error {}

/**
 * @template T
 * @param {T} value
 * @returns {T}
 */
function copyOf(value) {
  if (typeof value !== 'object' || value === null) return value;
  try {
    return copyObject(value, 0);
  } catch (error) {
    if (error instanceof TooDeep) return structuredClone(value);
    throw error;
  }
}

/**
 * @param {any} value
 * @param {number} depth
 * @returns {any}
 */
function copyObject(value, depth) {
  if (depth > MAX_DEPTH) throw new TooDeep();
  if (Array.isArray(value)) return copyArray(value, depth);
  if (Object.getPrototypeOf(value) === Object.prototype) return copyRecord(value, depth);
  if (Buffer.isBuffer(value)) return Buffer.from(value);
  return value instanceof Date ? new Date(value.getTime()) : structuredClone(value);
}

/** @param {any[]} array @param {number} depth */
function copyArray(array, depth) {
  const copy = new Array(array.length);
  for (let index = 0; index < array.length; index++) {
    const item = array[index];
    copy[index] = typeof item === 'object' && item !== null ? copyObject(item, depth + 1) : item;
  }
  return copy;
}

/** @param {Record<string, any>} record @param {number} depth */
function copyRecord(record, depth) {
  /** @type {Record<string, any>} */
  const copy = {};
  for (const key of Object.keys(record)) {
    const item = record[key];
    const copied = typeof item === 'object' && item !== null ? copyObject(item, depth + 1) : item;
    // Assigning this one would set the prototype.
    if (key === '__proto__') addProperty(copy, key, copied);
    else copy[key] = copied;
  }
  return copy;
}

module.exports = { copyOf };
