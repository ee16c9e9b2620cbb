'use strict';

// Where the values of a NodeCache are. What is a tree of plain data lives in the native engine, off the JavaScript heap;
// strings and other primitives need no copy and stay with the index; so does what the engine could not give back as it
// was (functions, promises, instances of classes, cycles), as a clone or by reference.

const clone = require('clone');
const { MemoryCache, SET_PLAIN } = require('../cache/memory-cache.js');
const { copyOf } = require('./copy.js');

/** Stands in an entry whose value the engine has. */
const OFF_HEAP = Symbol('off heap');

class NodeCacheValues {
  /** How many keys there may be is the index's business: the engine never evicts. */
  #engine = new MemoryCache({ maxBytes: Number.MAX_SAFE_INTEGER });
  #clones;

  /** @param {boolean} clones whether callers get copies, and are free to change what they gave */
  constructor(clones) {
    this.#clones = clones;
  }

  /**
   * What the entry of a key has to hold.
   * @param {string} key
   * @param {any} value
   */
  store(key, value) {
    if (!this.#clones || typeof value !== 'object' || value === null) return value;
    if (this.#engine[SET_PLAIN](key, value)) return OFF_HEAP;
    return clone(value);
  }

  /**
   * The value of an entry, a copy where copies are asked for.
   * @param {string} key
   * @param {any} held
   */
  read(key, held) {
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
    if (held === OFF_HEAP) this.#engine.delete(key);
  }

  clear() {
    this.#engine.clear();
  }
}

module.exports = { NodeCacheValues };
