'use strict';

// Values of the disk cache that come and go in pieces. Each piece waits for the one before, so that neither side holds
// more than a few of them.

const { Readable } = require('node:stream');
const native = require('../native.js');
const { pending } = require('../environment.js');
const { invalidArgType } = require('../errors.js');

const WHAT = 'a readable stream or an iterable of bytes';

/** Gives back files of streams that were dropped before their end. */
const dropped = new FinalizationRegistry((/** @type {number} */ reader) => native.diskCloseReader(reader));

/**
 * A stream of the bytes that a native reader reads.
 * @param {number} reader
 */
function readerStream(reader) {
  const stream = new Readable({
    read() {
      pending((operation) => native.diskRead(reader, operation)).then(
        (piece) => this.push(piece.length === 0 ? null : piece),
        (error) => this.destroy(error),
      );
    },
    destroy(error, done) {
      dropped.unregister(stream);
      native.diskCloseReader(reader);
      done(error);
    },
  });
  dropped.register(stream, reader, stream);
  return stream;
}

/** The pieces of a source. @param {any} source @returns {Iterable<unknown> | AsyncIterable<unknown>} */
function piecesOf(source) {
  if (typeof source === 'string' || source instanceof Uint8Array) return [source];
  if (typeof source?.[Symbol.asyncIterator] === 'function' || typeof source?.[Symbol.iterator] === 'function') {
    return source;
  }
  throw invalidArgType(WHAT, 'source', source);
}

/** @param {unknown} piece */
function bytesOf(piece) {
  if (typeof piece === 'string') return Buffer.from(piece);
  if (ArrayBuffer.isView(piece)) return Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
  throw invalidArgType('bytes or strings', 'source', piece);
}

/**
 * Writes the pieces of a source through a native writer. Nothing of the value stays if the source breaks.
 * @param {() => number} open opens the writer
 * @param {any} source
 * @param {number} ttlMs
 * @returns {Promise<boolean>} false if the value is larger than the cache
 */
async function writeStream(open, source, ttlMs) {
  const pieces = piecesOf(source);
  const writer = open();
  try {
    // Leaving the loop early destroys a stream.
    for await (const piece of pieces) {
      const bytes = bytesOf(piece);
      const fits = await pending((operation) => native.diskWrite(writer, bytes, operation));
      if (!fits) {
        native.diskAbortWriter(writer);
        return false;
      }
    }
  } catch (error) {
    native.diskAbortWriter(writer);
    throw error;
  }
  return pending((operation) => native.diskEndWriter(writer, ttlMs, operation));
}

module.exports = { piecesOf, readerStream, writeStream };
