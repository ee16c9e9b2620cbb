'use strict';

// A bounded map from texts whose oldest entries go first: a ring of entries, and a hash table of their places.
//
// Why not a Map: one that is always full loses as many keys as it gains, and allocates a new table each time the places
// of the lost ones have added up. The old tables lie in the old generation, where they hold everything that they ever
// named until the next full collection. Here an entry is overwritten where it stands, nothing is allocated for one, and
// nothing that was pushed out is held.

/** Different in each process: texts that fall into one chain cannot be found beforehand. */
const SEED = (Math.random() * 2 ** 32) | 0;

const FEWEST_PLACES = 64;

/** @param {string} text */
function hashOf(text) {
  let hash = SEED ^ text.length;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x5bd1e995);
    hash ^= hash >>> 15;
  }
  return hash;
}

/** @template V */
class RecentMap {
  #most;
  #size = 0;
  /** Entries that were ever added: the number of the next one. */
  #added = 0;
  /** By place in the ring; undefined where there is no entry. @type {(string | undefined)[]} */
  #keys = [];
  /** @type {(V | undefined)[]} */
  #values = [];
  // What follows has room for the places of now, and grows with them. Links are places plus one, 0 being none.
  #hashes = new Int32Array(0);
  #next = new Int32Array(0);
  #previous = new Int32Array(0);
  /** A number with each entry, for whoever uses the map. */
  #stamps = new Float64Array(0);
  /** The first place of each chain; a power of two of them, at least as many as there are places. */
  #chains = new Int32Array(0);

  /** @param {number} most entries: a non-negative integer */
  constructor(most) {
    this.#most = most;
  }

  get size() {
    return this.#size;
  }

  /** @param {string} key @returns {V | undefined} */
  get(key) {
    const place = this.find(key, hashOf(key));
    return place < 0 ? undefined : this.#values[place];
  }

  /** The place of a key's entry, or -1. @param {string} key @param {number} hash its `hashOf` */
  find(key, hash) {
    if (this.#size === 0) return -1;
    let place = this.#chains[hash & (this.#chains.length - 1)] - 1;
    while (place >= 0 && !(this.#hashes[place] === hash && this.#keys[place] === key)) place = this.#next[place] - 1;
    return place;
  }

  /**
   * Adds a key that is not there.
   * @param {string} key
   * @param {V} value
   * @param {number} [hash]
   * @param {number} [stamp]
   * @returns {number} the number of the entry; numbers are given in order, and an entry's place is its number modulo the
   *   most entries
   */
  add(key, value, hash = hashOf(key), stamp = 0) {
    const number = this.#added++;
    const place = number % this.#most;
    if (place === this.#keys.length) this.#addPlace();
    else this.removeAt(place);
    this.#keys[place] = key;
    this.#values[place] = value;
    this.#hashes[place] = hash;
    this.#stamps[place] = stamp;
    this.#link(place);
    this.#size++;
    return number;
  }

  /** The place of the entry with a number, if it was neither pushed out nor removed, or -1. @param {number} number */
  placeOf(number) {
    const place = number % this.#most;
    return this.#added - number <= this.#most && this.#keys[place] !== undefined ? place : -1;
  }

  /** @param {number} place */
  valueAt(place) {
    return this.#values[place];
  }

  /** @param {number} place */
  stampAt(place) {
    return this.#stamps[place];
  }

  /** @param {number} place @param {V} value @param {number} stamp */
  replaceAt(place, value, stamp) {
    this.#values[place] = value;
    this.#stamps[place] = stamp;
  }

  /** @param {number} place */
  removeAt(place) {
    if (this.#keys[place] === undefined) return;
    const next = this.#next[place];
    const previous = this.#previous[place];
    if (next !== 0) this.#previous[next - 1] = previous;
    if (previous !== 0) this.#next[previous - 1] = next;
    else this.#chains[this.#hashes[place] & (this.#chains.length - 1)] = next;
    this.#keys[place] = undefined;
    this.#values[place] = undefined;
    this.#size--;
  }

  clear() {
    for (let place = 0; place < this.#keys.length; place++) this.removeAt(place);
  }

  /** Puts a place at the front of its chain. @param {number} place */
  #link(place) {
    const chain = this.#hashes[place] & (this.#chains.length - 1);
    const first = this.#chains[chain];
    this.#next[place] = first;
    this.#previous[place] = 0;
    if (first !== 0) this.#previous[first - 1] = place + 1;
    this.#chains[chain] = place + 1;
  }

  #addPlace() {
    const place = this.#keys.length;
    this.#keys.push(undefined);
    this.#values.push(undefined);
    if (place < this.#hashes.length) return;
    const places = Math.min(this.#most, Math.max(FEWEST_PLACES, place * 2));
    this.#hashes = grown(this.#hashes, places);
    this.#next = grown(this.#next, places);
    this.#previous = grown(this.#previous, places);
    this.#stamps = grown(this.#stamps, places);
    this.#chains = new Int32Array(2 ** Math.ceil(Math.log2(places)));
    for (let other = 0; other < place; other++) if (this.#keys[other] !== undefined) this.#link(other);
  }
}

/** @template {Int32Array | Float64Array} T @param {T} from @param {number} length @returns {T} */
function grown(from, length) {
  const to = new /** @type {any} */ (from.constructor)(length);
  to.set(from);
  return to;
}

module.exports = { RecentMap, hashOf };
