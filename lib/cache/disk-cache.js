'use strict';

// The disk cache: a handle on a native engine, which all handles on a directory share.
//
// Small values are read on the caller's thread, straight from the memory map; large ones, and all writes, on native
// threads.

const { EventEmitter } = require('node:events');
const { Readable } = require('node:stream');
const native = require('../native.js');
const environment = require('../environment.js');
const { ASYNC_DISPOSE, addAliases } = require('../aliases.js');
const { HotpathClosedError, outOfRange } = require('../errors.js');
const { LISTENERS_CHANGED, makeListening } = require('../listening.js');
const { translate, translated } = require('../native-errors.js');
const { watchService } = require('../services.js');
const { addProperty } = require('../own-property.js');
const { Codec, KIND } = require('./codec.js');
const { diskCacheOptions } = require('./disk-options.js');
const { piecesOf, readerStream, writeStream } = require('./disk-streams.js');
const { encodedEntries } = require('./encoded-entries.js');
const { EventDelivery } = require('./event-delivery.js');
const { DECODE, TIER } = require('./internal.js');
const { checkAmount, checkKey, checkKeys, checkPattern, lifetime, pairsOf } = require('./memory-arguments.js');
const { ANSWER, MISSING, NativeReads, checkOpen } = require('./native-reads.js');

const { pending, header, scratchDoubles, WORD } = environment;

/** The number of no handle. */
const NO_HANDLE = 0xffff_ffff;

/** What may be said about the life of an entry here. */
const LIFE = Object.freeze(['ttlMs']);

// Kinds of values that are their bytes, as stored.
/** @type {readonly number[]} */
const RAW = Object.freeze([KIND.BUFFER, KIND.BYTES, KIND.UTF8]);

/** Ends the native handles of caches that were dropped without being closed. */
const collected = new FinalizationRegistry((/** @type {{ handle: number, subscription: number }} */ held) => {
  environment.subscribers.delete(held.subscription);
  native.collectDiskCache(held.handle);
});

class DiskCache extends EventEmitter {
  #handle;
  #name;
  #directory;
  #codec;
  #reads;
  #events;
  #unwatch;
  /** @type {Promise<void> | undefined} */
  #closing;

  /** @param {unknown} options */
  constructor(options) {
    super();
    const checked = diskCacheOptions(options);
    const subscription = environment.nextSubscription();
    const handle = translated(() => native.openDiskCache(checked, subscription));
    this.#handle = handle;
    this.#name = checked.name;
    this.#directory = checked.directory;
    this.#codec = new Codec({
      load: () => translated(() => native.loadDiskDictionary(handle)) ?? undefined,
      version: () => translated(() => native.diskDictionaryVersion(handle)),
      save: (document, expected) => translated(() => native.saveDiskDictionary(handle, document, expected)),
    });
    this.#reads = new NativeReads(handle, this.#codec);
    this.#events = new EventDelivery(this, {
      subscription,
      width: 3,
      listen: (mask) => native.diskCacheListen(handle, mask),
      take: () => native.diskCacheTakeEvents(handle),
      values: (name, events, index) => (name === 'clear' ? [] : [events[index + 1], events[index + 2]]),
    });
    collected.register(this, { handle, subscription }, this);
    this.#unwatch = watchService('disk-cache', checked.name, this, (/** @type {DiskCache} */ cache) => cache.stats);
  }

  get name() {
    return this.#name;
  }

  get directory() {
    return this.#directory;
  }

  get closed() {
    return this.#handle === NO_HANDLE;
  }

  get size() {
    return translated(() => native.diskCacheSize(this.#open()));
  }

  /** @param {string} key */
  async get(key) {
    const answer = this.#look(key);
    if (answer !== ANSWER.OTHER) return this.#receive(answer);
    return pending(
      (operation) => native.diskLoad(this.#handle, key, operation),
      (value, kind) => (value === undefined ? undefined : this.#codec.decodeAlone(kind, value)),
    );
  }

  /** @param {string} key */
  getSync(key) {
    const answer = this.#look(key);
    if (answer === ANSWER.OTHER) throw outOfRange('the key of a value that is not kept in a file', 'key', key);
    return this.#receive(answer);
  }

  /** @param {string} key */
  #look(key) {
    checkKey(key);
    try {
      return native.diskGet(this.#handle, key);
    } catch (error) {
      throw translate(error);
    }
  }

  /** @param {any} answer */
  #receive(answer) {
    const value = this.#reads.receive(answer);
    return value === MISSING ? undefined : value;
  }

  /** @param {string} key */
  async has(key) {
    checkKey(key);
    return checkOpen(translated(() => native.diskHas(this.#handle, key))) === 1;
  }

  /** @param {string} key */
  async getTtl(key) {
    checkKey(key);
    const remaining = checkOpen(translated(() => native.diskGetTtl(this.#handle, key)));
    return remaining === ANSWER.MISS ? undefined : remaining;
  }

  /** @param {string[]} keys */
  async getMany(keys) {
    this.#open();
    return Promise.all(checkKeys(keys).map((key) => this.get(key)));
  }

  /** @param {string[]} keys */
  async mget(keys) {
    this.#open();
    // The caller's array may change until large values are here.
    const asked = [...checkKeys(keys)];
    const values = await Promise.all(asked.map((key) => this.#getOr(key)));
    /** @type {Record<string, any>} */
    const hits = {};
    asked.forEach((key, index) => {
      if (values[index] !== MISSING) addProperty(hits, key, values[index]);
    });
    return hits;
  }

  /** The value of a key, or MISSING. @param {string} key */
  async #getOr(key) {
    const answer = this.#look(key);
    if (answer !== ANSWER.OTHER) return this.#reads.receive(answer);
    return pending(
      (operation) => native.diskLoad(this.#handle, key, operation),
      (value, kind) => (value === undefined ? MISSING : this.#codec.decodeAlone(kind, value)),
    );
  }

  /**
   * @param {string} key
   * @param {any} value
   * @param {unknown} [ttl]
   * @returns {Promise<boolean>}
   */
  async set(key, value, ttl) {
    checkKey(key);
    this.#open();
    const { ttlMs } = lifetime(ttl, LIFE);
    const codec = this.#codec;
    const kind = codec.encode(value);
    const { payload, start, end } = codec;
    codec.payload = undefined;
    return pending((operation) => native.diskSet(this.#handle, key, kind, payload, start, end, ttlMs, operation));
  }

  /**
   * @param {any} entries an object, a Map or any iterable of pairs
   * @param {unknown} [ttl]
   * @returns {Promise<number>}
   */
  async setMany(entries, ttl) {
    this.#open();
    const { ttlMs } = lifetime(ttl, LIFE);
    const encoded = encodedEntries(pairsOf(entries), this.#codec);
    const stored = await Promise.all(
      encoded.map((key, kind, payload, start, end) =>
        pending((operation) => native.diskSet(this.#handle, key, kind, payload, start, end, ttlMs, operation)),
      ),
    );
    return stored.filter(Boolean).length;
  }

  /** @param {string} key @returns {Promise<boolean>} */
  async delete(key) {
    checkKey(key);
    return pending((operation) => native.diskDelete(this.#handle, key, operation));
  }

  /** @param {string[]} keys @returns {Promise<number>} */
  async deleteMany(keys) {
    this.#open();
    const deleted = await Promise.all(checkKeys(keys).map((key) => this.delete(key)));
    return deleted.filter(Boolean).length;
  }

  /** @param {string} key @param {unknown} [ttl] @returns {Promise<boolean>} */
  async touch(key, ttl) {
    checkKey(key);
    const { ttlMs } = lifetime(ttl, LIFE);
    return pending((operation) => native.diskTouch(this.#handle, key, ttlMs, operation));
  }

  /** @param {string} key @param {number} [by] @param {unknown} [ttl] @returns {Promise<number>} */
  async increment(key, by = 1, ttl) {
    checkKey(key);
    checkAmount(by);
    const { ttlMs } = lifetime(ttl, LIFE);
    return pending((operation) => native.diskIncrement(this.#handle, key, by, ttlMs, operation));
  }

  /**
   * @param {string} key
   * @param {any} source
   * @param {unknown} [ttl]
   */
  async setStream(key, source, ttl) {
    checkKey(key);
    const { ttlMs } = lifetime(ttl, LIFE);
    const handle = this.#open();
    return writeStream(() => translated(() => native.diskOpenWriter(handle, key)), source, ttlMs);
  }

  /** @param {string} key @returns {Promise<Readable | undefined>} */
  async getStream(key) {
    checkKey(key);
    const answer = translated(() => native.diskOpenReader(this.#handle, key));
    if (answer !== ANSWER.OTHER) {
      const value = this.#reads.receive(answer);
      return value === MISSING ? undefined : Readable.from(piecesOf(asBytes(value)), { objectMode: false });
    }
    const [reader] = scratchDoubles;
    if (RAW.includes(header[WORD.KIND])) return readerStream(reader);
    native.diskCloseReader(reader);
    const value = await this.#getOr(key);
    return value === MISSING ? undefined : Readable.from(piecesOf(asBytes(value)), { objectMode: false });
  }

  /** @param {string} [pattern] @returns {Promise<string[]>} */
  async keys(pattern) {
    if (pattern !== undefined) checkPattern(pattern);
    return pending((operation) => native.diskCacheKeys(this.#handle, pattern, operation));
  }

  /** @param {string} pattern @returns {Promise<number>} */
  async deletePattern(pattern) {
    checkPattern(pattern);
    return pending((operation) => native.diskCacheDeletePattern(this.#handle, pattern, operation));
  }

  /** @returns {Promise<void>} */
  async clear() {
    return pending((operation) => native.diskCacheClear(this.#handle, operation));
  }

  async compact() {
    const [entries, files, bytes] = await pending((operation) => native.diskCacheCompact(this.#handle, operation));
    return { entries, files, bytes };
  }

  /** @returns {Promise<void>} */
  async validate() {
    return pending((operation) => native.diskCacheValidate(this.#handle, operation));
  }

  /** What native code knows the cache as. */
  [TIER]() {
    return { kind: 'disk', handle: this.#open() };
  }

  /** @param {number} kind @param {any} payload */
  [DECODE](kind, payload) {
    return this.#codec.decodeAlone(kind, payload);
  }

  get stats() {
    const stats = translated(() => native.diskCacheStats(this.#open()));
    const reads = stats.hits + stats.misses;
    return { ...stats, hitRatio: reads === 0 ? 0 : stats.hits / reads };
  }

  /** @returns {Promise<void>} */
  close() {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #end() {
    const handle = this.#handle;
    this.#handle = NO_HANDLE;
    this.#reads = new NativeReads(NO_HANDLE, this.#codec);
    this.#events.end();
    this.#unwatch();
    collected.unregister(this);
    await pending((operation) => native.closeDiskCache(handle, operation));
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

makeListening(DiskCache);

/** A value as bytes: those of bytes and text, else of its JSON. @param {any} value @returns {string | Uint8Array} */
function asBytes(value) {
  if (typeof value === 'string' || value instanceof Uint8Array) return value;
  return JSON.stringify(value) ?? '';
}

addAliases(DiskCache, { put: 'set', del: 'delete', mset: 'setMany', [ASYNC_DISPOSE]: 'close' });

module.exports = { DiskCache };
