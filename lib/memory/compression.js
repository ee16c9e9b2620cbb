'use strict';

// Bytes made smaller and back: small ones here, large ones on another thread.

const { types } = require('node:util');
const native = require('../native.js');
const { pending } = require('../environment.js');
const { invalidArgType } = require('../errors.js');
const { translated } = require('../native-errors.js');
const check = require('../validate.js');

/** Up to here the work is done at once: it takes less than a millisecond, and a thread would take as long to wake. */
const INLINE_BYTES = 64 * 1024;

/** What decompression may produce at most if nobody says otherwise is ten times this much on this thread. */
const INLINE_RESULT_BYTES = 10 * INLINE_BYTES;

/**
 * Levels by algorithm: least, default, most. Brotli's default is for serving (its own, 11, is a hundred times slower),
 * the others' are their own.
 */
const LEVELS = Object.freeze({
  gzip: [0, 6, 9],
  deflate: [0, 6, 9],
  brotli: [0, 5, 11],
  lz4: [0, 0, 0],
  zstd: [1, 3, 22],
});

const ALGORITHMS = /** @type {(keyof typeof LEVELS)[]} */ (Object.keys(LEVELS));

/** @typedef {typeof ALGORITHMS[number]} Algorithm */
/** @typedef {'buffer' | 'string' | 'json'} Kind what data was before it became bytes */

/** @param {unknown} algorithm @param {string} path */
function checkAlgorithm(algorithm, path) {
  return check.oneOf(algorithm, path, ALGORITHMS);
}

/** @param {Algorithm} algorithm @param {unknown} level @param {string} path @returns {number} */
function checkLevel(algorithm, level, path) {
  const [least, usual, most] = LEVELS[algorithm];
  if (level === undefined) return usual;
  return check.integerBetween(level, path, least, most);
}

/**
 * The bytes of anything: bytes as they are, text as UTF-8, everything else as JSON.
 * @param {unknown} data
 * @returns {{ bytes: Buffer, kind: Kind }}
 */
function bytesOf(data) {
  if (typeof data === 'string') return { bytes: Buffer.from(data), kind: 'string' };
  if (ArrayBuffer.isView(data)) {
    return { bytes: Buffer.from(data.buffer, data.byteOffset, data.byteLength), kind: 'buffer' };
  }
  if (types.isAnyArrayBuffer(data)) return { bytes: Buffer.from(/** @type {ArrayBuffer} */ (data)), kind: 'buffer' };
  const json = JSON.stringify(data);
  if (json === undefined) throw invalidArgType('bytes, a string, or what JSON can say', 'data', data);
  return { bytes: Buffer.from(json), kind: 'json' };
}

/**
 * @param {Buffer} bytes
 * @param {Kind} kind
 */
function restored(bytes, kind) {
  if (kind === 'buffer') return bytes;
  const text = bytes.toString();
  return kind === 'string' ? text : JSON.parse(text);
}

/** @param {Algorithm} algorithm @param {number} level @param {Buffer} bytes @returns {Promise<Buffer>} */
async function compressed(algorithm, level, bytes) {
  if (bytes.length <= INLINE_BYTES) return translated(() => native.compressBytesSync(algorithm, level, bytes));
  return pending((operation) => native.compressBytes(operation, algorithm, level, bytes));
}

/** @param {Algorithm} algorithm @param {number} limit @param {Buffer} bytes @returns {Promise<Buffer>} */
async function decompressed(algorithm, limit, bytes) {
  // How large the result will be, only the other thread should find out.
  if (bytes.length <= INLINE_BYTES && limit <= INLINE_RESULT_BYTES) {
    return translated(() => native.decompressBytesSync(algorithm, limit, bytes));
  }
  return pending((operation) => native.decompressBytes(operation, algorithm, limit, bytes));
}

module.exports = { bytesOf, checkAlgorithm, checkLevel, compressed, decompressed, restored };
