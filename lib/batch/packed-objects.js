'use strict';

// Encoded objects one behind the other, as the native side takes many of them at once.

const { KIND } = require('../cache/codec.js');
const { batchError } = require('./batch-error.js');

const FIRST_BYTES = 4096;

/** Memory that is kept for the next objects. */
const MOST_KEPT_BYTES = 1 << 20;

class PackedObjects {
  #codec;
  #bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
  #used = 0;
  /** The kind of each object, and where it ends. @type {number[]} */
  shapes = [];

  /** @param {import('../cache/codec.js').Codec} codec */
  constructor(codec) {
    this.#codec = codec;
  }

  get count() {
    return this.shapes.length / 2;
  }

  /** Valid until the next object is added. */
  get bytes() {
    return this.#bytes.subarray(0, this.#used);
  }

  get size() {
    return this.#used;
  }

  /** What cannot be encoded leaves everything as it was. @param {unknown} object */
  add(object) {
    const codec = this.#codec;
    const kind = codec.encode(object);
    const { payload, start, end } = codec;
    codec.payload = undefined;
    this.shapes.push(this.#append(kind, payload, start, end), this.#used);
  }

  /** @param {number} kind @param {any} payload @param {number} start @param {number} end @returns {number} the kind that is stored */
  #append(kind, payload, start, end) {
    switch (typeof payload) {
      case 'undefined':
        return kind;
      case 'number':
        this.#room(Float64Array.BYTES_PER_ELEMENT).writeDoubleLE(payload, this.#used);
        this.#used += Float64Array.BYTES_PER_ELEMENT;
        return kind;
      case 'string': {
        const isUtf8 = payload.isWellFormed();
        // No more than three bytes for a unit of UTF-16.
        const room = this.#room(payload.length * (isUtf8 ? 3 : 2));
        this.#used += room.write(payload, this.#used, isUtf8 ? 'utf8' : 'utf16le');
        return isUtf8 ? KIND.UTF8 : KIND.UTF16;
      }
      default:
        payload.copy(this.#room(end - start), this.#used, start, end);
        this.#used += end - start;
        return kind;
    }
  }

  /** The memory, with room for so many bytes more. @param {number} bytes */
  #room(bytes) {
    const needed = this.#used + bytes;
    if (needed > this.#bytes.length) {
      const larger = Buffer.allocUnsafeSlow(2 * needed);
      this.#bytes.copy(larger, 0, 0, this.#used);
      this.#bytes = larger;
    }
    return this.#bytes;
  }

  clear() {
    this.shapes = [];
    this.#used = 0;
    if (this.#bytes.length > MOST_KEPT_BYTES) this.#bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
  }
}

/** How long a UUID is, written as it usually is. */
const UUID_LENGTH = 36;

/** The UUIDs that stand one behind the other in a text. @param {string} text @param {(uuid: string) => void} take */
function eachUuid(text, take) {
  for (let at = 0; at < text.length; at += UUID_LENGTH) take(text.slice(at, at + UUID_LENGTH));
}

/**
 * Packs objects, all of them before anybody else has a turn, and stores them.
 * @param {unknown[]} objects
 * @param {PackedObjects} packed
 * @param {(packed: PackedObjects) => string | Promise<string>} store answers with their UUIDs
 * @param {(packed: PackedObjects) => boolean} [isFull] whether those so far go off; only where `store` answers at once
 * @returns {Promise<string[]>} the UUIDs by place
 * @throws {import('./batch-error.js').BatchError} some could not be encoded; all others are stored
 */
async function addAll(objects, packed, store, isFull = () => false) {
  const errors = [];
  const uuids = new Array(objects.length);
  /** @type {number[]} */
  const places = [];
  let next = 0;
  const take = (/** @type {any} */ text) =>
    eachUuid(text, (uuid) => {
      uuids[places[next++]] = uuid;
    });
  for (let index = 0; index < objects.length; index++) {
    try {
      packed.add(objects[index]);
      places.push(index);
    } catch (error) {
      errors.push({ index, error });
    }
    if (isFull(packed)) take(store(packed));
  }
  if (next < places.length) take(await store(packed));
  if (errors.length > 0) throw batchError(uuids, errors);
  return uuids;
}

module.exports = { PackedObjects, addAll, eachUuid };
