'use strict';

// The thorough look at a value that is on its way to V8's serializer: refuses what structured clone refuses, and what it
// would lose without a word (a URL becomes {}), naming the path; and collects what the serializer has to be told.

const { inspect, types } = require('node:util');
const { invalidArgType, outOfRange } = require('../errors.js');
const { serialize, CloneRefusal } = require('./codec-clone.js');
const { describeError } = require('./codec-errors.js');
const { pathOf, getter } = require('./codec-path.js');
const { platformClass } = require('./codec-platform.js');

/** V8's serializer recurses: on a main thread's stack, reading breaks off between 1,500 and 2,000 levels. */
const MAX_DEPTH = 1000;
/** A list of the keys of a longer array would cost more than to serialize it. */
const LONG_ARRAY = 1 << 14;
/** An array with more holes than this is walked by its keys after all. */
const MAX_HOLES = 1 << 10;
const CLONEABLE = 'a value that can be cloned';

const NO_ELEMENTS = Object.freeze({
  maxArrayLength: 0,
  depth: 0,
  breakLength: Number.POSITIVE_INFINITY,
  colors: false,
  customInspect: false,
  getters: false,
  numericSeparator: false,
  showHidden: false,
  showProxy: false,
});

/**
 * Whether a long array has no properties beside its elements. JavaScript has no cheap way to ask, `inspect` has; should
 * it ever print something else, the answer is the safe one.
 * @param {unknown[]} array
 */
function isBare(array) {
  return inspect(array, NO_ELEMENTS) === `[ ... ${array.length} more items ]`;
}

class Survey {
  /** Every error in the value, and what the serializer does not keep of it. @type {Error[]} */
  errors = [];
  /** @type {import('./codec-errors.js').ErrorDetails[]} */
  details = [];
  /** ArrayBuffers that several objects in the value use. @type {Set<ArrayBufferLike>} */
  sharedBuffers = new Set();
  /** Whether all users of an ArrayBuffer were Buffers so far. @type {Map<ArrayBufferLike, boolean>} */
  #buffers = new Map();
  /** @type {Set<object>} */
  #seen = new Set();
  /** The way to the object that is being visited. @type {(string | number | (() => string))[]} */
  #path = [];
  #blame;

  /** @param {boolean} blame find out which object V8 refuses, by asking it about each */
  constructor(blame) {
    this.#blame = blame;
  }

  /**
   * @param {unknown} value
   * @param {number} [depth]
   */
  visit(value, depth = 0) {
    if (typeof value === 'function' || typeof value === 'symbol') this.#refuse(value, depth);
    if (typeof value !== 'object' || value === null || this.#seen.has(value)) return;
    if (depth > MAX_DEPTH) throw outOfRange(`nesting of at most ${MAX_DEPTH} levels`, 'value', value);
    this.#seen.add(value);
    // Before anything that would run the handler.
    if (types.isProxy(value)) this.#refuse(value, depth, 'Proxy');
    this.#visitObject(value, depth);
    if (this.#blame && isRefused(value)) this.#refuse(value, depth);
  }

  /**
   * @param {object} object
   * @param {number} depth
   */
  #visitObject(object, depth) {
    if (Array.isArray(object)) this.#visitArray(object, depth);
    else if (ArrayBuffer.isView(object)) this.#visitBuffer(object.buffer, Buffer.isBuffer(object), depth);
    else if (types.isAnyArrayBuffer(object)) this.#visitBuffer(object, false, depth);
    else if (types.isMap(object)) this.#visitMap(object, depth);
    else if (types.isSet(object)) this.#visitSet(object, depth);
    else if (types.isNativeError(object)) this.#visitError(object, depth);
    else if (types.isSymbolObject(object)) this.#refuse(object, depth, 'Symbol');
    // Their own properties are not cloned.
    else if (!types.isDate(object) && !types.isRegExp(object) && !types.isBoxedPrimitive(object)) {
      const name = platformClass(object);
      if (name !== undefined) this.#refuse(object, depth, name);
      this.#visitProperties(object, depth);
    }
  }

  /**
   * @param {object} object
   * @param {number} depth
   */
  #visitProperties(object, depth) {
    for (const key of Object.keys(object)) {
      this.#visitChild(/** @type {Record<string, unknown>} */ (object)[key], key, depth);
    }
  }

  /**
   * @param {unknown} child
   * @param {string | number | (() => string)} key
   * @param {number} depth of the parent
   */
  #visitChild(child, key, depth) {
    this.#path[depth] = key;
    this.visit(child, depth + 1);
  }

  /**
   * @param {unknown[]} array
   * @param {number} depth
   */
  #visitArray(array, depth) {
    if (array.length <= LONG_ARRAY || this.#blame || !isBare(array) || !this.#visitDense(array, depth)) {
      this.#visitProperties(array, depth);
    }
  }

  /**
   * @param {unknown[]} array
   * @param {number} depth
   */
  #visitDense(array, depth) {
    for (let i = 0, holes = 0; i < array.length; i++) {
      const element = array[i];
      if (element === undefined && !Object.hasOwn(array, i) && ++holes > MAX_HOLES) return false;
      this.#visitChild(element, i, depth);
    }
    return true;
  }

  /**
   * @param {Map<unknown, unknown>} map
   * @param {number} depth
   */
  #visitMap(map, depth) {
    let index = 0;
    Map.prototype.forEach.call(map, (value, key) => {
      const position = index++;
      this.#visitChild(key, () => `.keys()[${position}]`, depth);
      this.#visitChild(value, () => getter(key), depth);
    });
  }

  /**
   * @param {Set<unknown>} set
   * @param {number} depth
   */
  #visitSet(set, depth) {
    let index = 0;
    Set.prototype.forEach.call(set, (member) => {
      const position = index++;
      this.#visitChild(member, () => `.values()[${position}]`, depth);
    });
  }

  /**
   * @param {Error} error
   * @param {number} depth
   */
  #visitError(error, depth) {
    const details = describeError(error);
    this.errors.push(error);
    this.details.push(details);
    for (const properties of [details.visible, details.hidden]) {
      for (let i = 0; i < properties.length; i += 2) {
        this.#visitChild(properties[i + 1], /** @type {string} */ (properties[i]), depth);
      }
    }
  }

  /**
   * Small Buffers share the ArrayBuffer of Node's pool by chance: among themselves they are taken as bytes only.
   * @param {ArrayBufferLike} buffer
   * @param {boolean} isBuffer
   * @param {number} depth
   */
  #visitBuffer(buffer, isBuffer, depth) {
    if (types.isSharedArrayBuffer(buffer)) this.#refuse(buffer, depth, 'SharedArrayBuffer');
    const before = this.#buffers.get(buffer);
    if (before !== undefined && !(before && isBuffer)) this.sharedBuffers.add(buffer);
    this.#buffers.set(buffer, (before ?? true) && isBuffer);
  }

  /**
   * @param {unknown} value
   * @param {number} depth
   * @param {string} [name] of its class
   * @returns {never}
   */
  #refuse(value, depth, name) {
    const what = name === undefined ? CLONEABLE : `${CLONEABLE}, unlike ${name},`;
    // A revoked proxy throws at whoever asks what it is.
    throw invalidArgType(what, pathOf(this.#path.slice(0, depth)), name === 'Proxy' ? {} : value);
  }
}

/** @param {object} object */
function isRefused(object) {
  try {
    serialize(object, new Set());
    return false;
  } catch (error) {
    return error instanceof CloneRefusal;
  }
}

module.exports = { Survey, CLONEABLE };
