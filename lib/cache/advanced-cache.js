'use strict';

// The cache of document 003: memory in front of disk, with files of any size beside.
//
// What is set is written to disk, so the index survives the process, and is in memory too while it is hot. A key that
// memory had to give up is demoted: it is served from disk until it has been asked for more often than the threshold.

const { EventEmitter } = require('node:events');
const { ASYNC_DISPOSE, addAliases } = require('../aliases.js');
const { HotpathClosedError } = require('../errors.js');
const { tellListeners } = require('../listening.js');
const { watchService } = require('../services.js');
const check = require('../validate.js');
const { report } = require('./advanced-report.js');
const { openLevels } = require('./advanced-levels.js');
const { advancedCacheOptions } = require('./advanced-options.js');
const { piecesOf } = require('./disk-streams.js');
const { checkKey, checkKeys } = require('./memory-arguments.js');
const { estimateSize } = require('./estimate.js');
const { MEMORY } = require('./internal.js');
const { Successors } = require('./successors.js');
const { TTL_FORM } = require('./ttl-argument.js');

/** A value of more than this share of the memory stays on disk. */
const MEMORY_SHARE = 1 / 8;
/** Keys whose accesses are counted while they are on disk. */
const COUNTED_KEYS = 100_000;

/** What stands before a key on disk: values, streams and what is known of a stream are told apart. */
const VALUE = 'v:';
const STREAM = 's:';
const STREAM_METADATA = 'm:';

/**
 * What is stored of a key.
 * @typedef {object} Envelope
 * @property {any} value
 * @property {string | undefined} type
 * @property {any} metadata
 * @property {number} size of the value, encoded, in bytes
 * @property {number} created milliseconds since 1970
 */

class AdvancedCache extends EventEmitter {
  #options;
  #limits;
  /** @type {import('./memory-cache.js').MemoryCache | undefined} */
  #memory;
  /** @type {import('./disk-cache.js').DiskCache | undefined} */
  #disk;
  /** @type {import('./disk-cache.js').DiskCache | undefined} */
  #streams;
  /** @type {Promise<void> | undefined} */
  #ready;
  /** @type {Promise<void> | undefined} */
  #closing;
  /** Accesses of keys that are on disk. @type {Map<string, number>} */
  #accesses = new Map();
  /** Keys on their way into memory; whoever writes or deletes one takes it out. @type {Map<string, symbol>} */
  #promoting = new Map();
  #successors;
  #counts = { memory: { hits: 0, misses: 0 }, disk: { hits: 0, misses: 0 } };
  #promotions = 0;
  #demotions = 0;
  #unwatch = () => {};

  /** @param {unknown} [options] */
  constructor(options) {
    super();
    this.#options = advancedCacheOptions(options);
    this.#limits = { memory: this.#options.memoryLimit, disk: this.#options.diskLimit };
    if (this.#options.predictiveLoading) this.#successors = new Successors();
  }

  /** Whether it was shut down. */
  get closed() {
    return this.#closing !== undefined;
  }

  /** Opens the cache. Whatever is asked before waits for it, so it need not be called. */
  init() {
    if (this.#closing) return Promise.reject(new HotpathClosedError('The cache is closed'));
    this.#ready ??= this.#open().catch(async (error) => {
      // Whoever asks next tries again.
      this.#ready = undefined;
      await this.#closeLevels();
      throw error;
    });
    return this.#ready;
  }

  async #open() {
    if (this.#closing) throw new HotpathClosedError('The cache is closed');
    const { memory, disk, streams } = openLevels(this.#options);
    this.#memory = memory;
    this.#disk = disk;
    this.#streams = streams;
    // Those of the cache that is shared, whatever this handle was given.
    this.#limits = { memory: memory.stats.memoryPressure.fullMaxBytes, disk: disk.stats.diskLimit };
    memory.on('evict', (key) => this.#demoted(key));
    for (const level of new Set([disk, streams])) level.on('evict', (key, size) => this.#evicted(key, size));
    this.#unwatch = watchService('advancedCache', this.#options.name, this, figuresOf);
  }

  /** The levels, once they are open. @returns {Promise<{ memory: any, disk: any, streams: any }>} */
  async #levels() {
    await this.init();
    if (this.#closing || !this.#memory || !this.#disk || !this.#streams) {
      throw new HotpathClosedError('The cache is closed');
    }
    return { memory: this.#memory, disk: this.#disk, streams: this.#streams };
  }

  /** @param {string} key @returns {Promise<any>} */
  async get(key) {
    checkKey(key);
    const envelope = await this.#find(key);
    this.#foresee(key);
    return envelope?.value;
  }

  /** @param {string} key @param {any} value @param {unknown} [options] @returns {Promise<boolean>} */
  async set(key, value, options) {
    checkKey(key);
    const { type, life, metadata } = setOptions(options);
    const { memory, disk } = await this.#levels();
    const envelope = { value, type, metadata, size: estimateSize(value), created: Date.now() };
    this.#forget(key);
    const fits = envelope.size <= this.#limits.memory * MEMORY_SHARE;
    // At once, so that what this caller reads next is what it wrote.
    const near = fits && memory.set(key, envelope, life);
    if (!near) memory.delete(key);
    const stored = await disk.set(VALUE + key, envelope, life);
    this.#tell('cacheSet', { key, level: near ? 'memory' : 'disk', size: envelope.size, type });
    return near || stored;
  }

  /** @param {string} key @returns {Promise<boolean>} */
  async has(key) {
    checkKey(key);
    const { memory, disk, streams } = await this.#levels();
    return memory.has(key) || (await disk.has(VALUE + key)) || (await streams.has(STREAM + key));
  }

  /** @param {string} key @returns {Promise<boolean>} */
  async delete(key) {
    checkKey(key);
    const { memory, disk, streams } = await this.#levels();
    this.#forget(key);
    const near = memory.delete(key);
    const [value, stream] = await Promise.all([
      disk.delete(VALUE + key),
      streams.delete(STREAM + key),
      streams.delete(STREAM_METADATA + key),
    ]);
    return near || value || stream;
  }

  /** @param {string[]} keys @returns {Promise<any[]>} */
  async getMany(keys) {
    return Promise.all(checkKeys(keys).map((key) => this.get(key)));
  }

  /**
   * @param {string} key
   * @param {any} source
   * @param {unknown} [options]
   */
  async setStream(key, source, options) {
    checkKey(key);
    const { type, life, metadata } = setOptions(options);
    const { streams } = await this.#levels();
    const measured = { size: 0 };
    const stored = await streams.setStream(STREAM + key, measure(piecesOf(source), measured), life);
    if (!stored) return 0;
    const { size } = measured;
    await streams.set(STREAM_METADATA + key, { type, metadata, size, created: Date.now() }, life);
    this.#tell('cacheSet', { key, level: 'stream', size, type });
    return size;
  }

  /** @param {string} key @returns {Promise<import('node:stream').Readable | undefined>} */
  async getStream(key) {
    checkKey(key);
    const { streams } = await this.#levels();
    const [stream, about] = await Promise.all([streams.getStream(STREAM + key), streams.get(STREAM_METADATA + key)]);
    if (stream === undefined) this.#tell('cacheMiss', { key });
    else this.#tell('cacheHit', { key, level: 'stream', size: about?.size });
    return stream;
  }

  /** What is known of a key, without counting as an access. @param {string} key */
  async getMetadata(key) {
    checkKey(key);
    const { memory, disk, streams } = await this.#levels();
    const near = memory.peek(key);
    const envelope = near ?? (await disk.get(VALUE + key));
    if (envelope !== undefined) {
      const { type, metadata, size, created } = envelope;
      const ttlMs = near === undefined ? await disk.getTtl(VALUE + key) : memory.getTtl(key);
      const accesses = this.#accesses.get(key) ?? 0;
      return { type, metadata, size, created, level: near === undefined ? 'disk' : 'memory', ttlMs, accesses };
    }
    const about = await streams.get(STREAM_METADATA + key);
    if (about === undefined || !(await streams.has(STREAM + key))) return undefined;
    return { ...about, level: 'stream', ttlMs: await streams.getTtl(STREAM + key) };
  }

  /**
   * Brings keys into memory: from disk, or by a loader for those that are nowhere.
   * @param {string[]} keys
   * @param {(key: string) => any} [loader]
   */
  async preload(keys, loader) {
    checkKeys(keys);
    if (loader !== undefined) check.function_(loader, 'loader');
    const outcomes = await Promise.all(keys.map((key) => this.#preload(key, loader)));
    const count = (/** @type {string} */ outcome) => outcomes.filter((each) => each === outcome).length;
    return { memory: count('memory'), promoted: count('promoted'), loaded: count('loaded'), missing: count('missing') };
  }

  get [TTL_FORM]() {
    return 'options';
  }

  /** @returns {import('./memory-cache.js').MemoryCache | undefined} */
  [MEMORY]() {
    return this.#memory;
  }

  getStats() {
    return report(this.#measure());
  }

  get stats() {
    const { memory, disk } = this.#measure();
    const { predictions = 0, correct = 0 } = this.#successors ?? {};
    return {
      memory,
      disk,
      promotions: this.#promotions,
      demotions: this.#demotions,
      predictions,
      predictionHitRatio: predictions === 0 ? 0 : correct / predictions,
    };
  }

  async clear() {
    const { memory, disk, streams } = await this.#levels();
    this.#accesses.clear();
    this.#promoting.clear();
    this.#successors?.clear();
    memory.clear();
    await Promise.all([disk.clear(), streams === disk ? undefined : streams.clear()]);
  }

  /** Closes the cache. What is on disk is there when it is opened again. */
  shutdown() {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #end() {
    // One that never opened has nothing to close.
    await this.#ready?.catch(() => {});
    this.#unwatch();
    await this.#closeLevels();
  }

  async #closeLevels() {
    this.#memory?.close();
    await Promise.all([this.#disk?.close(), this.#streams === this.#disk ? undefined : this.#streams?.close()]);
  }

  /** Looks a key up, level by level. @param {string} key @returns {Promise<Envelope | undefined>} */
  async #find(key) {
    const { memory, disk } = await this.#levels();
    const near = memory.get(key);
    if (near !== undefined) {
      this.#counts.memory.hits++;
      this.#tell('cacheHit', { key, level: 'memory', size: near.size });
      return near;
    }
    this.#counts.memory.misses++;
    const token = this.#mayPromote(key);
    const envelope = await disk.get(VALUE + key);
    if (envelope === undefined) {
      this.#promoting.delete(key);
      this.#counts.disk.misses++;
      this.#tell('cacheMiss', { key });
      return undefined;
    }
    this.#counts.disk.hits++;
    this.#tell('cacheHit', { key, level: 'disk', size: envelope.size });
    if (token !== undefined) await this.#promote(key, envelope, token);
    return envelope;
  }

  /** Counts an access to a key on disk; a token when it has become hot enough for memory. @param {string} key */
  #mayPromote(key) {
    const accesses = (this.#accesses.get(key) ?? 0) + 1;
    this.#accesses.delete(key);
    this.#accesses.set(key, accesses);
    if (this.#accesses.size > COUNTED_KEYS) {
      const [oldest] = this.#accesses.keys();
      this.#accesses.delete(oldest);
    }
    return accesses > this.#options.promotionThreshold ? this.#beginPromotion(key) : undefined;
  }

  /** @param {string} key */
  #beginPromotion(key) {
    const token = Symbol(key);
    this.#promoting.set(key, token);
    return token;
  }

  /** Unless the key was written or deleted since the token was given. @param {string} key @param {Envelope} envelope @param {symbol} token */
  async #promote(key, envelope, token) {
    const { memory, disk } = await this.#levels();
    const ttlMs = await disk.getTtl(VALUE + key);
    if (this.#promoting.get(key) !== token) return false;
    this.#promoting.delete(key);
    if (ttlMs === undefined || envelope.size > this.#limits.memory * MEMORY_SHARE) return false;
    if (!memory.set(key, envelope, { ttlMs })) return false;
    this.#accesses.delete(key);
    this.#promotions++;
    this.#tell('cachePromotion', { key, from: 'disk', to: 'memory', size: envelope.size });
    return true;
  }

  /** @param {string} key @param {((key: string) => any) | undefined} loader */
  async #preload(key, loader) {
    const { memory, disk } = await this.#levels();
    if (memory.has(key)) return 'memory';
    const token = this.#beginPromotion(key);
    const envelope = await disk.get(VALUE + key);
    if (envelope !== undefined) return (await this.#promote(key, envelope, token)) ? 'promoted' : 'memory';
    this.#promoting.delete(key);
    const value = await loader?.(key);
    if (value === undefined) return 'missing';
    await this.set(key, value);
    return 'loaded';
  }

  /** Brings into memory what is likely to be asked for next. @param {string} key */
  #foresee(key) {
    const likely = this.#successors?.next(key);
    // Nobody waits for it; what fails will fail again for whoever asks.
    if (likely !== undefined) this.#preload(likely, undefined).catch(() => {});
  }

  /** @param {string} event @param {Record<string, unknown>} details */
  #tell(event, details) {
    if (this.listenerCount(event) > 0) tellListeners(this, event, [details]);
  }

  /** @param {string} key */
  #demoted(key) {
    this.#demotions++;
    this.#tell('cacheDemotion', { key, from: 'memory', to: 'disk' });
  }

  /** @param {string} stored @param {number} size */
  #evicted(stored, size) {
    if (stored.startsWith(STREAM_METADATA)) return;
    const level = stored.startsWith(STREAM) ? 'stream' : 'disk';
    const key = stored.slice(VALUE.length);
    if (level === 'disk') this.#memory?.delete(key);
    this.#tell('cacheEviction', { key, level, size });
  }

  /** What is known of a key besides its value is known no more. @param {string} key */
  #forget(key) {
    this.#accesses.delete(key);
    this.#promoting.delete(key);
  }

  /** What each level holds alone: entries in memory are on disk, too, and count for memory. */
  #measure() {
    const open = this.#memory !== undefined && !this.#memory.closed;
    const none = { entries: 0, bytes: 0 };
    const memory = (open && this.#memory?.stats) || none;
    const disk = (open && this.#disk?.stats) || none;
    return {
      memory: { entries: memory.entries, bytes: memory.bytes, limit: this.#limits.memory, ...this.#counts.memory },
      disk: {
        entries: Math.max(0, disk.entries - memory.entries),
        bytes: disk.bytes,
        limit: this.#limits.disk,
        ...this.#counts.disk,
      },
    };
  }
}

/** Without a `ttl` entries live as long as each level has it by default. @param {unknown} options */
function setOptions(options) {
  const { type, ttl, metadata } = check.options(options, 'options', ['type', 'ttl', 'metadata']);
  const life = ttl === undefined ? undefined : { ttlMs: check.positiveNumber(ttl, 'options.ttl') };
  return { type, life, metadata };
}

/**
 * Passes a stream on, and counts its bytes.
 * @param {Iterable<any> | AsyncIterable<any>} source
 * @param {{ size: number }} measured
 */
async function* measure(source, measured) {
  for await (const piece of source) {
    measured.size += typeof piece === 'string' ? Buffer.byteLength(piece) : (piece?.byteLength ?? 0);
    yield piece;
  }
}

/** What monitors are told. @param {AdvancedCache} cache */
function figuresOf(cache) {
  const { memory, disk, ...others } = cache.stats;
  const level = (/** @type {string} */ name, /** @type {Record<string, number>} */ figures) =>
    Object.entries(figures).map(([figure, value]) => [`${name}.${figure}`, value]);
  return { ...Object.fromEntries([...level('memory', memory), ...level('disk', disk)]), ...others };
}

addAliases(AdvancedCache, { put: 'set', del: 'delete', close: 'shutdown', [ASYNC_DISPOSE]: 'shutdown' });

/** The cache that everybody shares. Opened at its first use. */
const advancedCache = new AdvancedCache({ name: 'default' });

module.exports = { AdvancedCache, advancedCache };
