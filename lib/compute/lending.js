'use strict';

// Memory that native threads read while JavaScript goes on.
//
// An ArrayBuffer that somebody detaches meanwhile (postMessage, structuredClone, transfer()) or shrinks is freed under
// the reader. So a task only ever reads memory that nobody else can take away: shared memory, which can be written to
// but not detached; memory that the caller gave up; or a copy.

const { types } = require('node:util');

/** What is lent, and to which operation: held until it has completed. @type {Map<number, readonly unknown[]>} */
const lent = new Map();

/** @param {number} operation @param {readonly unknown[]} memory */
function lend(operation, memory) {
  lent.set(operation, memory);
}

/** @param {number} operation */
function takeBack(operation) {
  lent.delete(operation);
}

/**
 * The same numbers in memory that stays: in place where that is safe.
 * @template {Float64Array | Float32Array} T
 * @param {T} numbers
 * @param {boolean} transfer the caller gives its ArrayBuffer up, whole
 * @returns {T}
 */
function lendable(numbers, transfer) {
  if (types.isSharedArrayBuffer(numbers.buffer)) return numbers;
  return (transfer ? moved(numbers) : undefined) ?? copied(numbers);
}

/**
 * @template {Float64Array | Float32Array} T
 * @param {T} numbers
 * @returns {T | undefined} undefined for memory that cannot be moved, such as a WebAssembly memory's
 */
function moved(numbers) {
  const { buffer, byteOffset, length } = numbers;
  try {
    const own = structuredClone(buffer, { transfer: [/** @type {ArrayBuffer} */ (buffer)] });
    return /** @type {T} */ (view(numbers, own, byteOffset, length));
  } catch {
    return undefined;
  }
}

/** @template {Float64Array | Float32Array} T @param {T} numbers @returns {T} */
function copied(numbers) {
  return /** @type {T} */ (types.isFloat64Array(numbers) ? new Float64Array(numbers) : new Float32Array(numbers));
}

/**
 * @param {Float64Array | Float32Array} like
 * @param {ArrayBufferLike} buffer
 * @param {number} byteOffset
 * @param {number} length
 */
function view(like, buffer, byteOffset, length) {
  return types.isFloat64Array(like)
    ? new Float64Array(buffer, byteOffset, length)
    : new Float32Array(buffer, byteOffset, length);
}

module.exports = { lend, takeBack, lendable };
