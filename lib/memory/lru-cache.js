'use strict';

// Live values, the least recently used of which goes. A Map keeps its keys in the order in which they came, so deleting
// and setting again moves an entry to the end, and the first key is the one to go.

const { DISPOSE, addAliases } = require('../aliases.js');
const { TTL_FORM } = require('../cache/ttl-argument.js');
const check = require('../validate.js');
const { estimateBytes } = require('./estimate.js');

/** @typedef {{ value: any, bytes: number, deadline: number }} Entry */

const now = () => performance.now();

class LRUCache {
  #max;
  #maxBytes;
  #ttl;
  #sizeOf;
  /** @type {Map<any, Entry>} */
  #entries = new Map();
  #bytes = 0;
  #hits = 0;
  #misses = 0;
  #evictions = 0;
  #expirations = 0;

  /** @param {unknown} [options] */
  constructor(options) {
    const given = check.options(options, 'options', ['max', 'maxBytes', 'ttl', 'sizeOf']);
    this.#max = given.max === undefined ? Infinity : check.positiveInteger(given.max, 'options.max');
    this.#maxBytes =
      given.maxBytes === undefined ? Infinity : check.positiveInteger(given.maxBytes, 'options.maxBytes');
    this.#ttl = given.ttl === undefined ? Infinity : check.positiveNumber(given.ttl, 'options.ttl');
    this.#sizeOf = given.sizeOf === undefined ? estimateEntry : check.function_(given.sizeOf, 'options.sizeOf');
  }

  get [TTL_FORM]() {
    return 'options';
  }

  get size() {
    return this.#entries.size;
  }

  get bytes() {
    return this.#bytes;
  }

  /** @param {any} key */
  get(key) {
    const entry = this.#live(key);
    if (entry === undefined) {
      this.#misses += 1;
      return undefined;
    }
    this.#hits += 1;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value;
  }

  /** @param {any} key */
  peek(key) {
    return this.#live(key)?.value;
  }

  /** @param {any} key */
  has(key) {
    return this.#live(key) !== undefined;
  }

  /** @param {any} key @param {any} value @param {unknown} [options] */
  set(key, value, options) {
    const { ttl = this.#ttl } = check.options(options, 'options', ['ttl']);
    const deadline = now() + check.positiveNumber(ttl, 'options.ttl');
    const bytes = this.#maxBytes === Infinity ? 0 : this.#measure(value, key);
    this.#remove(key);
    // It would push everything out, and itself.
    if (bytes > this.#maxBytes) return false;
    this.#entries.set(key, { value, bytes, deadline });
    this.#bytes += bytes;
    this.#evict();
    return true;
  }

  /** @param {any} value @param {any} key */
  #measure(value, key) {
    return check.nonNegativeInteger(this.#sizeOf(value, key), 'the result of options.sizeOf');
  }

  #evict() {
    for (const key of this.#entries.keys()) {
      if (this.#entries.size <= this.#max && this.#bytes <= this.#maxBytes) return;
      this.#remove(key);
      this.#evictions += 1;
    }
  }

  /** @param {any} key */
  delete(key) {
    const wasThere = this.#live(key) !== undefined;
    this.#remove(key);
    return wasThere;
  }

  clear() {
    this.#entries.clear();
    this.#bytes = 0;
  }

  /** Takes out everything whose time is over, and says how much that was. */
  prune() {
    const before = this.#expirations;
    for (const key of this.#entries.keys()) this.#live(key);
    return this.#expirations - before;
  }

  /** From the most to the least recently used. */
  *entries() {
    for (const key of [...this.#entries.keys()].reverse()) {
      const entry = this.#live(key);
      if (entry !== undefined) yield/** @type {[any, any]} */ ([key, entry.value]);
    }
  }

  *keys() {
    for (const [key] of this.entries()) yield key;
  }

  *values() {
    for (const [, value] of this.entries()) yield value;
  }

  [Symbol.iterator]() {
    return this.entries();
  }

  get stats() {
    return {
      entries: this.#entries.size,
      bytes: this.#bytes,
      hits: this.#hits,
      misses: this.#misses,
      evictions: this.#evictions,
      expirations: this.#expirations,
    };
  }

  /** The entry, unless its time is over: then it goes. @param {any} key */
  #live(key) {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.deadline === Infinity || entry.deadline > now()) return entry;
    this.#remove(key);
    this.#expirations += 1;
    return undefined;
  }

  /** @param {any} key */
  #remove(key) {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#bytes -= entry.bytes;
  }
}

/** @param {any} value @param {any} key */
function estimateEntry(value, key) {
  return estimateBytes(value) + estimateBytes(key);
}

addAliases(LRUCache, { put: 'set', del: 'delete', [DISPOSE]: 'clear' });

module.exports = { LRUCache };
