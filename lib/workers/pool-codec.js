'use strict';

// Values between the threads of a pool: the cache's codec over a dictionary of shapes that all of them share.

const { types } = require('node:util');
const native = require('../native.js');
const { KIND, Codec } = require('../cache/codec.js');

/** The kind of a value that travels as a message, beside the native queue. */
const MESSAGE = 255;

/** Without the checks that `toString` makes; the typings of Node leave these out. @type {any} */
const slices = Buffer.prototype;

/**
 * @param {number} number of a handle, or of a worker's seat
 * @param {boolean} seated which of the two
 */
function poolCodec(number, seated) {
  return new Codec({
    load: () => native.loadPoolDictionary(number, seated) ?? undefined,
    version: () => native.poolDictionaryVersion(number, seated),
    save: (bytes, expected) => native.savePoolDictionary(number, seated, bytes, expected),
  });
}

/**
 * A value that lies in the shared memory.
 * @param {Codec} codec
 * @param {number} kind
 * @param {Buffer} buffer
 * @param {number} start
 * @param {number} end
 * @returns {any}
 */
function decodeAt(codec, kind, buffer, start, end) {
  switch (kind) {
    case KIND.NUMBER:
      return buffer.readDoubleLE(start);
    case KIND.STRING:
      return slices.latin1Slice.call(buffer, start, end);
    case KIND.UTF8:
      return slices.utf8Slice.call(buffer, start, end);
    case KIND.UTF16:
      return slices.ucs2Slice.call(buffer, start, end);
    default:
      return codec.decode(kind, buffer, start, end);
  }
}

/**
 * Whatever was thrown, in bytes: one for the kind, then the value, in an array so that it always has bytes.
 * @param {Codec} codec
 * @param {unknown} thrown
 * @returns {Buffer}
 */
function encodeThrown(codec, thrown) {
  try {
    return inBytes(codec, isImitation(thrown) ? retold(thrown) : thrown);
  } catch {
    // It holds what cannot be cloned; what it says is still worth telling.
    return inBytes(codec, retold(thrown));
  }
}

/** Node hands over what ended a thread as an object that only looks like an error. @param {unknown} thrown */
function isImitation(thrown) {
  return thrown instanceof Error && !types.isNativeError(thrown);
}

/** @param {unknown} thrown */
function retold(thrown) {
  const { message, stack, code, name } = Object(thrown);
  const told = new Error(typeof message === 'string' ? message : 'The task failed');
  if (typeof stack === 'string') told.stack = stack;
  if (typeof code === 'string') Object.assign(told, { code });
  if (typeof name === 'string' && name !== 'Error') told.name = name;
  return told;
}

/** @param {Codec} codec @param {unknown} thrown */
function inBytes(codec, thrown) {
  const { kind, payload } = codec.encodeOwned([thrown]);
  return Buffer.concat([Buffer.of(kind), /** @type {Buffer} */ (payload)]);
}

/**
 * @param {Codec} codec
 * @param {Buffer} bytes
 * @returns {unknown}
 */
function decodeThrown(codec, bytes) {
  return /** @type {[unknown]} */ (codec.decode(bytes[0], bytes, 1, bytes.length))[0];
}

module.exports = { MESSAGE, poolCodec, decodeAt, encodeThrown, decodeThrown };
