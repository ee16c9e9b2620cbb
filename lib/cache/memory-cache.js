'use strict';

// The memory cache: a handle on a native engine, with a near cache in front of it.
//
// Reads that the near cache cannot answer cross into native code once; the answer is a string, or a status with the
// encoded value in shared memory. Everything here runs on the caller's thread and takes no timer.

const { EventEmitter } = require('node:events');
const native = require('../native.js');
const environment = require('../environment.js');
const { HotpathClosedError, HotpathConflictError, HotpathValueError, invalidArgType, outOfRange } = require('../errors.js');
const { Codec, KIND } = require('./codec.js');
const { EventDelivery } = require('./event-delivery.js');
const { Loads } = require('./loads.js');
const { lifetime, memoryCacheOptions, resizeOptions, tagList } = require('./memory-options.js');
const { NearCache } = require('./near-cache.js');

const { BATCH, WORD, header, scratch, scratchDoubles } = environment;

/** Answers of the native side that are no values. */
const HIT = 0;
const MISS = -1;
const CLOSED = -2;
const OTHER = -3;

/** Nothing there, where `undefined` would be a value. */
const MISSING = Symbol('missing');

/** The number of no handle. */
const NO_HANDLE = 0xffff_ffff;

const LIFETIME_OPTIONS = Object.freeze(['ttlMs', 'idleMs']);

/** Ends the native handles of caches that were dropped without being closed. */
const collected = new FinalizationRegistry((/** @type {number} */ handle) => {
  environment.subscribers.delete(handle);
  native.collectMemoryCache(handle);
});

/** @param {unknown} key @returns {string} */
function checkKey(key) {
  if (typeof key !== 'string') throw invalidArgType('a string', 'key', key);
  return key;
}

/** @param {unknown} keys @returns {string[]} */
function checkKeys(keys) {
  if (!Array.isArray(keys)) throw invalidArgType('an array of strings', 'keys', keys);
  for (let index = 0; index < keys.length; index++) {
    if (typeof keys[index] !== 'string') throw invalidArgType('a string', `keys[${index}]`, keys[index]);
  }
  return keys;
}

class MemoryCache extends EventEmitter {
  #handle;
  #name;
  #clone;
  /** @type {Codec} */
  #codec;
  /** @type {NearCache | undefined} */
  #near;
  /** @type {Loads} */
  #loads;
  /** @type {EventDelivery} */
  #events;

  /** @param {unknown} [options] */
  constructor(options) {
    super();
    const checked = memoryCacheOptions(options);
    this.#handle = open(checked.native);
    this.#name = checked.native.name;
    this.#clone = checked.clone;
    const handle = this.#handle;
    this.#codec = new Codec({
      load: () => native.loadDictionary(handle) ?? undefined,
      version: () => native.dictionaryVersion(handle),
      save: (document, expected) => native.saveDictionary(handle, document, expected),
    });
    // Without the clock of the native side nothing that expires could be trusted, and where one kind of native memory
    // cannot be mapped the other cannot either.
    if (checked.nearCache !== undefined && environment.clock !== undefined) {
      const versions = native.versionWords(handle);
      if (versions !== null) this.#near = new NearCache(handle, new Int32Array(versions), checked.nearCache);
    }
    this.#loads = new Loads(handle, this.#codec, { shared: this.#name !== undefined });
    this.#events = new EventDelivery(this, handle, this.#codec);
    collected.register(this, handle, this);
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
    const near = this.#near;
    if (near !== undefined) {
      const entry = near.find(key);
      if (entry !== undefined) return entry.value;
    }
    const value = this.#read(key);
    return value === MISSING ? undefined : value;
  }

  /** Reads a value from the engine, and keeps it near. @param {string} key */
  #read(key) {
    const answer = native.get(this.#handle, checkKey(key));
    const value = this.#receive(answer);
    const near = this.#near;
    if (near === undefined) return value;
    if (value === MISSING) near.forget(key);
    else if (this.#mayShare(value)) near.fill(key, value, 0);
    near.reportIfDue();
    return value;
  }

  /** A value that is handed out again must not be changed by those who got it. @param {any} value */
  #mayShare(value) {
    return !this.#clone || typeof value !== 'object' || value === null;
  }

  /** Makes a value of what a native read has answered. @param {any} answer */
  #receive(answer) {
    if (answer === HIT) {
      const kind = header[WORD.KIND];
      if (kind === KIND.NUMBER) return scratchDoubles[0];
      return this.#codec.decode(kind, scratch, 0, header[WORD.LENGTH]);
    }
    if (typeof answer === 'string') return answer;
    if (answer === MISS) return MISSING;
    if (answer === CLOSED) throw this.#closedError();
    return this.#codec.decodeOwned(header[WORD.KIND], answer);
  }

  /** @param {string} key */
  peek(key) {
    const value = this.#receive(native.peek(this.#handle, checkKey(key)));
    return value === MISSING ? undefined : value;
  }

  /** @param {string} key */
  has(key) {
    return this.#status(native.has(this.#handle, checkKey(key))) === 1;
  }

  /**
   * @param {string} key
   * @param {any} value
   * @param {unknown} [ttl]
   */
  set(key, value, ttl) {
    return this.#write(checkKey(key), value, lifetime(ttl, 'ttl'));
  }

  /**
   * @param {string} key
   * @param {any} value
   * @param {import('./memory-options.js').Lifetime} life
   */
  #write(key, value, { ttlMs, idleMs, tags }) {
    const codec = this.#codec;
    const kind = codec.encode(value);
    const { payload, start, end } = codec;
    const stored = native.set(this.#handle, key, kind, payload, start, end, ttlMs, idleMs, tags);
    codec.payload = undefined;
    this.#changed();
    return this.#status(stored) === 1;
  }

  /** @param {string} key */
  delete(key) {
    const deleted = this.#status(native.delete(this.#handle, checkKey(key)));
    if (deleted === 1) {
      this.#near?.forget(key);
      this.#changed();
    }
    return deleted === 1;
  }

  /** @param {string} key */
  take(key) {
    const value = this.#receive(native.take(this.#handle, checkKey(key)));
    this.#near?.forget(key);
    this.#changed();
    return value === MISSING ? undefined : value;
  }

  /** @param {string[]} keys */
  getMany(keys) {
    return this.#readMany(checkKeys(keys)).map((value) => (value === MISSING ? undefined : value));
  }

  /** @param {string[]} keys */
  mget(keys) {
    /** @type {Record<string, any>} */
    const hits = {};
    const values = this.#readMany(checkKeys(keys));
    for (let index = 0; index < keys.length; index++) {
      if (values[index] !== MISSING) define(hits, keys[index], values[index]);
    }
    return hits;
  }

  /** @param {string[]} keys @returns {any[]} */
  #readMany(keys) {
    this.#open();
    const near = this.#near;
    const values = new Array(keys.length);
    if (near === undefined) {
      this.#readBatches(keys, (index, value) => {
        values[index] = value;
      });
      return values;
    }
    /** @type {string[]} */
    const missing = [];
    /** @type {number[]} */
    const places = [];
    for (let index = 0; index < keys.length; index++) {
      const entry = near.find(keys[index]);
      if (entry !== undefined) {
        values[index] = entry.value;
      } else {
        missing.push(keys[index]);
        places.push(index);
      }
    }
    this.#readBatches(missing, (index, value, base) => {
      values[places[index]] = value;
      if (value === MISSING) near.forget(missing[index]);
      else if (base >= 0 && this.#mayShare(value)) near.fill(missing[index], value, base);
    });
    near.reportIfDue();
    return values;
  }

  /**
   * Reads many keys with few crossings: native code describes as many values as fit into the shared memory.
   * @param {string[]} keys
   * @param {(index: number, value: any, base: number) => void} accept
   */
  #readBatches(keys, accept) {
    for (let from = 0; from < keys.length; ) {
      const done = this.#status(native.getMany(this.#handle, keys, from));
      for (let entry = 0; entry < done; entry++) {
        const base = entry * WORD.COUNT;
        const kind = header[base + WORD.KIND];
        if (kind === OTHER) continue;
        const start = header[base + WORD.START];
        const value = kind === MISS ? MISSING : this.#decodeAt(kind, start, start + header[base + WORD.LENGTH]);
        accept(from + entry, value, base);
      }
      const tooLarge = done === 1 && header[WORD.KIND] === OTHER;
      // Alone in its batch, so that nothing else waits in the shared memory meanwhile.
      if (tooLarge) accept(from, this.#receive(native.get(this.#handle, keys[from])), -1);
      from += done;
    }
  }

  /** @param {number} kind @param {number} start @param {number} end */
  #decodeAt(kind, start, end) {
    switch (kind) {
      case KIND.NUMBER:
        return scratch.readDoubleLE(start);
      case KIND.STRING:
        return scratch.latin1Slice(start, end);
      case KIND.UTF8:
        return scratch.utf8Slice(start, end);
      case KIND.UTF16:
        return scratch.ucs2Slice(start, end);
      default:
        return this.#codec.decode(kind, scratch, start, end);
    }
  }

  /**
   * @param {any} entries an object, a Map or any iterable of pairs
   * @param {unknown} [ttl]
   */
  setMany(entries, ttl) {
    this.#open();
    const life = lifetime(ttl, 'ttl');
    // All keys are checked before anything is stored.
    const pairs = pairsOf(entries);
    let stored = 0;
    for (const [key, value] of pairs) {
      if (this.#write(key, value, life)) stored++;
    }
    return stored;
  }

  /** @param {string[]} keys */
  deleteMany(keys) {
    this.#open();
    let deleted = 0;
    for (const key of checkKeys(keys)) {
      if (this.delete(key)) deleted++;
    }
    return deleted;
  }

  /**
   * @param {string} key
   * @param {unknown} [ttl]
   */
  touch(key, ttl) {
    const { ttlMs, idleMs } = lifetime(ttl, 'ttl', LIFETIME_OPTIONS);
    return this.#status(native.touch(this.#handle, checkKey(key), ttlMs, idleMs)) === 1;
  }

  /** @param {string} key */
  getTtl(key) {
    const remaining = native.getTtl(this.#handle, checkKey(key));
    if (remaining === MISS) return undefined;
    return this.#status(remaining);
  }

  /**
   * @param {string} key
   * @param {number} [by]
   * @param {unknown} [ttl]
   */
  increment(key, by = 1, ttl) {
    checkKey(key);
    if (typeof by !== 'number') throw invalidArgType('a finite number', 'by', by);
    if (!Number.isFinite(by)) throw outOfRange('a finite number', 'by', by);
    const { ttlMs, idleMs, tags } = lifetime(ttl, 'ttl');
    let answer;
    try {
      answer = native.increment(this.#handle, key, by, ttlMs, idleMs, tags);
    } catch (error) {
      throw translate(error);
    }
    this.#status(answer);
    const sum = scratchDoubles[0];
    this.#changed();
    return sum;
  }

  /** @param {string} [pattern] */
  keys(pattern) {
    const handle = this.#open();
    if (pattern !== undefined && typeof pattern !== 'string') throw invalidArgType('a string', 'pattern', pattern);
    return cold(() => native.memoryCacheKeys(handle, pattern));
  }

  *entries() {
    for (const key of this.keys()) {
      const value = this.#receive(native.peek(this.#handle, key));
      if (value !== MISSING) yield /** @type {[string, any]} */ ([key, value]);
    }
  }

  /** @param {string} pattern */
  deletePattern(pattern) {
    const handle = this.#open();
    if (typeof pattern !== 'string') throw invalidArgType('a string', 'pattern', pattern);
    const deleted = cold(() => native.memoryCacheDeletePattern(handle, pattern));
    this.#changed();
    return deleted;
  }

  /** @param {string | string[]} tags */
  invalidateTags(tags) {
    const handle = this.#open();
    const list = tagList(typeof tags === 'string' ? [tags] : tags, 'tags');
    const deleted = native.memoryCacheInvalidateTags(handle, list);
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
    const life = lifetime(options, 'options');
    const entry = this.#near?.find(key);
    if (entry !== undefined) return entry.value;
    const value = this.#read(key);
    if (value !== MISSING) return value;
    const { promise, joined } = this.#loads.load(key, loader, life, {
      receive: (answer) => this.#receive(answer),
      settled: () => this.#changed(),
    });
    // Callers that share a load would share its object.
    return joined && this.#clone ? this.#codec.copy(await promise) : promise;
  }

  /** @param {string} key */
  getBytes(key) {
    const answer = native.getBytes(this.#handle, checkKey(key));
    if (typeof answer === 'object') return answer;
    if (answer === OTHER) {
      const value = this.peek(key);
      const text = typeof value === 'string' ? value : JSON.stringify(value);
      return text === undefined ? undefined : Buffer.from(text);
    }
    this.#status(answer);
    return undefined;
  }

  /** @param {unknown} options */
  resize(options) {
    const handle = this.#open();
    const { maxEntries, maxBytes } = resizeOptions(options);
    native.memoryCacheResize(handle, maxEntries, maxBytes);
    this.#changed();
  }

  /** Gives up the coldest entries until so many bytes are free. @param {number} bytes */
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
    const { algorithm, packedEntries, packedOriginal, packedStored, ...stats } = native.memoryCacheStats(handle);
    const reads = stats.hits + stats.misses;
    return {
      ...stats,
      hitRatio: reads === 0 ? 0 : stats.hits / reads,
      nearEntries: this.#near?.size ?? 0,
      compression: {
        algorithm: algorithm ?? null,
        entries: packedEntries,
        originalBytes: packedOriginal,
        storedBytes: packedStored,
        ratio: packedOriginal === 0 ? 1 : packedStored / packedOriginal,
      },
    };
  }

  validate() {
    const handle = this.#open();
    cold(() => native.memoryCacheValidate(handle));
  }

  close() {
    if (this.closed) return;
    const handle = this.#handle;
    this.#handle = NO_HANDLE;
    this.#near?.clear();
    this.#near = undefined;
    this.#events.end();
    collected.unregister(this);
    native.closeMemoryCache(handle);
  }

  /** What has to happen after every change, whoever listens. */
  #changed() {
    if (this.#events.active) this.#events.deliver();
  }

  /** The handle, if it is open. */
  #open() {
    if (this.#handle === NO_HANDLE) throw this.#closedError();
    return this.#handle;
  }

  /** Passes a status on unless it says that the handle was closed. @param {number} answer */
  #status(answer) {
    if (answer === CLOSED) throw this.#closedError();
    return answer;
  }

  #closedError() {
    return new HotpathClosedError(this.#name === undefined ? 'The cache is closed' : `The cache ${JSON.stringify(this.#name)} is closed`);
  }

  /** @param {any[]} listener */
  on(...listener) {
    super.on(.../** @type {[any, any]} */ (listener));
    this.#events.listen();
    return this;
  }

  /** @param {any[]} listener */
  prependListener(...listener) {
    super.prependListener(.../** @type {[any, any]} */ (listener));
    this.#events.listen();
    return this;
  }

  /** @param {any[]} listener */
  removeListener(...listener) {
    super.removeListener(.../** @type {[any, any]} */ (listener));
    this.#events.listen();
    return this;
  }

  /** @param {any[]} event */
  removeAllListeners(...event) {
    super.removeAllListeners(...event);
    this.#events.listen();
    return this;
  }
}

/** @param {Record<string, any>} options */
function open(options) {
  return cold(() => native.openMemoryCache(options));
}

/**
 * Runs a native call and gives its errors their classes.
 * @template T
 * @param {() => T} call
 */
function cold(call) {
  try {
    return call();
  } catch (error) {
    throw translate(error);
  }
}

/** @param {any} error */
function translate(error) {
  switch (error?.code) {
    case HotpathConflictError.code: {
      const [, option, existing, requested] = /^Option (\S+) of .* is (.*), but (.*) was asked for$/s.exec(error.message) ?? [];
      return new HotpathConflictError(error.message, { option, existing, requested });
    }
    case HotpathValueError.code:
      return new HotpathValueError(error.message);
    case 'ERR_OUT_OF_RANGE':
      return Object.assign(new RangeError(error.message), { code: error.code });
    default:
      return error;
  }
}

/** Adds a property, also one called `__proto__`. @param {object} target @param {string} key @param {any} value */
function define(target, key, value) {
  Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
}

/** The pairs of an object, a Map or an iterable, with their keys checked. @param {any} entries @returns {[string, any][]} */
function pairsOf(entries) {
  if (typeof entries !== 'object' || entries === null) {
    throw invalidArgType('an object, a Map or an iterable of pairs', 'entries', entries);
  }
  if (typeof entries[Symbol.iterator] !== 'function') return Object.entries(entries);
  return Array.from(entries, (pair, index) => {
    if (!Array.isArray(pair)) throw invalidArgType('a pair of key and value', `entries[${index}]`, pair);
    if (typeof pair[0] !== 'string') throw invalidArgType('a string', `entries[${index}][0]`, pair[0]);
    return /** @type {[string, any]} */ (pair);
  });
}

// Other names of the same methods. EventEmitter's own aliases would bypass ours.
const aliases = {
  put: 'set',
  del: 'delete',
  mset: 'setMany',
  addListener: 'on',
  off: 'removeListener',
  [Symbol.iterator]: 'entries',
  [Symbol.dispose ?? Symbol.for('nodejs.dispose')]: 'close',
};
for (const alias of Reflect.ownKeys(aliases)) {
  const value = /** @type {any} */ (MemoryCache.prototype)[/** @type {any} */ (aliases)[alias]];
  Object.defineProperty(MemoryCache.prototype, alias, { value, writable: true, configurable: true });
}

module.exports = { MemoryCache };
