'use strict';

// The multi-level cache: memory in front, which is read right here, and a native engine for everything else.

const { EventEmitter } = require('node:events');
const native = require('../native.js');
const environment = require('../environment.js');
const { ASYNC_DISPOSE, addAliases } = require('../aliases.js');
const { HotpathClosedError, invalidArgType } = require('../errors.js');
const { translate, translated } = require('../native-errors.js');
const { watchService } = require('../services.js');
const { LISTENERS_CHANGED, makeListening, tellListeners } = require('../listening.js');
const { addProperty } = require('../own-property.js');
const check = require('../validate.js');
const { Codec } = require('./codec.js');
const { encodedEntries } = require('./encoded-entries.js');
const { FIND, FIND_MANY, MEMORY } = require('./internal.js');
const { checkKey, checkKeys, pairsOf, tagList } = require('./memory-arguments.js');
const { MemoryCache } = require('./memory-cache.js');
const { figuresOf, metricsOf, statsOf } = require('./multi-level-metrics.js');
const { LOAD_OPTIONS, capOf, loadSettings, multiLevelOptions } = require('./multi-level-options.js');
const { MISSING } = require('./native-reads.js');
const { MARK, TieredLoads, answerOf, jittered } = require('./tiered-loads.js');
const { TELL, TierRequests } = require('./tier-requests.js');
const { OPTIONS_MANNER, describeTier } = require('./tier-adapters.js');
const { warmup, warmupOptions } = require('./warmup.js');

const NO_HANDLE = 0xffff_ffff;

/** Hits in memory between two reports to the native side, and between two looks at the clock. */
const REPORT_EVERY = 64;

/** Events that the native side tells, and their bits there. */
const TOLD = Object.freeze({ promotion: 1, error: 2, stale: 4, refresh: 8, breaker: 16 });

const SET_OPTIONS = Object.freeze(['ttlMs', 'graceMs', 'jitter', 'tags']);
const GET_OR_SET_OPTIONS = Object.freeze([...LOAD_OPTIONS, 'tags']);

/** What answers consist of. @param {number} form */
const formOf = (form) => form;
/** @param {number} _form @param {any} value */
const payloadOf = (_form, value) => value;

/** Ends the native handles of caches that were dropped without being closed. */
const collected = new FinalizationRegistry((/** @type {number} */ handle) => native.collectTiered(handle));

class MultiLevelCache extends EventEmitter {
  #handle;
  #name;
  #settings;
  #absent;
  #tiers;
  /** The memory in front, if it is one of ours. @type {any} */
  #front;
  /** True when the memory in front was made here. */
  #ownsFront = false;
  #codec = new Codec();
  #requests;
  #loads;
  #hits = 0;
  #isWarmingUp = false;
  #unwatch;
  /** @type {Promise<void> | undefined} */
  #closing;

  /** @param {unknown[]} args */
  constructor(...args) {
    super();
    const checked = multiLevelOptions(args);
    this.#name = checked.name;
    this.#settings = checked.settings;
    this.#absent = checked.absent;
    const tiers = this.#withFront(checked);
    this.#tiers = new Map(tiers.map((tier) => [tier.level, tier]));
    this.#requests = new TierRequests(/** @type {any} */ (this), this.#codec, this.#tiers);
    const { subscription } = this.#requests;
    const handle = translated(() =>
      native.openTiered({
        ...checked.native,
        subscription,
        tiers: tiers.map(({ level, capMs, native: description }) => ({ level, capMs, ...description })),
      }),
    );
    this.#handle = handle;
    this.#requests.begin(handle);
    this.#loads = new TieredLoads(handle, this.#codec, (key, error) => this.#loaderFailed(key, error));
    collected.register(this, handle, this);
    this.#unwatch = watchService('levels', checked.name, this, figuresOf);
  }

  /** The tiers that were given, with memory in front where there is none. @param {ReturnType<typeof multiLevelOptions>} checked */
  #withFront({ tiers, name, native: options }) {
    const given = /** @type {NonNullable<typeof tiers[number]>[]} */ (tiers.filter((tier) => tier !== undefined));
    const first = tiers[0];
    if (first?.native.kind === 'memory') {
      this.#front = first.given;
    } else if (first === undefined) {
      const own = name === undefined ? {} : { name: `MultiLevelCache/${name}` };
      this.#front = new MemoryCache(own);
      this.#ownsFront = true;
      const capMs = capOf(Number(options.shown[options.shown.indexOf('l1TTL') + 1]) * 1000);
      given.unshift({ level: 1, capMs, ...describeTier(this.#front, 'l1Cache', OPTIONS_MANNER) });
    }
    return given;
  }

  get name() {
    return this.#name;
  }

  get closed() {
    return this.#handle === NO_HANDLE;
  }

  get isWarmingUp() {
    return this.#isWarmingUp;
  }

  /** @param {string} key */
  async get(key) {
    const value = this.#find(checkKey(key));
    if (value !== MISSING) return value;
    const answer = await this.#read(key);
    return answer.found ? answer.value : this.#absent;
  }

  /** The value of a key in front. @param {string} key */
  #find(key) {
    this.#open();
    const front = this.#front;
    if (front === undefined) return MISSING;
    let value;
    // Now and then, to know how long it takes; always would cost more than the hit.
    const began = this.#hits === 0 ? performance.now() : 0;
    try {
      value = front[FIND](key);
    } catch (error) {
      this.#frontFailed('get', key, error);
      return MISSING;
    }
    if (value === MISSING) return MISSING;
    this.#hits++;
    if (began !== 0) native.tieredHits(this.#handle, 0, performance.now() - began);
    if (this.#hits >= REPORT_EVERY) this.#reportHits();
    if (this.listenerCount('hit') > 0) this[TELL]('hit', { key, level: 1 });
    return value;
  }

  #reportHits() {
    if (this.#hits > 0) native.tieredHits(this.#handle, this.#hits, -1);
    this.#hits = 0;
  }

  /** @param {string} operation @param {string | undefined} key @param {any} cause */
  #frontFailed(operation, key, cause) {
    this.#requests.tellFailure({ tier: 'memory', level: 1, operation, key, cause });
  }

  /** @param {string} key @param {unknown} error */
  #loaderFailed(key, error) {
    this.#requests.tellFailure({ tier: 'loader', level: 0, operation: 'getOrSet', key, cause: error });
  }

  /** Asks the native side for one key, past the memory in front. @param {string} key */
  async #read(key) {
    const handle = this.#open();
    const answer = await this.#ask(
      (operation) => native.tieredGet(handle, operation, key, this.#settings.graceMs, 0),
      (form, value) => answerOf(this.#codec, form, value, false),
    );
    this.#tellRead(key, answer);
    return answer;
  }

  /** @param {string} key @param {import('./tiered-loads.js').Answer} answer */
  #tellRead(key, { level }) {
    const event = level > 0 ? 'hit' : 'miss';
    if (this.listenerCount(event) > 0) this[TELL](event, level > 0 ? { key, level } : { key });
  }

  /**
   * Begins an operation that answers at once, or later.
   * @template T
   * @param {(operation: number) => [number, any] | undefined} begin
   * @param {(form: number, value: any) => T} [take] makes the result, as soon as the answer is there; by default its value
   * @returns {Promise<T>}
   */
  #ask(begin, take = payloadOf) {
    return new Promise((resolve, reject) => {
      const operation = environment.nextOperation();
      const succeed = (/** @type {number} */ form, /** @type {any} */ value) => {
        try {
          resolve(take(form, value));
        } catch (error) {
          reject(error);
        }
      };
      let answer;
      try {
        answer = begin(operation);
      } catch (error) {
        return reject(translate(error));
      }
      if (answer !== undefined) return succeed(answer[0], answer[1]);
      environment.awaitOperation(operation, { succeed, refuse: reject });
    });
  }

  /** @param {string[]} keys */
  async getMany(keys) {
    return this.#readMany(keys, this.#absent);
  }

  /** @param {string[]} keys */
  async mget(keys) {
    const values = await this.#readMany(keys, MISSING);
    /** @type {Record<string, any>} */
    const hits = {};
    for (let index = 0; index < values.length; index++) {
      if (values[index] === MISSING) continue;
      addProperty(hits, keys[index], values[index]);
    }
    return hits;
  }

  /** @param {string[]} keys @param {any} absent */
  async #readMany(keys, absent) {
    const handle = this.#open();
    const wanted = [...checkKeys(keys)];
    const values = this.#findMany(wanted);
    const places = values.flatMap((value, place) => (value === MISSING ? [place] : []));
    this.#countMany(wanted, values, places.length);
    if (places.length === 0) return values;
    const missing = places.map((place) => wanted[place]);
    const { graceMs } = this.#settings;
    const flat = await this.#ask((operation) => native.tieredGetMany(handle, operation, missing, graceMs, 0));
    for (let index = 0; index < places.length; index++) {
      const answer = answerOf(this.#codec, flat[index * 2], flat[index * 2 + 1], false);
      this.#tellRead(missing[index], answer);
      values[places[index]] = answer.found ? answer.value : absent;
    }
    return values;
  }

  /** @param {string[]} keys @returns {any[]} */
  #findMany(keys) {
    try {
      return this.#front?.[FIND_MANY](keys) ?? keys.map(() => MISSING);
    } catch (error) {
      this.#frontFailed('getMany', undefined, error);
      return keys.map(() => MISSING);
    }
  }

  /** @param {string[]} keys @param {any[]} values @param {number} missing */
  #countMany(keys, values, missing) {
    this.#hits += values.length - missing;
    if (this.#hits >= REPORT_EVERY) this.#reportHits();
    if (this.listenerCount('hit') === 0) return;
    values.forEach((value, place) => {
      if (value !== MISSING) this[TELL]('hit', { key: keys[place], level: 1 });
    });
  }

  /** @param {string} key */
  async has(key) {
    const handle = this.#open();
    checkKey(key);
    if (this.#hasInFront(key)) return true;
    const form = await this.#ask(
      (operation) => native.tieredGet(handle, operation, key, this.#settings.graceMs, 1),
      formOf,
    );
    return form !== 0;
  }

  /** @param {string} key */
  #hasInFront(key) {
    try {
      return this.#front?.has(key) === true;
    } catch (error) {
      this.#frontFailed('has', key, error);
      return false;
    }
  }

  /**
   * @param {string} key
   * @param {any} value
   * @param {unknown} [ttl]
   */
  async set(key, value, ttl) {
    const handle = this.#open();
    checkKey(key);
    const { ttlMs, graceMs, tags } = this.#life(ttl);
    const codec = this.#codec;
    const kind = codec.encode(value);
    const stored = await this.#ask((operation) => {
      const { payload, start, end } = codec;
      const answer = native.tieredSet(handle, operation, key, kind, payload, start, end, ttlMs, graceMs, tags);
      codec.payload = undefined;
      return answer;
    });
    if (this.listenerCount('set') > 0) this[TELL]('set', { key });
    return stored;
  }

  /**
   * What may stand behind a value: seconds, or an object that says milliseconds.
   * @param {unknown} ttl
   */
  #life(ttl) {
    if (ttl === undefined || ttl === null || ttl === 0) return this.#lifeOf(this.#settings, undefined);
    if (typeof ttl === 'number') {
      return this.#lifeOf({ ...this.#settings, ttlMs: check.positiveNumber(ttl, 'ttl') * 1000 }, undefined);
    }
    if (!check.isPlainObject(ttl)) throw invalidArgType('seconds or an object', 'ttl', ttl);
    const { tags, ...given } = check.options(ttl, 'ttl', SET_OPTIONS);
    return this.#lifeOf(loadSettings(given, 'ttl', this.#settings), tags);
  }

  /** @param {import('./multi-level-options.js').LoadSettings} settings @param {unknown} tags */
  #lifeOf(settings, tags) {
    return {
      ttlMs: jittered(settings) ?? -1,
      graceMs: settings.graceMs,
      tags: tags === undefined ? undefined : tagList(tags, 'ttl.tags'),
    };
  }

  /**
   * @param {any} entries an object, a Map or any iterable of pairs
   * @param {unknown} [ttl]
   */
  async setMany(entries, ttl) {
    const handle = this.#open();
    const { ttlMs, graceMs, tags } = this.#life(ttl);
    const encoded = encodedEntries(pairsOf(entries), this.#codec);
    const keys = encoded.map((key, kind, payload, start, end) => {
      native.tieredStage(handle, key, kind, payload, start, end);
      return key;
    });
    const stored = await this.#ask((operation) => native.tieredSetMany(handle, operation, ttlMs, graceMs, tags));
    if (this.listenerCount('set') > 0) for (const key of keys) this[TELL]('set', { key });
    return stored;
  }

  /** @param {string} key */
  async delete(key) {
    return (await this.#delete([checkKey(key)])) > 0;
  }

  /** @param {string[]} keys */
  async deleteMany(keys) {
    return this.#delete(checkKeys(keys));
  }

  /** @param {string[]} keys @returns {Promise<number>} */
  async #delete(keys) {
    const handle = this.#open();
    const deleted = await this.#ask((operation) => native.tieredDelete(handle, operation, keys));
    return deleted;
  }

  /** @param {string} [pattern] @returns {Promise<string[]>} */
  async keys(pattern = '*') {
    return this.#walk(native.tieredKeys, pattern);
  }

  /** @param {string} pattern @returns {Promise<number>} */
  async deletePattern(pattern) {
    return this.#walk(native.tieredDeletePattern, pattern);
  }

  /**
   * A walk over the keys of all levels.
   * @param {(handle: number, operation: number, pattern: string) => any} walk
   * @param {unknown} pattern
   * @returns {Promise<any>}
   */
  async #walk(walk, pattern) {
    const handle = this.#open();
    if (typeof pattern !== 'string') throw invalidArgType('a string', 'pattern', pattern);
    return this.#ask((operation) => walk(handle, operation, pattern));
  }

  async clear() {
    const handle = this.#open();
    await this.#ask((operation) => native.tieredClear(handle, operation));
  }

  /** @param {string} key */
  async expire(key) {
    const handle = this.#open();
    checkKey(key);
    return this.#ask((operation) => native.tieredExpire(handle, operation, key));
  }

  /** @param {string | string[]} tags */
  async invalidateTags(tags) {
    const handle = this.#open();
    const names = tagList(typeof tags === 'string' ? [tags] : tags, 'tags');
    return this.#ask((operation) => native.tieredInvalidateTags(handle, operation, names));
  }

  /**
   * @param {string} key
   * @param {(key: string) => any} loader
   * @param {unknown} [options]
   */
  async getOrSet(key, loader, options) {
    checkKey(key);
    check.function_(loader, 'loader');
    // Before the hit: wrong options are wrong whether they matter or not.
    const wish = this.#wish(key, loader, options);
    const value = this.#find(key);
    if (value !== MISSING) return value;
    const answer = await this.#loads.load(wish);
    this.#tellRead(key, answer);
    if ((answer.marks & MARK.DUE) !== 0) this.#refresh(wish);
    return answer.value;
  }

  /** @param {string} key @param {(key: string) => any} loader @param {unknown} options @returns {import('./tiered-loads.js').Wish} */
  #wish(key, loader, options) {
    if (options === undefined) return { key, loader, settings: this.#settings, tags: undefined };
    if (typeof options === 'number') {
      const ttlMs = check.positiveNumber(options, 'ttl') * 1000;
      return { key, loader, settings: { ...this.#settings, ttlMs }, tags: undefined };
    }
    const { tags, ...given } = check.options(options, 'options', GET_OR_SET_OPTIONS);
    const settings = loadSettings(given, 'options', this.#settings);
    return { key, loader, settings, tags: tags === undefined ? undefined : tagList(tags, 'options.tags') };
  }

  /** Loads a value anew that is about to expire. @param {import('./tiered-loads.js').Wish} wish */
  #refresh(wish) {
    // A loader that fails was told, and so is everything else.
    this.#loads.load({ ...wish, quiet: true, refresh: true }).catch(() => {});
  }

  /**
   * @param {Iterable<string>} keys
   * @param {unknown} [options]
   */
  async warmup(keys, options) {
    this.#open();
    const checked = warmupOptions(options);
    if (this.#isWarmingUp) return undefined;
    this.#isWarmingUp = true;
    try {
      return await warmup(keys, checked, (key, loader) => this.#warm(key, loader));
    } finally {
      this.#isWarmingUp = false;
    }
  }

  /**
   * @param {string} key
   * @param {((key: string) => any) | undefined} loader
   * @returns {Promise<import('./warmup.js').Outcome>}
   */
  async #warm(key, loader) {
    const handle = this.#open();
    if (this.#hasInFront(key)) return 'present';
    if (loader === undefined) {
      const { graceMs } = this.#settings;
      const form = await this.#ask((operation) => native.tieredGet(handle, operation, key, graceMs, 1), formOf);
      return form === 0 ? 'missing' : 'present';
    }
    const { level } = await this.#loads.load({ ...this.#wish(key, loader, undefined), quiet: true });
    return level > 0 ? 'present' : 'loaded';
  }

  /** @returns {MemoryCache | undefined} */
  [MEMORY]() {
    return this.#front?.[MEMORY]?.();
  }

  getMetrics() {
    const handle = this.#open();
    this.#reportHits();
    return metricsOf(native.tieredStats(handle));
  }

  get stats() {
    const handle = this.#open();
    this.#reportHits();
    return statsOf(native.tieredStats(handle));
  }

  async close() {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close() {
    const handle = this.#handle;
    this.#reportHits();
    this.#handle = NO_HANDLE;
    this.#unwatch();
    try {
      await this.#ask((operation) => native.tieredFlush(handle, operation));
    } finally {
      this.#requests.end();
      collected.unregister(this);
      native.closeTiered(handle);
      if (this.#ownsFront) this.#front.close();
      this.#front = undefined;
    }
  }

  /** The handle, if it is open. */
  #open() {
    if (this.#handle === NO_HANDLE) throw new HotpathClosedError('The cache is closed');
    return this.#handle;
  }

  /** @param {string} event @param {any} value */
  [TELL](event, value) {
    // An error that nobody listens for would be thrown; it was counted.
    if (this.listenerCount(event) > 0) tellListeners(this, event, [value]);
  }

  [LISTENERS_CHANGED]() {
    if (this.#handle === NO_HANDLE) return;
    let mask = 0;
    for (const [event, bit] of Object.entries(TOLD)) {
      if (this.listenerCount(event) > 0) mask |= bit;
    }
    native.tieredListen(this.#handle, mask);
  }
}

makeListening(MultiLevelCache);

addAliases(MultiLevelCache, { put: 'set', del: 'delete', mset: 'setMany', [ASYNC_DISPOSE]: 'close' });

module.exports = { MultiLevelCache };
