'use strict';

// The cache in Redis: a handle on a native engine that holds the connection. Values are encoded and decoded here; what
// is asked in one turn of the event loop travels together (redis-turn.js).

const { EventEmitter } = require('node:events');
const { performance } = require('node:perf_hooks');
const native = require('../native.js');
const environment = require('../environment.js');
const { ASYNC_DISPOSE, addAliases } = require('../aliases.js');
const { HotpathClosedError, invalidArgType } = require('../errors.js');
const { LISTENERS_CHANGED, makeListening } = require('../listening.js');
const { translate, translated } = require('../native-errors.js');
const { watchService } = require('../services.js');
const { addProperty } = require('../own-property.js');
const check = require('../validate.js');
const { eachJoined } = require('../joined-texts.js');
const { Codec, KIND, corrupt } = require('./codec.js');
const { StampedRecords } = require('./codec-stamped-records.js');
const { EncodedEntries } = require('./encoded-entries.js');
const { DECODE, TIER } = require('./internal.js');
const { checkAmount, checkKey, checkKeys, checkPattern, lifetime, pairsOf } = require('./memory-arguments.js');
const { RedisLease } = require('./redis-lease.js');
const { redisCacheOptions } = require('./redis-options.js');
const { EXPECT, MISSING, Turns } = require('./redis-turn.js');

/** The number of no handle. */
const NO_HANDLE = 0xffff_ffff;

/** What may be said about the life of an entry here. */
const LIFE = Object.freeze(['ttlMs']);

/** Ends the native handles of caches that were dropped without being closed. */
const collected = new FinalizationRegistry((/** @type {{ handle: number, subscription: number }} */ held) => {
  environment.subscribers.delete(held.subscription);
  native.collectRedisCache(held.handle);
});

class RedisCache extends EventEmitter {
  #handle;
  #name;
  #format;
  #records;
  #codec;
  #turns;
  #subscription;
  #listening = false;
  /** Called on wake-ups, and held by nobody else. */
  #delivery = { deliver: () => this.#tellChanges() };
  /** Walks over keys and leases under way. @type {Set<Promise<unknown>>} */
  #walks = new Set();
  #unwatch;
  /** @type {Promise<void> | undefined} */
  #closing;

  /** @param {unknown} [options] */
  constructor(options) {
    super();
    const { name, format, native: given } = redisCacheOptions(options);
    const handle = translated(() => native.openRedisCache(given));
    this.#handle = handle;
    this.#name = name;
    this.#format = format;
    const records = new StampedRecords({
      load: (number) => native.redisDictionary(handle, number),
      propose: (shape) => native.redisProposeShape(handle, shape),
    });
    this.#records = records;
    const codec = new Codec(records);
    this.#codec = codec;
    this.#turns = new Turns(
      handle,
      format === 'json' ? decodeJson : (...value) => decodeNative(codec, ...value),
      (version) => records.refresh(version),
    );
    this.#subscription = environment.nextSubscription();
    collected.register(this, { handle, subscription: this.#subscription }, this);
    this.#unwatch = watchService('redis-cache', name, this, (/** @type {RedisCache} */ cache) => cache.stats);
  }

  get name() {
    return this.#name;
  }

  get closed() {
    return this.#handle === NO_HANDLE;
  }

  /** @param {string} key */
  get(key) {
    return this.#ask(() => native.redisGet(this.#handle, checkKey(key)));
  }

  /** @param {string} key */
  getWithTtl(key) {
    return this.#ask(() => native.redisGetEntry(this.#handle, checkKey(key)), EXPECT.ENTRY);
  }

  /** @param {string} key */
  has(key) {
    return this.#ask(() => native.redisHas(this.#handle, checkKey(key)));
  }

  /** @param {string} key @param {any} value @param {unknown} [ttl] */
  set(key, value, ttl) {
    return this.#ask(() => {
      const { ttlMs } = lifetime(checkKeyThen(key, ttl), LIFE);
      this.#encode(value, (kind, payload, start, end, number, shapes) =>
        native.redisSet(this.#handle, key, kind, payload, start, end, number, shapes, ttlMs),
      );
    }, EXPECT.DONE);
  }

  /** @param {string} key */
  delete(key) {
    return this.#ask(() => native.redisDeleteMany(this.#named([checkKey(key)])), EXPECT.ANY);
  }

  /** @param {string} key */
  take(key) {
    return this.#ask(() => native.redisTakeKey(this.#handle, checkKey(key)));
  }

  /** @param {string[]} keys */
  getMany(keys) {
    return this.#readMany(keys, EXPECT.LIST);
  }

  /** @param {string[]} keys */
  mget(keys) {
    // The caller's array may change until the answer is here.
    const asked = Array.isArray(keys) ? [...keys] : keys;
    return this.#readMany(asked, EXPECT.HITS).then((values) => {
      /** @type {Record<string, any>} */
      const hits = {};
      for (let index = 0; index < asked.length; index++) {
        if (values[index] !== MISSING) addProperty(hits, asked[index], values[index]);
      }
      return hits;
    });
  }

  /** @param {string[]} keys @param {number} expect @returns {Promise<any[]>} */
  #readMany(keys, expect) {
    if (Array.isArray(keys) && keys.length === 0) return this.#nothing([]);
    return this.#ask(() => native.redisGetMany(this.#named(checkKeys(keys))), expect);
  }

  /** Names the keys of the bulk request that comes next. @param {string[]} keys @returns {number} the handle */
  #named(keys) {
    const handle = this.#handle;
    eachJoined(keys, (joined, count, from) => {
      native.redisName(handle, joined, count, from);
    });
    return handle;
  }

  /** @param {any} entries an object, a Map or any iterable of pairs @param {unknown} [ttl] */
  setMany(entries, ttl) {
    let count = 0;
    const asked = this.#prepare(() => {
      const { ttlMs } = lifetime(ttl, LIFE);
      const encoded = this.#encodedEntries(pairsOf(entries));
      count = encoded.count;
      const handle = this.#open();
      encoded.map((key, kind, payload, start, end, { number, shapes }) =>
        native.redisStage(handle, key, kind, payload, start, end, number, shapes),
      );
      if (count > 0) native.redisSetStaged(this.#handle, ttlMs);
    });
    if (asked !== undefined) return asked;
    return count === 0 ? this.#nothing(0) : this.#turns.answer(EXPECT.DONE).then(() => count);
  }

  /** @param {string[]} keys */
  deleteMany(keys) {
    if (Array.isArray(keys) && keys.length === 0) return this.#nothing(0);
    return this.#ask(() => native.redisDeleteMany(this.#named(checkKeys(keys))));
  }

  /** @param {string} key @param {unknown} [ttl] */
  touch(key, ttl) {
    return this.#ask(() => {
      const { ttlMs } = lifetime(checkKeyThen(key, ttl), LIFE);
      native.redisTouch(this.#handle, key, ttlMs);
    });
  }

  /** @param {string} key */
  getTtl(key) {
    return this.#ask(() => native.redisGetTtl(this.#handle, checkKey(key)));
  }

  /** @param {string} key @param {number} [by] @param {unknown} [ttl] */
  increment(key, by = 1, ttl) {
    return this.#ask(() => {
      const { ttlMs } = lifetime(checkKeyThen(key, ttl), LIFE);
      native.redisIncrement(this.#handle, key, checkAmount(by), ttlMs);
    });
  }

  /** Milliseconds of a round trip. */
  ping() {
    const started = performance.now();
    return this.#ask(() => native.redisPing(this.#handle)).then(() => performance.now() - started);
  }

  /** @param {string} [pattern] @returns {Promise<string[]>} */
  async keys(pattern) {
    if (pattern !== undefined) checkPattern(pattern);
    return this.#walk((handle, operation) => native.redisKeys(handle, operation, pattern));
  }

  /** @param {string} pattern @returns {Promise<number>} */
  async deletePattern(pattern) {
    checkPattern(pattern);
    return this.#walk((handle, operation) => native.redisDeleteMatching(handle, operation, pattern));
  }

  /** @returns {Promise<void>} */
  async clear() {
    await this.#walk((handle, operation) => native.redisDeleteMatching(handle, operation, undefined));
  }

  /** @param {string} key @param {number} ttlMs @returns {Promise<RedisLease | undefined>} */
  async lease(key, ttlMs) {
    checkKey(key);
    check.positiveInteger(ttlMs, 'ttlMs');
    const granted = await this.#walk((handle, operation) => native.redisLease(handle, operation, key, ttlMs));
    if (granted === undefined) return undefined;
    const [owner, token] = granted;
    return new RedisLease(() => this.#open(), key, owner, Number(token));
  }

  /** What native code knows the cache as; JSON is nothing that other tiers could read. */
  [TIER]() {
    return this.#format === 'json' ? undefined : { kind: 'redis', handle: this.#open() };
  }

  /** @param {number} kind @param {any} payload */
  [DECODE](kind, payload) {
    return this.#codec.decodeAlone(kind, payload);
  }

  get stats() {
    const { breaker, breakerOpenings, reason, ...stats } = native.redisStatus(this.#open());
    const reads = stats.hits + stats.misses;
    return {
      ...stats,
      reason: reason ?? null,
      hitRatio: reads === 0 ? 0 : stats.hits / reads,
      breaker: { state: breaker ?? 'off', openings: breakerOpenings },
    };
  }

  /** @returns {Promise<void>} */
  close() {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #end() {
    const handle = this.#handle;
    // What was asked for in this turn still goes off.
    const idle = this.#turns.idle();
    this.#handle = NO_HANDLE;
    this.#unwatch();
    environment.subscribers.delete(this.#subscription);
    await Promise.allSettled([idle, ...this.#walks]);
    collected.unregister(this);
    native.closeRedisCache(handle);
  }

  /** The handle, if it is open. */
  #open() {
    if (this.#handle === NO_HANDLE) throw new HotpathClosedError('The cache is closed');
    return this.#handle;
  }

  /** Makes a request; a rejection says why there is none. @param {() => void} make */
  #prepare(make) {
    try {
      this.#open();
      make();
    } catch (error) {
      return Promise.reject(translate(error));
    }
    return undefined;
  }

  /** Makes a request, and waits for its answer. @param {() => void} make @param {number} [expect] @returns {Promise<any>} */
  #ask(make, expect = EXPECT.VALUE) {
    return this.#prepare(make) ?? this.#turns.answer(expect);
  }

  /** What needs no server. @template T @param {T} answer @returns {Promise<T>} */
  async #nothing(answer) {
    this.#open();
    return answer;
  }

  /** Something that takes more than one command. @param {(handle: number, operation: number) => void} start */
  #walk(start) {
    const handle = this.#open();
    // In the order in which they were asked for.
    this.#turns.flush();
    const walk = environment.pending((operation) => start(handle, operation));
    const forget = () => void this.#walks.delete(walk);
    this.#walks.add(walk);
    walk.then(forget, forget);
    return walk;
  }

  /**
   * Encodes a value and hands it on before anything else can be encoded.
   * @param {any} value
   * @param {(kind: number, payload: any, start: number, end: number, number: number, shapes: number) => void} use
   */
  #encode(value, use) {
    if (this.#format === 'json') return use(KIND.STRING, encodeJson(value), 0, 0, 0, 0);
    const codec = this.#codec;
    const kind = codec.encode(value);
    const { payload, start, end } = codec;
    use(kind, payload, start, end, this.#records.number, this.#records.shapes);
    codec.payload = undefined;
  }

  /** @param {[string, any][]} pairs */
  #encodedEntries(pairs) {
    const entries = new EncodedEntries();
    const codec = this.#codec;
    for (const [key, value] of pairs) {
      if (this.#format === 'json') {
        entries.addText(key, encodeJson(value));
      } else {
        const kind = codec.encode(value);
        entries.add(key, kind, codec, this.#records.number, this.#records.shapes);
      }
    }
    return entries;
  }

  /** Tells of what others changed. */
  #tellChanges() {
    const keys = native.redisTakeChanges(this.#subscription);
    if (keys === null || keys.length > 0) this.emit('invalidate', keys);
  }

  /** Changes cost a wake-up each, so they are heard of only while somebody listens. */
  [LISTENERS_CHANGED]() {
    const wanted = !this.closed && this.listenerCount('invalidate') > 0;
    if (wanted === this.#listening) return;
    this.#listening = wanted;
    if (wanted) environment.subscribers.set(this.#subscription, new WeakRef(this.#delivery));
    else environment.subscribers.delete(this.#subscription);
    if (!this.closed) native.redisListen(this.#handle, this.#subscription, wanted);
  }
}

makeListening(RedisCache);

/** Checks the first argument before the second is looked at. @param {unknown} key @param {unknown} ttl */
function checkKeyThen(key, ttl) {
  checkKey(key);
  return ttl;
}

/** @param {Codec} codec @param {number} kind @param {any} buffer @param {number} start @param {number} end */
function decodeNative(codec, kind, buffer, start, end) {
  return typeof buffer === 'string' ? buffer : codec.decode(kind, buffer, start, end);
}

/** @param {number} _kind @param {any} text */
function decodeJson(_kind, text) {
  try {
    return JSON.parse(text);
  } catch {
    throw corrupt();
  }
}

/** @param {any} value */
function encodeJson(value) {
  const refusal = () => invalidArgType('a value that JSON can hold', 'value', value);
  let text;
  try {
    text = JSON.stringify(value);
  } catch (error) {
    // A cycle or a BigInt; whatever else was thrown came from the value's own toJSON.
    throw error instanceof TypeError ? refusal() : error;
  }
  if (text === undefined) throw refusal();
  return text;
}

addAliases(RedisCache, { put: 'set', del: 'delete', mset: 'setMany', [ASYNC_DISPOSE]: 'close' });

module.exports = { RedisCache };
