'use strict';

// The memory cache: a handle on a native engine, with a near cache in front of it.
//
// Reads that the near cache cannot answer cross into native code once. Everything here runs on the caller's thread and
// takes no timer.

const { EventEmitter } = require('node:events');
const native = require('../native.js');
const environment = require('../environment.js');
const { DISPOSE, addAliases } = require('../aliases.js');
const { HotpathClosedError, invalidArgType, outOfRange } = require('../errors.js');
const { LISTENERS_CHANGED, makeListening } = require('../listening.js');
const { translated } = require('../native-errors.js');
const { addProperty } = require('../own-property.js');
const { watchService } = require('../services.js');
const { Codec } = require('./codec.js');
const { DECODE, FIND, FIND_MANY, LEND, MEMORY, TIER } = require('./internal.js');
const { encodedEntries } = require('./encoded-entries.js');
const { EventDelivery } = require('./event-delivery.js');
const { LentValues } = require('./lent-values.js');
const { Loads } = require('./loads.js');
const { checkAmount, checkKey, checkKeys, checkPattern, lifetime, pairsOf, tagList } = require('./memory-arguments.js');
const { memoryCacheOptions, openMemoryCache, resizeOptions } = require('./memory-options.js');
const { memoryCacheStats } = require('./memory-stats.js');
const { ANSWER, MISSING, NativeReads, checkOpen } = require('./native-reads.js');
const { NearCache } = require('./near-cache.js');

/** @typedef {import('./memory-arguments.js').Lifetime} Lifetime */

const SET_PLAIN = Symbol('setPlain');

/** The number of no handle. */
const NO_HANDLE = 0xffff_ffff;

/** Ends the native handles of caches that were dropped without being closed. */
const collected = new FinalizationRegistry((/** @type {number} */ handle) => {
  environment.subscribers.delete(handle);
  native.collectMemoryCache(handle);
});

class MemoryCache extends EventEmitter {
  #handle;
  #name;
  #unwatch;
  #clone;
  #codec;
  #reads;
  #loads;
  #events;
  #nearBounds;
  /** @type {LentValues<any>[]} */
  #lent = [];
  /** @type {NearCache | undefined} */
  #near;

  /** @param {unknown} [options] */
  constructor(options) {
    super();
    const checked = memoryCacheOptions(options);
    const handle = openMemoryCache(checked);
    this.#handle = handle;
    this.#name = checked.name;
    this.#clone = checked.clone;
    this.#nearBounds = checked.nearCache;
    this.#codec = new Codec({
      load: () => translated(() => native.loadDictionary(handle)) ?? undefined,
      version: () => translated(() => native.dictionaryVersion(handle)),
      save: (document, expected) => translated(() => native.saveDictionary(handle, document, expected)),
    });
    this.#reads = new NativeReads(handle, this.#codec);
    this.#loads = new Loads(handle, this.#codec, { shared: checked.name !== undefined });
    this.#events = new EventDelivery(this, memoryEvents(handle, this.#codec));
    // Without the clock of the native side nothing that expires could be trusted, and where one kind of native memory
    // cannot be mapped the other cannot either.
    if (checked.nearCache !== undefined && environment.clock !== undefined) {
      const versions = native.versionWords(handle);
      if (versions !== null) this.#near = new NearCache(handle, new Int32Array(versions), checked.nearCache);
    }
    collected.register(this, handle, this);
    this.#unwatch = watchService('cache', checked.name, this, statsOf);
  }

  get name() {
    return this.#name;
  }

  get closed() {
    return this.#handle === NO_HANDLE;
  }

  get size() {
    return native.memoryCacheSize(this.#open());
  }

  /** @param {string} key */
  get(key) {
    const entry = this.#near?.find(key);
    if (entry !== undefined) return entry.value;
    const value = this.#read(key);
    return value === MISSING ? undefined : value;
  }

  /** Reads a value from the engine, and keeps it near. @param {string} key */
  #read(key) {
    const value = this.#reads.receive(native.get(this.#handle, checkKey(key)));
    const near = this.#near;
    if (near !== undefined) {
      this.#keepNear(near, key, value, 0);
      near.reportIfDue();
    }
    return value;
  }

  /** @param {NearCache} near @param {string} key @param {any} value @param {number} base */
  #keepNear(near, key, value, base) {
    if (value === MISSING) {
      near.forget(key);
    } else if (base >= 0 && !(this.#clone && typeof value === 'object' && value !== null)) {
      // A value that is handed out again could be changed by those who got it before.
      near.fill(key, value, base);
    }
  }

  /** @param {string} key */
  [FIND](key) {
    const entry = this.#near?.find(key);
    return entry === undefined ? this.#read(key) : entry.value;
  }

  /** @param {string[]} keys */
  [FIND_MANY](keys) {
    return this.#readMany(keys, MISSING);
  }

  /** @param {number} kind @param {any} payload */
  [DECODE](kind, payload) {
    return this.#codec.decodeAlone(kind, payload);
  }

  [MEMORY]() {
    return this;
  }

  [TIER]() {
    return { kind: 'memory', handle: this.#open() };
  }

  /**
   * @template T
   * @param {(bytes: Buffer) => T | undefined} make
   * @returns {LentValues<T>}
   */
  [LEND](make) {
    const values = new LentValues(this.#open(), make, this.#nearBounds);
    this.#lent.push(values);
    return values;
  }

  /** @param {string} key */
  peek(key) {
    const value = this.#reads.receive(native.peek(this.#handle, checkKey(key)));
    return value === MISSING ? undefined : value;
  }

  /** @param {string} key */
  has(key) {
    return checkOpen(native.has(this.#handle, checkKey(key))) === 1;
  }

  /**
   * @param {string} key
   * @param {any} value
   * @param {unknown} [ttl]
   */
  set(key, value, ttl) {
    checkKey(key);
    const life = lifetime(ttl);
    return this.#store(key, this.#codec.encode(value), life);
  }

  /**
   * For the adapters: stores nothing but a tree of plain data, which comes back exactly as it is.
   * @param {string} key
   * @param {object} value
   */
  [SET_PLAIN](key, value) {
    const kind = this.#codec.encodePlain(value);
    return kind !== undefined && this.#store(key, kind, lifetime(undefined));
  }

  /** Stores what the codec has just encoded. @param {string} key @param {number} kind @param {Lifetime} life */
  #store(key, kind, { ttlMs, idleMs, tags }) {
    const codec = this.#codec;
    const { payload, start, end } = codec;
    const stored = native.set(this.#handle, key, kind, payload, start, end, ttlMs, idleMs, tags);
    codec.payload = undefined;
    this.#near?.noteWrite();
    this.#changed();
    return checkOpen(stored) === 1;
  }

  /** @param {string} key */
  delete(key) {
    const deleted = checkOpen(native.delete(this.#handle, checkKey(key))) === 1;
    if (deleted) {
      this.#near?.forget(key);
      this.#changed();
    }
    return deleted;
  }

  /** @param {string} key */
  take(key) {
    const value = this.#reads.receive(native.take(this.#handle, checkKey(key)));
    this.#near?.forget(key);
    this.#changed();
    return value === MISSING ? undefined : value;
  }

  /** @param {string[]} keys */
  getMany(keys) {
    return this.#readMany(keys, undefined);
  }

  /** @param {string[]} keys */
  mget(keys) {
    /** @type {Record<string, any>} */
    const hits = {};
    const values = this.#readMany(keys, MISSING);
    for (let index = 0; index < keys.length; index++) {
      if (values[index] !== MISSING) addProperty(hits, keys[index], values[index]);
    }
    return hits;
  }

  /** @param {string[]} keys @param {any} absent stands for a key that is not there @returns {any[]} */
  #readMany(keys, absent) {
    this.#open();
    if (!Array.isArray(keys)) throw invalidArgType('an array of strings', 'keys', keys);
    const near = this.#near;
    if (near === undefined) return this.#reads.receiveMany(checkKeys(keys), absent, undefined);
    const { values, places } = near.findMany(keys);
    if (places.length === 0) return values;
    // Only strings are ever near.
    const missing = places.map((place) => keys[place]);
    if (missing.some((key) => typeof key !== 'string')) checkKeys(keys);
    const read = this.#reads.receiveMany(missing, absent, (key, value, base) => this.#keepNear(near, key, value, base));
    for (let index = 0; index < places.length; index++) values[places[index]] = read[index];
    near.reportIfDue();
    return values;
  }

  /**
   * @param {any} entries an object, a Map or any iterable of pairs
   * @param {unknown} [ttl]
   */
  setMany(entries, ttl) {
    this.#open();
    const { ttlMs, idleMs, tags } = lifetime(ttl);
    const encoded = encodedEntries(pairsOf(entries), this.#codec);
    let stored = 0;
    encoded.map((key, kind, payload, start, end) => {
      stored += checkOpen(native.set(this.#handle, key, kind, payload, start, end, ttlMs, idleMs, tags));
    });
    this.#changed();
    return stored;
  }

  /** @param {string[]} keys */
  deleteMany(keys) {
    this.#open();
    return checkKeys(keys).filter((key) => this.delete(key)).length;
  }

  /**
   * @param {string} key
   * @param {unknown} [ttl]
   */
  touch(key, ttl) {
    const { ttlMs, idleMs } = lifetime(ttl, ['ttlMs', 'idleMs']);
    return checkOpen(native.touch(this.#handle, checkKey(key), ttlMs, idleMs)) === 1;
  }

  /** @param {string} key */
  getTtl(key) {
    const remaining = checkOpen(native.getTtl(this.#handle, checkKey(key)));
    return remaining === ANSWER.MISS ? undefined : remaining;
  }

  /**
   * @param {string} key
   * @param {number} [by]
   * @param {unknown} [ttl]
   */
  increment(key, by = 1, ttl) {
    checkKey(key);
    checkAmount(by);
    const { ttlMs, idleMs, tags } = lifetime(ttl);
    checkOpen(translated(() => native.increment(this.#handle, key, by, ttlMs, idleMs, tags)));
    const sum = environment.scratchDoubles[0];
    this.#changed();
    return sum;
  }

  /** @param {string} [pattern] */
  keys(pattern) {
    const handle = this.#open();
    if (pattern !== undefined) checkPattern(pattern);
    return translated(() => native.memoryCacheKeys(handle, pattern));
  }

  *entries() {
    for (const key of this.keys()) {
      const value = this.#reads.receive(native.peek(this.#handle, key));
      if (value !== MISSING) yield/** @type {[string, any]} */ ([key, value]);
    }
  }

  /** @param {string} pattern */
  deletePattern(pattern) {
    const handle = this.#open();
    checkPattern(pattern);
    const deleted = translated(() => native.memoryCacheDeletePattern(handle, pattern));
    this.#changed();
    return deleted;
  }

  /** @param {string | string[]} tags */
  invalidateTags(tags) {
    const handle = this.#open();
    const deleted = native.memoryCacheInvalidateTags(handle, tagList(typeof tags === 'string' ? [tags] : tags, 'tags'));
    this.#changed();
    return deleted;
  }

  clear() {
    native.memoryCacheClear(this.#open());
    this.#near?.clear();
    this.#changed();
  }

  /**
   * @param {string} key
   * @param {(key: string) => any} loader
   * @param {unknown} [options]
   */
  async getOrSet(key, loader, options) {
    checkKey(key);
    if (typeof loader !== 'function') throw invalidArgType('a function', 'loader', loader);
    const life = lifetime(options);
    const entry = this.#near?.find(key);
    if (entry !== undefined) return entry.value;
    const value = this.#read(key);
    if (value !== MISSING) return value;
    const { promise, joined } = this.#loads.load(key, loader, life, {
      receive: (answer) => this.#reads.receive(answer),
      settled: () => this.#changed(),
    });
    // Callers that share a load would share its object.
    return joined && this.#clone ? this.#codec.copy(await promise) : promise;
  }

  /** @param {string} key */
  getBytes(key) {
    const answer = native.getBytes(this.#handle, checkKey(key));
    if (typeof answer === 'object') return answer;
    if (checkOpen(answer) !== ANSWER.OTHER) return undefined;
    const value = this.peek(key);
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    return text === undefined ? undefined : Buffer.from(text);
  }

  /** @param {unknown} options */
  resize(options) {
    const handle = this.#open();
    const { maxEntries, maxBytes, near, compressFrom } = resizeOptions(options);
    if (maxEntries !== undefined || maxBytes !== undefined) native.memoryCacheResize(handle, maxEntries, maxBytes);
    if (near !== undefined) this.#near?.resize(near);
    if (compressFrom !== undefined) native.memoryCacheCompressFrom(handle, compressFrom);
    this.#changed();
  }

  /** @param {number} bytes */
  evict(bytes) {
    const handle = this.#open();
    if (typeof bytes !== 'number') throw invalidArgType('a non-negative number', 'bytes', bytes);
    if (!(bytes >= 0)) throw outOfRange('a non-negative number', 'bytes', bytes);
    const freed = native.memoryCacheEvict(handle, Math.min(bytes, Number.MAX_SAFE_INTEGER));
    this.#changed();
    return freed;
  }

  get stats() {
    const handle = this.#open();
    this.#near?.report();
    return memoryCacheStats(native.memoryCacheStats(handle), this.#near);
  }

  validate() {
    const handle = this.#open();
    translated(() => native.memoryCacheValidate(handle));
  }

  close() {
    if (this.closed) return;
    const handle = this.#handle;
    this.#handle = NO_HANDLE;
    for (const values of this.#lent) values.close();
    this.#near?.report();
    this.#near?.clear();
    this.#near = undefined;
    this.#reads = new NativeReads(NO_HANDLE, this.#codec);
    this.#events.end();
    collected.unregister(this);
    this.#unwatch();
    native.closeMemoryCache(handle);
  }

  /** What has to happen after every change. */
  #changed() {
    if (this.#events.active) this.#events.deliver();
  }

  /** The handle, if it is open. */
  #open() {
    if (this.#handle === NO_HANDLE) throw new HotpathClosedError('The cache is closed');
    return this.#handle;
  }

  [LISTENERS_CHANGED]() {
    this.#events.listen();
  }
}

makeListening(MemoryCache);

/** What monitors are told. Stands apart from every cache, which it must not hold. @param {MemoryCache} cache */
function statsOf(cache) {
  return cache.stats;
}

/**
 * @param {number} handle
 * @param {Codec} codec
 * @returns {import('./event-delivery.js').EventSource}
 */
function memoryEvents(handle, codec) {
  return {
    subscription: handle,
    width: 4,
    listen: (mask) => native.memoryCacheListen(handle, mask),
    take: () => native.memoryCacheTakeEvents(handle),
    values: (name, events, index) =>
      name === 'clear' ? [] : [events[index + 1], codec.decodeAlone(events[index + 2], events[index + 3])],
  };
}

addAliases(MemoryCache, {
  put: 'set',
  del: 'delete',
  mset: 'setMany',
  [Symbol.iterator]: 'entries',
  [DISPOSE]: 'close',
});

module.exports = { MemoryCache, SET_PLAIN };
