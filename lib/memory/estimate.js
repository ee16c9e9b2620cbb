'use strict';

const { types } = require('node:util');

/** What V8 takes on a 64-bit machine without pointer compression, as Node.js is built. */
const WORD = 8;
const OBJECT = 3 * WORD;
const STRING = 2 * WORD;

/**
 * About how many bytes a value takes on the heap and beside it: what it refers to counts, what is met twice counts once.
 * Walks the whole value. What a function closes over is not counted.
 * @param {unknown} value
 */
function estimateBytes(value) {
  const seen = new Set();
  const pending = [value];
  let bytes = 0;
  while (pending.length > 0) {
    const next = pending.pop();
    if (typeof next === 'string') bytes += STRING + next.length * (isWide(next) ? 2 : 1);
    else if (typeof next === 'bigint') bytes += STRING + Math.ceil(next.toString(16).length / 2);
    else if (typeof next !== 'object' || next === null) bytes += WORD;
    else if (!seen.has(next)) {
      seen.add(next);
      bytes += OBJECT + partsOf(next, pending);
    }
  }
  return bytes;
}

/** Puts what an object consists of on the list, and gives the bytes that are its own. @param {any} object @param {unknown[]} pending */
function partsOf(object, pending) {
  if (ArrayBuffer.isView(object)) return object.byteLength;
  if (types.isAnyArrayBuffer(object)) return object.byteLength;
  let own = 0;
  if (types.isMap(object)) {
    for (const [key, value] of Map.prototype.entries.call(object)) {
      pending.push(key, value);
      own += WORD;
    }
  } else if (types.isSet(object)) {
    for (const value of Set.prototype.values.call(object)) pending.push(value);
  }
  for (const descriptor of Object.values(Object.getOwnPropertyDescriptors(object))) {
    own += WORD;
    // Getters are not run.
    if ('value' in descriptor && typeof descriptor.value !== 'function') pending.push(descriptor.value);
  }
  return own;
}

/** @param {string} text */
function isWide(text) {
  return /[\u0100-\uffff]/.test(text);
}

module.exports = { estimateBytes };
