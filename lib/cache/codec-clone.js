'use strict';

// V8's serializer, for all that msgpackr would change. Like node:v8's own, except that
// - what is read never lies in the source, which the caller reuses (v8.deserialize hands out views of it),
// - views of one ArrayBuffer are views of one again, where that can be told from Node's pooling of Buffers,
// - the format of views is our own, so it does not depend on the version of Node.

const v8 = require('node:v8');
const { types } = require('node:util');

/** V8's refusal. Its message may show the value, so it goes no further than codec.js. */
class CloneRefusal extends Error {}

/** The position is what is written: append only. @type {string[]} */
const VIEWS = [
  'Buffer',
  'DataView',
  'Int8Array',
  'Uint8Array',
  'Uint8ClampedArray',
  'Int16Array',
  'Uint16Array',
  'Int32Array',
  'Uint32Array',
  'Float32Array',
  'Float64Array',
  'BigInt64Array',
  'BigUint64Array',
  'Float16Array',
];
/** Added to the position in VIEWS: the view's ArrayBuffer follows as a value, which V8 keeps the identity of. */
const SHARED = 0x80;

const typedArrayName = /** @type {(this: unknown) => string | undefined} */ (
  /** @type {PropertyDescriptor} */ (
    Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag)
  ).get
);

/** @param {ArrayBufferView} view */
function viewType(view) {
  if (Buffer.isBuffer(view)) return 0;
  const name = types.isDataView(view) ? 'DataView' : typedArrayName.call(view);
  const index = VIEWS.indexOf(/** @type {string} */ (name));
  if (index === -1) throw new CloneRefusal();
  return index;
}

/**
 * The bytes of a view, not copied. Refuses views whose ArrayBuffer was transferred away.
 * @param {ArrayBufferView} view
 */
function bytesOf({ buffer, byteOffset, byteLength }) {
  try {
    return Buffer.from(/** @type {ArrayBuffer} */ (buffer), byteOffset, byteLength);
  } catch {
    throw new CloneRefusal();
  }
}

class Writer extends v8.Serializer {
  #shared;

  /** @param {Set<ArrayBufferLike>} shared the ArrayBuffers that have to stay one */
  constructor(shared) {
    super();
    this.#shared = shared;
    // @ts-expect-error documented, and missing in the typings
    this._setTreatArrayBufferViewsAsHostObjects(true);
  }

  /**
   * Called by V8 for all views, and for objects that are implemented outside JavaScript.
   * @param {ArrayBufferView} view
   */
  _writeHostObject(view) {
    if (!ArrayBuffer.isView(view)) throw new CloneRefusal();
    const type = viewType(view);
    const { buffer, byteOffset, byteLength } = view;
    if (this.#shared.has(buffer)) {
      this.writeUint32(type | SHARED);
      this.writeValue(buffer);
      this.writeDouble(byteOffset);
      this.writeDouble(byteLength);
    } else {
      this.writeUint32(type);
      this.writeDouble(byteLength);
      this.writeRawBytes(bytesOf(view));
    }
  }

  /** @param {string} message */
  _getDataCloneError(message) {
    return message.includes('out of memory')
      ? new RangeError('The value is too large to be cloned')
      : new CloneRefusal();
  }
}

class Reader extends v8.Deserializer {
  _readHostObject() {
    const type = this.readUint32();
    if (type & SHARED) {
      const buffer = /** @type {ArrayBuffer} */ (this.readValue());
      const offset = this.readDouble();
      return makeView(VIEWS[type & ~SHARED], buffer, offset, this.readDouble());
    }
    const length = this.readDouble();
    const copy = new Uint8Array(this.readRawBytes(length));
    return makeView(VIEWS[type], copy.buffer, 0, length);
  }
}

/**
 * @param {string} name
 * @param {ArrayBuffer} buffer
 * @param {number} offset
 * @param {number} byteLength
 * @returns {ArrayBufferView}
 */
function makeView(name, buffer, offset, byteLength) {
  if (name === 'Buffer') return Buffer.from(buffer, offset, byteLength);
  const View = /** @type {any} */ (globalThis)[name];
  return new View(buffer, offset, byteLength / (View.BYTES_PER_ELEMENT ?? 1));
}

/**
 * @param {unknown} value
 * @param {Set<ArrayBufferLike>} shared
 * @returns {Buffer}
 */
function serialize(value, shared) {
  const writer = new Writer(shared);
  writer.writeHeader();
  writer.writeValue(value);
  return writer.releaseBuffer();
}

/**
 * @param {Buffer} bytes
 * @returns {unknown}
 */
function deserialize(bytes) {
  const reader = new Reader(bytes);
  reader.readHeader();
  return reader.readValue();
}

module.exports = { serialize, deserialize, bytesOf, CloneRefusal };
