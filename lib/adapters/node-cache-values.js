'use strict';

// Where the values of a NodeCache are. Trees of plain data are copied into the index up to an amount that a garbage
// collector hardly notices, and beyond it live in the native engine, off the JavaScript heap. Strings and other primitives
// need no copy and stay with the index; so does what the engine could not give back as it was (functions, promises,
// instances of classes, cycles), as a clone or by reference.

const clone = require('clone');
const { MemoryCache, SET_PLAIN } = require('../cache/memory-cache.js');
const { copyOf } = require('./copy.js');
const { PlainCopy, needsClone, plainCopy } = require('./plain-copy.js');

/** Stands in an entry whose value the engine has. */
const OFF_HEAP = Symbol('off heap');

/** Values, those within others included, that are kept on the heap: about ten MB. More cost more than crossings do. */
const HEAP_WEIGHT = 2 ** 18;

class NodeCacheValues {
  /** How many keys there may be is the index's business: the engine never evicts. */
  #engine = new MemoryCache({ maxBytes: Number.MAX_SAFE_INTEGER });
  #clones;
  #weight = 0;
  #heapWeight;

  /**
   * @param {boolean} clones whether callers get copies, and are free to change what they gave
   * @param {number} [heapWeight]
   */
  constructor(clones, heapWeight = HEAP_WEIGHT) {
    this.#clones = clones;
    this.#heapWeight = heapWeight;
  }

  /**
   * What the entry of a key has to hold. What it held before has to be deleted by the caller, unless both are OFF_HEAP.
   * @param {string} key
   * @param {any} value
   */
  store(key, value) {
    if (!this.#clones || typeof value !== 'object' || value === null) return value;
    if (this.#weight >= this.#heapWeight) {
      return !needsClone(value) && this.#engine[SET_PLAIN](key, value) ? OFF_HEAP : clone(value);
    }
    const copy = plainCopy(value);
    if (copy === undefined) return clone(value);
    this.#weight += copy.weight;
    return copy;
  }

  /**
   * The value of an entry, a copy where copies are asked for.
   * @param {string} key
   * @param {any} held
   */
  read(key, held) {
    if (held instanceof PlainCopy) return held.read();
    if (held === OFF_HEAP) return copyOf(this.#engine.get(key));
    if (typeof held === 'object' && held !== null) return this.#clones ? clone(held) : held;
    return held;
  }

  /**
   * Forgets the value of an entry.
   * @param {string} key
   * @param {any} held
   */
  delete(key, held) {
    if (held instanceof PlainCopy) this.#weight -= held.weight;
    else if (held === OFF_HEAP) this.#engine.delete(key);
  }

  clear() {
    this.#engine.clear();
    this.#weight = 0;
  }
}

module.exports = { NodeCacheValues };
