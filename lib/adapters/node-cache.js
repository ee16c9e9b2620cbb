'use strict';

// A drop-in for the npm package node-cache: its methods, events, errors and statistics, on the native engine.
//
// The index of keys is JavaScript's, because callers can see it at once in every event and count: each entry holds its
// deadline and size, and the value where the engine does not (see node-cache-values.js).

// Not the global one, which applications for browsers take away.
const { Buffer } = require('node:buffer');
const { EventEmitter } = require('node:events');
const { addAliases } = require('../aliases.js');
const { NodeCacheValues } = require('./node-cache-values.js');
const { nodeCacheError } = require('./node-cache-errors.js');
const { inPropertyOrder } = require('./property-order.js');

const DEFAULTS = {
  forceString: false,
  objectValueSize: 80,
  promiseValueSize: 80,
  arrayValueSize: 40,
  stdTTL: 0,
  checkperiod: 600,
  useClones: true,
  deleteOnExpire: true,
  enableLegacyCallbacks: false,
  maxKeys: -1,
};

/** What node-cache counts for a number or a boolean. */
const SCALAR_SIZE = 8;

/** Methods that code written for a class instance may pass around without it. */
const METHODS = [
  ...['get', 'mget', 'set', 'fetch', 'mset', 'del', 'take', 'ttl', 'getTtl', 'keys', 'has', 'getStats'],
  ...['flushAll', 'flushStats', 'close', 'put', 'delete'],
];
const CALLBACK_METHODS = ['get', 'mget', 'set', 'put', 'del', 'delete', 'ttl', 'getTtl', 'keys', 'has'];

/**
 * @typedef {object} Entry
 * @property {number} t deadline in milliseconds since 1970, 0 for none
 * @property {any} v
 * @property {number} size as node-cache estimates it
 */

class NodeCache extends EventEmitter {
  /** @type {Map<string, Entry>} */
  #entries = new Map();
  #values;
  /** @type {NodeJS.Timeout | undefined} */
  #check;

  /** @param {Partial<typeof DEFAULTS>} [options] */
  constructor(options = {}) {
    super();
    this.options = { ...DEFAULTS, ...options };
    this.#values = new NodeCacheValues(this.options.useClones);
    this.stats = zeroStats();
    bindMethods(this, this.options.enableLegacyCallbacks);
    this.#scheduleCheck();
  }

  /** What the cache holds, copied: for looking at, not for changing. Costs a walk over all entries. */
  get data() {
    /** @type {Record<string, { t: number, v: any }>} */
    const data = {};
    for (const [key, { t, v }] of this.#entries) data[key] = { t, v: this.#values.read(key, v) };
    return data;
  }

  /** @param {string | number} key */
  get(key) {
    const name = checkKey(key);
    const entry = this.#find(key, name);
    if (entry === undefined) {
      this.stats.misses++;
      return undefined;
    }
    this.stats.hits++;
    return this.#read(name, entry);
  }

  /** @param {(string | number)[]} keys */
  mget(keys) {
    if (!Array.isArray(keys)) throw nodeCacheError('EKEYSTYPE');
    /** @type {Record<string, any>} */
    const hits = {};
    for (const key of keys) {
      const name = checkKey(key);
      const entry = this.#find(key, name);
      if (entry === undefined) {
        this.stats.misses++;
      } else {
        this.stats.hits++;
        hits[name] = this.#read(name, entry);
      }
    }
    return hits;
  }

  /**
   * @param {string | number} key
   * @param {any} given
   * @param {number | string} [ttl] seconds
   */
  set(key, given, ttl) {
    const value = this.options.forceString && typeof given !== 'string' ? JSON.stringify(given) : given;
    const name = checkKey(key);
    const deadline = this.#deadline(ttl);
    const previous = this.#entries.get(name);
    if (previous === undefined && this.#isFull(1)) throw nodeCacheError('ECACHEFULL');
    const size = this.#sizeOf(value);
    const v = this.#values.store(name, value);
    if (previous === undefined) {
      this.#entries.set(name, { t: deadline, v, size });
      this.stats.ksize += name.length;
      this.stats.keys++;
      this.stats.vsize += size;
    } else {
      // A value that the engine has just replaced is gone already; one that it held before, and does not now, is not.
      if (previous.v !== v) this.#values.delete(name, previous.v);
      this.stats.vsize += size - previous.size;
      previous.t = deadline;
      previous.v = v;
      previous.size = size;
    }
    this.emit('set', key, value);
    return true;
  }

  /**
   * The value of a key, or else the one given here, which is stored.
   * @param {string | number} key
   * @param {any} ttl seconds; may be left out
   * @param {any} [value] or a function that makes it
   */
  fetch(key, ttl, value) {
    if (this.has(key)) return this.get(key);
    const [source, seconds] = value === undefined ? [ttl, undefined] : [value, ttl];
    const made = typeof source === 'function' ? source() : source;
    this.set(key, made, seconds);
    return made;
  }

  /** @param {{ key: string | number, val: any, ttl?: number }[]} entries */
  mset(entries) {
    for (const { key, ttl } of entries) {
      if (ttl && typeof ttl !== 'number') throw nodeCacheError('ETTLTYPE');
      checkKey(key);
    }
    const added = new Set(entries.map(({ key }) => `${key}`).filter((name) => !this.#entries.has(name)));
    if (this.#isFull(added.size)) throw nodeCacheError('ECACHEFULL');
    for (const { key, val, ttl } of entries) this.set(key, val, ttl);
    return true;
  }

  /** @param {string | number | (string | number)[]} keys */
  del(keys) {
    let deleted = 0;
    for (const key of Array.isArray(keys) ? keys : [keys]) {
      const name = checkKey(key);
      const entry = this.#entries.get(name);
      if (entry !== undefined) {
        this.#remove(key, name, entry);
        deleted++;
      }
    }
    return deleted;
  }

  /** @param {string | number} key */
  take(key) {
    const value = this.get(key);
    if (value !== undefined && value !== null) this.del(key);
    return value;
  }

  /**
   * @param {string | number} key
   * @param {number} [ttl] seconds; the standard one by default, a negative one deletes
   */
  ttl(key, ttl) {
    if (!key) return false;
    const name = checkKey(key);
    const entry = this.#find(key, name);
    if (entry === undefined) return false;
    const seconds = ttl || this.options.stdTTL;
    if (seconds >= 0) entry.t = this.#deadline(seconds);
    else this.#remove(key, name, entry);
    return true;
  }

  /** @param {string | number} key */
  getTtl(key) {
    return key ? this.#find(key, checkKey(key))?.t : undefined;
  }

  keys() {
    return inPropertyOrder([...this.#entries.keys()]);
  }

  /** @param {string | number} key */
  has(key) {
    return this.#find(key, `${key}`) !== undefined;
  }

  getStats() {
    return this.stats;
  }

  /** @param {boolean} [check] whether the periodic check goes on */
  flushAll(check = true) {
    this.#entries.clear();
    this.#values.clear();
    this.stats = zeroStats();
    this.close();
    if (check) this.#scheduleCheck();
    this.emit('flush');
  }

  flushStats() {
    this.stats = zeroStats();
    this.emit('flush_stats');
  }

  /** Ends the periodic check. The cache can still be used. */
  close() {
    clearTimeout(this.#check);
    this.#check = undefined;
  }

  [Symbol.dispose ?? Symbol.for('nodejs.dispose')]() {
    this.close();
  }

  /** @param {boolean} [check] whether another check is to follow */
  _checkData(check = true) {
    const now = Date.now();
    const due = [];
    for (const [name, entry] of this.#entries) if (isOver(entry, now)) due.push(name);
    for (const name of inPropertyOrder(due)) {
      const entry = this.#entries.get(name);
      // A listener may have taken it, or set it anew.
      if (entry !== undefined && isOver(entry, now)) this.#expire(name, name, entry);
    }
    if (check) this.#scheduleCheck();
  }

  _killCheckPeriod() {
    this.close();
  }

  #scheduleCheck() {
    const { checkperiod } = this.options;
    if (checkperiod > 0) this.#check = setTimeout(() => this._checkData(), checkperiod * 1000).unref();
  }

  /**
   * The entry of a key, unless it expires on being asked for.
   * @param {string | number} key as the caller gave it, and events show it
   * @param {string} name
   */
  #find(key, name) {
    const entry = this.#entries.get(name);
    if (entry === undefined || !isOver(entry, Date.now())) return entry;
    this.#expire(key, name, entry);
    return this.options.deleteOnExpire ? undefined : entry;
  }

  /** As node-cache has it, what was set as undefined comes back as null. @param {string} name @param {Entry} entry */
  #read(name, { v }) {
    return this.#values.read(name, v) ?? null;
  }

  /** @param {string | number} key @param {string} name @param {Entry} entry */
  #expire(key, name, entry) {
    const value = this.listenerCount('expired') > 0 ? this.#read(name, entry) : undefined;
    if (this.options.deleteOnExpire) this.#remove(key, name, entry);
    this.emit('expired', key, value);
  }

  /** @param {string | number} key as the caller gave it @param {string} name @param {Entry} entry */
  #remove(key, name, entry) {
    const value = this.listenerCount('del') > 0 ? this.#values.read(name, entry.v) : undefined;
    this.#entries.delete(name);
    this.#values.delete(name, entry.v);
    this.stats.vsize -= entry.size;
    this.stats.ksize -= name.length;
    this.stats.keys--;
    this.emit('del', key, value);
  }

  /** @param {number} added */
  #isFull(added) {
    const { maxKeys } = this.options;
    return maxKeys > -1 && added > 0 && this.#entries.size + added > maxKeys;
  }

  /** @param {number | string | null} [ttl] seconds */
  #deadline(ttl) {
    const isGiven = Boolean(ttl) || ttl === 0;
    // A standard ttl that is none, such as a setting left out, means for ever.
    const seconds = isGiven ? Number(ttl) : Number(this.options.stdTTL) || 0;
    if (Number.isNaN(seconds)) throw nodeCacheError('ETTLTYPE');
    return seconds === 0 ? 0 : Date.now() + seconds * 1000;
  }

  /** node-cache's estimate of a value's bytes. @param {any} value */
  #sizeOf(value) {
    const { arrayValueSize, promiseValueSize, objectValueSize } = this.options;
    if (typeof value === 'string') return value.length;
    if (typeof value === 'number' || typeof value === 'boolean') return SCALAR_SIZE;
    if (Array.isArray(value)) return arrayValueSize * value.length;
    if (typeof value?.then === 'function') return promiseValueSize;
    if (Buffer.isBuffer(value)) return value.length;
    return typeof value === 'object' && value !== null ? objectValueSize * Object.keys(value).length : 0;
  }
}

/** @param {Record<string, any>} cache @param {boolean} callbacks whether a last argument may be a callback */
function bindMethods(cache, callbacks) {
  for (const method of METHODS) cache[method] = cache[method].bind(cache);
  if (callbacks) for (const method of CALLBACK_METHODS) cache[method] = withCallback(cache[method]);
}

/** @param {Entry} entry @param {number} now */
function isOver({ t }, now) {
  return t !== 0 && t < now;
}

function zeroStats() {
  return { hits: 0, misses: 0, keys: 0, ksize: 0, vsize: 0 };
}

/** @param {unknown} key */
function checkKey(key) {
  if (typeof key === 'string') return key;
  if (typeof key === 'number') return `${key}`;
  throw nodeCacheError('EKEYTYPE', { type: typeof key });
}

/**
 * node-cache's older style: a last argument that is a function gets the outcome.
 * @param {(...args: any[]) => any} method
 */
function withCallback(method) {
  return (/** @type {any[]} */ ...args) => {
    const callback = args.at(-1);
    if (typeof callback !== 'function') return method(...args);
    let result;
    try {
      result = method(...args.slice(0, -1));
    } catch (error) {
      return callback(error);
    }
    callback(null, result);
  };
}

addAliases(NodeCache, { put: 'set', delete: 'del' });

module.exports = { NodeCache };
