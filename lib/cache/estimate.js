'use strict';

// How many bytes a value takes when it is encoded.

const { Codec } = require('./codec.js');

/** @type {Codec | undefined} */
let estimator;

/** With shapes of its own: an estimate must not teach a cache the shapes of values that are never stored in it. */
function estimatingCodec() {
  /** @type {Uint8Array | undefined} */
  let shapes;
  let version = 0;
  return new Codec({
    load: () => shapes,
    version: () => version,
    save(bytes) {
      shapes = Uint8Array.from(bytes);
      version++;
      return true;
    },
  });
}

/** @param {unknown} value @returns {number} */
function estimateSize(value) {
  estimator ??= estimatingCodec();
  estimator.encode(value);
  const { payload, start, end } = estimator;
  estimator.payload = undefined;
  if (typeof payload === 'string') return Buffer.byteLength(payload);
  if (typeof payload === 'number') return Float64Array.BYTES_PER_ELEMENT;
  return payload === undefined ? 0 : end - start;
}

module.exports = { estimateSize };
