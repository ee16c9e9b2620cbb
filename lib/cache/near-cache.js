'use strict';

// Decoded values within reach of JavaScript: a small bounded map beside the engine.
//
// An entry remembers the version of its key that was current before its value was read. Whoever changes the key, in
// whatever thread, moves the version in shared memory, and the entry is worth nothing from then on. A hit is a Map
// lookup, one load and one comparison.
//
// How many entries there may be follows what they are worth, and how much heap there is: see near-limit.js.
//
// What stays is decided by CLOCK with a doorkeeper: once the map is full, a key is admitted when it is read for the
// second time in a while, so that a scan passes through without leaving anything behind.
//
// Hits are invisible to the engine's own policy, which would take the hottest keys for cold ones. So they are reported
// now and then, the more often the more arrives there.

const native = require('../native.js');
const { WORD, header, scratchWords, clock } = require('../environment.js');
const { KIND } = require('./codec.js');
const { NearLimit } = require('./near-limit.js');

/** Entries that the hand looks at to evict one. */
const EVICT_STEPS = 4;

/** Keys that the doorkeeper remembers at most. */
const DOOR_PLACES = 4_096;

/** Keeps hit counters small integers; they are compared for equality only. */
const HITS_MASK = 0x3fffffff;

/** Hits, respectively fills and own writes, between two looks at how much the engine has taken up. */
const HITS_PER_REPORT = 1024;
const MAX_CHANGES_PER_REPORT = 64;

/** In a small cache there are fewer changes between two reports: this share of its entries. */
const CHANGED_SHARE_PER_REPORT = 1 / 64;

/**
 * How often an entry's hits are reported while as many newcomers arrive as the engine holds. What is credited late has
 * lost its place meanwhile: with 2, a trace that rewards recency lost 2 points of hits, with 16 it loses 0.1.
 */
const REPORTS_PER_TURNOVER = 16;

/** Entries that one report looks at, and the most that it credits one of them. */
const MAX_REPORTED = 1024;
const MAX_CREDIT = 15;

/** What an entry takes on the heap beside its value, roughly. */
const ENTRY_BYTES = 160;

/** An encoded object unfolds to some four times its size. */
const DECODED_FACTOR = 4;

/** What the value described at `base` takes on the heap, roughly. @param {number} base */
function heapBytes(base) {
  const length = header[base + WORD.LENGTH];
  switch (header[base + WORD.KIND]) {
    case KIND.STRING:
    case KIND.BUFFER:
    case KIND.BYTES:
      return length;
    case KIND.UTF8:
      return 2 * length;
    default:
      return DECODED_FACTOR * length;
  }
}

class Entry {
  /** @param {string} key */
  constructor(key) {
    this.key = key;
    /** @type {any} */
    this.value = undefined;
    this.slot = 0;
    this.version = 0;
    this.expires = 0;
    this.deadline = 0;
    this.hits = 0;
    /** Hits that the clock hand, respectively the last report, has seen. */
    this.seen = 0;
    this.reported = 0;
    this.hashLow = 0;
    this.hashHigh = 0;
    this.bytes = 0;
  }
}

class NearCache {
  /** @type {Map<string, Entry>} */
  #entries = new Map();
  /** @type {Entry[]} */
  #ring = [];
  #evictHand = 0;
  #reportHand = 0;
  #bytes = 0;
  #unreportedChanges = 0;
  /** Fewer in a small cache, where few writes push an entry out. */
  #changesPerReport = 1;
  #unreportedHits = 0;
  #arrivalsSeen = 0;
  /** What there may be now, and the reads since that was last considered. */
  #limit;
  #hits = 0;
  #fills = 0;

  /**
   * @param {number} handle of the engine
   * @param {Int32Array} versions over the engine's memory; the last word counts arrivals
   * @param {{ maxEntries: number, maxBytes: number }} bounds
   */
  constructor(handle, versions, bounds) {
    this.#handle = handle;
    this.#versions = versions;
    this.#limit = new NearLimit(bounds);
    const places = 2 ** Math.ceil(Math.log2(Math.min(bounds.maxEntries, DOOR_PLACES)));
    this.#doorkeeper = new Uint16Array(places);
  }
  #handle;
  #versions;
  #doorkeeper;

  get size() {
    return this.#entries.size;
  }

  /** Heap that is held, estimated. */
  get bytes() {
    return this.#bytes;
  }

  get bounds() {
    return this.#limit.bounds;
  }

  /** Changes what there may be at most. @param {{ maxEntries?: number | undefined, maxBytes?: number | undefined }} bounds */
  resize(bounds) {
    this.#limit.resize(bounds);
    this.#makeRoom();
  }

  /**
   * The entry of a key if its value is current.
   * @param {string} key
   */
  find(key) {
    const entry = this.#entries.get(key);
    // A plain load: Atomics.load is a call and costs as much as half the rest. It is one instruction on an aligned word,
    // and cannot move out of a caller's loop, because `report` may run native code in it.
    if (entry === undefined || this.#versions[entry.slot] !== entry.version) return undefined;
    if (entry.expires !== 0 && this.#hasExpired(entry)) return undefined;
    entry.hits = (entry.hits + 1) & HITS_MASK;
    if (++this.#unreportedHits >= HITS_PER_REPORT) this.report();
    return entry;
  }

  /** The values that are near, and the places of the others. @param {string[]} keys */
  findMany(keys) {
    /** @type {any[]} */
    const values = [];
    /** @type {number[]} */
    const places = [];
    for (let index = 0; index < keys.length; index++) {
      const entry = this.find(keys[index]);
      if (entry === undefined) places.push(index);
      values.push(entry?.value);
    }
    return { values, places };
  }

  /** The shared clock wraps, so deadlines are compared by their distance. @param {Entry} entry */
  #hasExpired(entry) {
    return clock === undefined || ((entry.deadline - clock[0]) | 0) <= 0;
  }

  /**
   * Takes up a value that the engine has just handed over, described from word `base` of the header on. Does not use
   * the shared memory otherwise, which may hold more values: `report` has to be called when they are read.
   * @param {string} key
   * @param {any} value
   * @param {number} base
   */
  fill(key, value, base) {
    this.#unreportedChanges++;
    if (++this.#fills >= this.#limit.entries >> 3) this.#adapt();
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      if (!this.#admits(base)) return;
      entry = new Entry(key);
      this.#entries.set(key, entry);
      this.#ring.push(entry);
    }
    this.#bytes -= entry.bytes;
    entry.value = value;
    entry.slot = header[base + WORD.SLOT];
    entry.version = header[base + WORD.VERSION];
    entry.expires = header[base + WORD.EXPIRES];
    entry.deadline = header[base + WORD.DEADLINE];
    entry.hashLow = header[base + WORD.HASH_LOW];
    entry.hashHigh = header[base + WORD.HASH_HIGH];
    entry.bytes = ENTRY_BYTES + heapBytes(base);
    this.#bytes += entry.bytes;
    if (this.#isOver()) this.#makeRoom(entry);
  }

  /** True while there is room, and for keys that were turned away a while ago. @param {number} base */
  #admits(base) {
    // One large value would push all the others out.
    if (heapBytes(base) > this.#limit.bytes / 8) return false;
    if (this.#entries.size < this.#limit.entries && this.#bytes < this.#limit.bytes) return true;
    const place = header[base + WORD.HASH_LOW] & (this.#doorkeeper.length - 1);
    const print = (header[base + WORD.HASH_HIGH] & 0xffff) | 1;
    if (this.#doorkeeper[place] === print) return true;
    this.#doorkeeper[place] = print;
    return false;
  }

  /**
   * Evicts until the bounds hold, but not the newcomer. The hand looks at a few entries and takes the first that was not
   * hit since it last came by, else the one that was hit least: looking on until it finds the first could take long.
   * @param {Entry} [newcomer]
   */
  #makeRoom(newcomer) {
    const ring = this.#ring;
    while (this.#isOver() && ring.length > 1) {
      let place = -1;
      let fewest = HITS_MASK;
      for (let step = 0; step < EVICT_STEPS && fewest > 0; step++) {
        if (++this.#evictHand >= ring.length) this.#evictHand = 0;
        const entry = ring[this.#evictHand];
        const hits = (entry.hits - entry.seen) & HITS_MASK;
        entry.seen = entry.hits;
        if (hits < fewest && entry !== newcomer) {
          fewest = hits;
          place = this.#evictHand;
        }
      }
      if (place !== -1) this.#evict(place);
    }
  }

  /** @param {number} place in the ring */
  #evict(place) {
    const ring = this.#ring;
    const entry = ring[place];
    const last = /** @type {Entry} */ (ring.pop());
    if (last !== entry) ring[place] = last;
    this.#entries.delete(entry.key);
    this.#bytes -= entry.bytes;
  }

  #isOver() {
    return this.#entries.size > this.#limit.entries || this.#bytes > this.#limit.bytes;
  }

  /** Considers the limit, after an eighth as many fills as it allows entries. */
  #adapt() {
    this.#limit.adapt(this.#hits + this.#unreportedHits, this.#fills);
    this.#hits = -this.#unreportedHits;
    this.#fills = 0;
  }

  /** Lets go of a value that is gone from the engine too. @param {string} key */
  forget(key) {
    const entry = this.#entries.get(key);
    if (entry !== undefined) entry.value = undefined;
  }

  /** Counts a write through this handle. */
  noteWrite() {
    this.#unreportedChanges++;
    this.reportIfDue();
  }

  /** Reports if enough has happened. */
  reportIfDue() {
    if (this.#unreportedChanges >= this.#changesPerReport) this.report();
  }

  /**
   * Reports hits: how many there were, and for a share of the entries which. The share follows what has arrived in the
   * engine since, so that every entry is credited many times before newcomers could have pushed it out.
   */
  report() {
    this.#unreportedChanges = 0;
    const arrivals = this.#versions[this.#versions.length - 1];
    const arrived = (arrivals - this.#arrivalsSeen) >>> 0;
    this.#arrivalsSeen = arrivals;
    const credits = arrived === 0 ? 0 : this.#gather(arrived);
    native.credit(this.#handle, credits, this.#unreportedHits);
    this.#hits += this.#unreportedHits;
    this.#unreportedHits = 0;
    if (this.#limit.watchHeap()) this.#makeRoom();
  }

  /** Lists the hits of the next entries in turn in shared memory. @param {number} arrived */
  #gather(arrived) {
    const ring = this.#ring;
    const size = Math.max(1, native.memoryCacheSize(this.#handle));
    this.#changesPerReport = Math.min(MAX_CHANGES_PER_REPORT, Math.ceil(size * CHANGED_SHARE_PER_REPORT));
    const turn = Math.min(ring.length, MAX_REPORTED, Math.ceil((REPORTS_PER_TURNOVER * ring.length * arrived) / size));
    let credits = 0;
    for (let step = 0; step < turn; step++) {
      if (this.#reportHand >= ring.length) this.#reportHand = 0;
      const entry = ring[this.#reportHand++];
      const hits = (entry.hits - entry.reported) & HITS_MASK;
      if (hits === 0) continue;
      entry.reported = entry.hits;
      scratchWords[3 * credits] = entry.hashLow;
      scratchWords[3 * credits + 1] = entry.hashHigh;
      scratchWords[3 * credits + 2] = Math.min(hits, MAX_CREDIT);
      credits++;
    }
    return credits;
  }

  clear() {
    this.#entries.clear();
    this.#ring.length = 0;
    this.#bytes = 0;
  }
}

module.exports = { NearCache };
