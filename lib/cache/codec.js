'use strict';

// Between JavaScript values and what the native side stores: a kind and, for most kinds, bytes. What comes back equals
// what went in, for everything that structured clone takes. The rest is a TypeError that names the path.
//
// Two encodings do the work. Plain data becomes msgpack records (codec-records.js), three to seven times faster to read
// than JSON; a walk over the value (codec-walk.js) makes sure that msgpackr would not change it. What it would change
// goes through V8's serializer (codec-clone.js), after a thorough look (codec-survey.js).

const { types } = require('node:util');
const { HotpathError, invalidArgType } = require('../errors.js');
const { serialize, deserialize, bytesOf, CloneRefusal } = require('./codec-clone.js');
const { restoreError } = require('./codec-errors.js');
const { Survey, CLONEABLE } = require('./codec-survey.js');
const { packable, forget } = require('./codec-walk.js');

/** The numbers are stored, and shared with the native side: append only. */
const KIND = Object.freeze({
  UNDEFINED: 0,
  NULL: 1,
  FALSE: 2,
  TRUE: 3,
  /** The payload is the number, not a byte range. */
  NUMBER: 4,
  /** The payload is the string, lone surrogates and all. */
  STRING: 5,
  /** Forms that the native side keeps strings in, beside one byte a character. */
  UTF8: 6,
  UTF16: 7,
  BUFFER: 8,
  BYTES: 9,
  RECORD: 10,
  CLONE: 11,
  /** [value, errors, their details], so that errors[i] is the same object as in the value. */
  CLONE_WITH_ERRORS: 12,
  /** A record that brings its shapes along: what travels between caches with dictionaries of their own. */
  PORTABLE: 13,
});

/** The dictionary of those who have none: every shape is defined inside its value. */
const NO_DICTIONARY = Object.freeze({ load: () => undefined, version: () => 0, save: () => false, closed: true });

/** @type {Packer | undefined} */
let portableRecords;

/** One for all: nothing is remembered in it. */
function portable() {
  portableRecords ??= packerOf(NO_DICTIONARY);
  return portableRecords;
}

/**
 * The walk keeps its state per thread, and so does msgpackr. A getter that writes to a cache while a value is being
 * encoded must not get in there a second time: V8's serializer has no such state.
 */
let packing = false;

/**
 * @typedef {import('./codec-records.js').Dictionary} Dictionary
 * @typedef {import('./codec-records.js').Records | import('./codec-stamped-records.js').StampedRecords} Packer
 */

class Codec {
  #shapes;
  /** @type {Packer | undefined} */
  #records;
  #recordKind;

  /**
   * What `encode` made; valid until the next call of it. Bytes lie between `start` and `end`, often in a buffer that is
   * about to be reused: copy them at once.
   * @type {number | string | Buffer | undefined}
   */
  payload = undefined;
  start = 0;
  end = 0;

  /**
   * @param {Dictionary | Packer} [shapes] of records, shared by all who read the values; without them, every codec can
   *   read what this one writes
   */
  constructor(shapes) {
    this.#shapes = shapes;
    this.#recordKind = shapes === undefined ? KIND.PORTABLE : KIND.RECORD;
  }

  /** Not before an object comes: msgpackr takes longer to load than all the rest of a fresh thread. */
  get #packer() {
    this.#records ??= this.#shapes === undefined ? portable() : packerOf(this.#shapes);
    return this.#records;
  }

  /**
   * Runs getters of the value, more than once. One that deletes properties while it is read can leave bytes that
   * `decode` refuses.
   * @param {unknown} value
   * @returns {number} the kind; `payload`, `start` and `end` are set
   * @throws {TypeError} `ERR_INVALID_ARG_TYPE`: structured clone does not take it, or would lose it
   * @throws {RangeError} nested more than 1,000 levels deep, or too large
   */
  encode(value) {
    switch (typeof value) {
      case 'string':
        this.payload = value;
        return KIND.STRING;
      case 'number':
        this.payload = value;
        return KIND.NUMBER;
      case 'object':
        return value === null ? this.#constant(KIND.NULL) : this.#encodeObject(value);
      case 'boolean':
        return this.#constant(value ? KIND.TRUE : KIND.FALSE);
      case 'undefined':
        return this.#constant(KIND.UNDEFINED);
      case 'bigint':
        return this.#encodeObject(value);
      default:
        throw refusal(value);
    }
  }

  /** @param {number} kind */
  #constant(kind) {
    this.payload = undefined;
    return kind;
  }

  /**
   * @param {Buffer} bytes
   * @param {number} kind
   */
  #bytes(bytes, kind) {
    this.payload = bytes;
    this.start = 0;
    this.end = bytes.length;
    return kind;
  }

  /** @param {object | bigint} value */
  #encodeObject(value) {
    if (ArrayBuffer.isView(value) && types.isUint8Array(value)) return this.#encodeBytes(value);
    const kind = this.encodePlain(value);
    return kind ?? this.#clone(value);
  }

  /**
   * The same for a tree of plain data alone, which comes back exactly as it went in: no instances of classes, nothing
   * shared or cyclic. Anything else is not encoded.
   * @param {object | bigint} value
   * @returns {number | undefined}
   */
  encodePlain(value) {
    if (packing) return undefined;
    packing = true;
    try {
      if (!packable(value)) return undefined;
      const packed = this.#packer.pack(value);
      this.payload = packed;
      this.start = packed.start ?? 0;
      this.end = packed.end ?? packed.length;
      return this.#recordKind;
    } finally {
      packing = false;
      forget();
    }
  }

  /** @param {Uint8Array} value */
  #encodeBytes(value) {
    if (types.isSharedArrayBuffer(value.buffer)) throw refusal(value, ', unlike SharedArrayBuffer,');
    const kind = Buffer.isBuffer(value) ? KIND.BUFFER : KIND.BYTES;
    try {
      return this.#bytes(bytesOf(value), kind);
    } catch {
      throw refusal(value);
    }
  }

  /** @param {object | bigint} value */
  #clone(value) {
    const survey = new Survey(false);
    survey.visit(value);
    const { errors, details, sharedBuffers } = survey;
    try {
      if (errors.length === 0) return this.#bytes(serialize(value, sharedBuffers), KIND.CLONE);
      return this.#bytes(serialize([value, errors, details], sharedBuffers), KIND.CLONE_WITH_ERRORS);
    } catch (error) {
      if (!(error instanceof CloneRefusal)) throw error;
    }
    new Survey(true).visit(value);
    throw refusal(value);
  }

  /**
   * The value never refers to `buffer`, which may be reused at once. Numbers and strings are the native side's.
   * @param {number} kind
   * @param {Buffer} buffer
   * @param {number} start
   * @param {number} end
   * @returns {unknown}
   */
  decode(kind, buffer, start, end) {
    switch (kind) {
      case KIND.RECORD:
      case KIND.PORTABLE:
      case KIND.CLONE:
      case KIND.CLONE_WITH_ERRORS:
        return this.#decodeObject(kind, buffer, start, end);
      case KIND.BUFFER:
        return Buffer.from(buffer.subarray(start, end));
      case KIND.BYTES:
        return new Uint8Array(buffer.subarray(start, end));
      case KIND.UNDEFINED:
        return undefined;
      case KIND.NULL:
        return null;
      case KIND.FALSE:
        return false;
      case KIND.TRUE:
        return true;
      default:
        throw corrupt();
    }
  }

  /**
   * The same for a buffer that holds nothing else and that the caller gives away.
   * @param {number} kind
   * @param {Buffer} buffer
   * @returns {unknown}
   */
  decodeOwned(kind, buffer) {
    if (kind === KIND.BUFFER) return buffer;
    if (kind === KIND.BYTES) return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
    return this.decode(kind, buffer, 0, buffer.length);
  }

  /**
   * The same as `encode`, with a payload that stays.
   * @param {unknown} value
   */
  encodeOwned(value) {
    const kind = this.encode(value);
    const { payload, start, end } = this;
    this.payload = undefined;
    return { kind, payload: Buffer.isBuffer(payload) ? Buffer.from(payload.subarray(start, end)) : payload };
  }

  /**
   * The same for what native code hands over outside a read: numbers and strings as such, the rest in a buffer.
   * @param {number} kind
   * @param {any} value
   * @returns {unknown}
   */
  decodeAlone(kind, value) {
    return kind >= KIND.NUMBER && kind < KIND.BUFFER ? value : this.decodeOwned(kind, value);
  }

  /**
   * A value as it would come back from the cache.
   * @param {unknown} value
   * @returns {unknown}
   */
  copy(value) {
    const kind = this.encode(value);
    const { payload, start, end } = this;
    this.payload = undefined;
    return Buffer.isBuffer(payload) ? this.decode(kind, payload, start, end) : value;
  }

  /**
   * @param {number} kind
   * @param {Buffer} buffer
   * @param {number} start
   * @param {number} end
   * @returns {unknown}
   */
  #decodeObject(kind, buffer, start, end) {
    // To msgpackr, an end of 0 is no end.
    if (end <= start) throw corrupt();
    try {
      if (kind === KIND.RECORD) return this.#packer.unpack(buffer, start, end);
      if (kind === KIND.PORTABLE) return portable().unpack(buffer, start, end);
      const value = deserialize(buffer.subarray(start, end));
      return kind === KIND.CLONE ? value : withErrors(value);
    } catch (error) {
      // The decoders' own messages quote the value. A full stack says nothing about the bytes.
      throw error instanceof RangeError && error.message.startsWith('Maximum call stack') ? error : corrupt();
    }
  }
}

/** @param {Dictionary | Packer} shapes @returns {Packer} */
function packerOf(shapes) {
  if ('pack' in shapes) return shapes;
  const { Records } = require('./codec-records.js');
  return new Records(shapes);
}

/**
 * @param {unknown} value
 * @param {string} [remark]
 */
function refusal(value, remark = '') {
  return invalidArgType(CLONEABLE + remark, 'value', value);
}

/** @param {unknown} stored */
function withErrors(stored) {
  const [value, errors, details] = /** @type {[unknown, Error[], import('./codec-errors.js').ErrorDetails[]]} */ (
    stored
  );
  errors.forEach((error, index) => restoreError(error, details[index]));
  return value;
}

function corrupt() {
  return new HotpathError('A stored value cannot be decoded', { code: 'ERR_HOTPATH_CORRUPT_VALUE' });
}

module.exports = { KIND, Codec, corrupt };
