'use strict';

// Bodies into their coding: what takes longer than a wake-up of another thread is done there.

const native = require('../native.js');
const { pending } = require('../environment.js');
const { translated } = require('../native-errors.js');
const { FORMATS } = require('./encodings.js');

/** @typedef {import('./encodings.js').Encoding} Encoding */
/** @typedef {{ level: number, brotliLevel: number, zstdLevel: number }} Levels */

/** Up to here it takes less than a tenth of a millisecond. */
const INLINE_BYTES = 4096;

/** @param {Levels} levels @param {Encoding} encoding */
function levelOf({ level, brotliLevel, zstdLevel }, encoding) {
  return encoding === 'br' ? brotliLevel : encoding === 'zstd' ? zstdLevel : level;
}

/** @param {Levels} levels @param {Encoding} encoding @param {Buffer} body @returns {Promise<Buffer>} */
function coded(levels, encoding, body) {
  const format = FORMATS[encoding];
  const level = levelOf(levels, encoding);
  if (body.length > INLINE_BYTES) return pending((operation) => native.compressBytes(operation, format, level, body));
  return new Promise((resolve) => resolve(translated(() => native.compressBytesSync(format, level, body))));
}

module.exports = { coded, levelOf };
