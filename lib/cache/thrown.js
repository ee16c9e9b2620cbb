'use strict';

// Whatever a loader throws, in bytes: one for the kind, then the value, in an array so that it always has bytes.

/**
 * @param {import('./codec.js').Codec} codec
 * @param {any} thrown
 * @returns {Buffer}
 */
function encodeThrown(codec, thrown) {
  try {
    return encode(codec, thrown);
  } catch {
    // It holds what cannot be cloned; what it says is still worth telling.
    const { message, code } = Object(thrown);
    const told = new Error(typeof message === 'string' ? message : 'The loader failed');
    return encode(codec, typeof code === 'string' ? Object.assign(told, { code }) : told);
  }
}

/**
 * @param {import('./codec.js').Codec} codec
 * @param {unknown} thrown
 */
function encode(codec, thrown) {
  const { kind, payload } = codec.encodeOwned([thrown]);
  return Buffer.concat([Buffer.of(kind), /** @type {Buffer} */ (payload)]);
}

/**
 * @param {import('./codec.js').Codec} codec
 * @param {Buffer} bytes
 * @returns {unknown}
 */
function decodeThrown(codec, bytes) {
  const [error] = /** @type {[unknown]} */ (codec.decode(bytes[0], bytes, 1, bytes.length));
  return error;
}

module.exports = { encodeThrown, decodeThrown };
