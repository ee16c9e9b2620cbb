'use strict';

// One place for what an application keeps to save time, so that it can be let go of when memory is short: pools, lazy
// values, and results of compression.

const { ObjectPool } = require('../workers/object-pool.js');
const { HotpathClosedError, invalidArgType } = require('../errors.js');
const { watchService } = require('../services.js');
const check = require('../validate.js');
const { BufferPool } = require('./buffer-pool.js');
const { bytesOf, checkAlgorithm, checkLevel, compressed, decompressed, restored } = require('./compression.js');
const { CompressionCache } = require('./compression-cache.js');
const { Lazy } = require('./lazy.js');
const { LoadedValues } = require('./loaded-values.js');

const OPTIONS = ['memoryLimit', 'compressionEnabled', 'lazyLoadingEnabled', 'garbageCollectionInterval'];

/** Of the memory limit, what remembered results of compression may take. */
const CACHE_SHARE = 1 / 16;

/** What an engine with compression off answers with. */
const NONE = 'none';

/** What monitors are told. @param {MemoryOptimizationEngine} engine */
function figuresOf(engine) {
  const { current, tracking, pools } = engine.stats;
  return { ...current, ...tracking, ...pools };
}

class MemoryOptimizationEngine {
  #memoryLimit;
  #compressionEnabled;
  #lazyLoadingEnabled;
  #timer;
  #unwatch;
  #closed = false;
  /** @type {Set<ObjectPool<any>>} */
  #objectPools = new Set();
  /** @type {Set<BufferPool>} */
  #bufferPools = new Set();
  #cache;
  #loaded = new LoadedValues();
  /** What data were before they were compressed. @type {WeakMap<Buffer, import('./compression.js').Kind>} */
  #kinds = new WeakMap();
  #compressions = 0;
  #forgotten = 0;
  #memoryPeak = 0;

  /** @param {unknown} [options] */
  constructor(options) {
    const given = check.options(options, 'options', OPTIONS);
    this.#memoryLimit = check.positiveInteger(given.memoryLimit ?? 100 * 1024 * 1024, 'options.memoryLimit');
    this.#compressionEnabled = check.boolean(given.compressionEnabled ?? true, 'options.compressionEnabled');
    this.#lazyLoadingEnabled = check.boolean(given.lazyLoadingEnabled ?? true, 'options.lazyLoadingEnabled');
    const path = 'options.garbageCollectionInterval';
    const interval = check.positiveNumber(given.garbageCollectionInterval ?? 60_000, path);
    this.#cache = new CompressionCache(this.#memoryLimit * CACHE_SHARE);
    this.#timer = watch(this, interval);
    this.#sample();
    this.#unwatch = watchService('memory', undefined, this, figuresOf);
  }

  get closed() {
    return this.#closed;
  }

  /**
   * @param {unknown} data
   * @param {unknown} [algorithm]
   * @param {unknown} [options]
   */
  async compress(data, algorithm = 'gzip', options = undefined) {
    this.#checkOpen();
    const name = checkAlgorithm(algorithm, 'algorithm');
    const { level } = check.options(options, 'options', ['level']);
    const checked = checkLevel(name, level, 'options.level');
    const { bytes, kind } = bytesOf(data);
    const result = this.#compressionEnabled
      ? await this.#compressed(name, checked, bytes)
      : { data: Buffer.from(bytes), algorithm: NONE };
    this.#kinds.set(result.data, kind);
    const [originalSize, compressedSize] = [bytes.length, result.data.length];
    const ratio = originalSize === 0 ? 1 : compressedSize / originalSize;
    return { ...result, originalSize, compressedSize, ratio };
  }

  /** @param {import('./compression.js').Algorithm} algorithm @param {number} level @param {Buffer} bytes */
  async #compressed(algorithm, level, bytes) {
    const how = `${algorithm}:${level}`;
    const { data, made } = await this.#cache.get(how, bytes, () => compressed(algorithm, level, bytes));
    if (made) this.#compressions += 1;
    return { data, algorithm };
  }

  /**
   * @param {any} compressedData what `compress` gave, or its bytes
   * @param {unknown} [algorithm]
   * @param {unknown} [options]
   */
  async decompress(compressedData, algorithm = compressedData?.algorithm ?? 'gzip', options = undefined) {
    this.#checkOpen();
    const data = ArrayBuffer.isView(compressedData) ? compressedData : compressedData?.data;
    if (!ArrayBuffer.isView(data))
      throw invalidArgType('bytes, or what compress() gave,', 'compressed', compressedData);
    const { maxBytes = this.#memoryLimit, as } = check.options(options, 'options', ['maxBytes', 'as']);
    check.nonNegativeInteger(maxBytes, 'options.maxBytes');
    const kind = as === undefined ? this.#kinds.get(/** @type {Buffer} */ (data)) : checkKind(as);
    const { bytes } = bytesOf(data);
    if (algorithm === NONE) return restored(Buffer.from(bytes), kind ?? 'buffer');
    const name = checkAlgorithm(algorithm, 'algorithm');
    return restored(await decompressed(name, maxBytes, bytes), kind ?? 'buffer');
  }

  /**
   * @template {object} T
   * @param {() => T} createFn
   * @param {(object: T) => void} resetFn
   * @param {number} [initialSize]
   * @param {{ maxSize?: number }} [options]
   */
  createObjectPool(createFn, resetFn, initialSize, options) {
    this.#checkOpen();
    const pool = new ObjectPool(createFn, resetFn, initialSize, options);
    this.#objectPools.add(pool);
    return pool;
  }

  /** @param {number} size @param {number} count @param {unknown} [options] */
  createBufferPool(size, count, options) {
    this.#checkOpen();
    const pool = new BufferPool(size, count, options);
    this.#bufferPools.add(pool);
    return pool;
  }

  /**
   * @template T
   * @param {() => T | Promise<T>} loader
   */
  createLazy(loader) {
    this.#checkOpen();
    const lazy = new Lazy(loader, this.#loaded);
    // Who awaits it hears of a failure; nobody has to.
    if (!this.#lazyLoadingEnabled) lazy.get().catch(() => {});
    return lazy;
  }

  optimize() {
    this.#checkOpen();
    const before = process.memoryUsage().heapUsed;
    const isShort = before > this.#memoryLimit;
    const buffersReleased = sum(this.#bufferPools, (pool) => pool.trim());
    const objectsReleased = sum(this.#objectPools, (pool) => {
      const { idle } = pool.stats;
      pool.clear();
      return idle;
    });
    const lazyUnloaded = this.#loaded.unload(isShort);
    const resultsForgotten = this.#cache.clear();
    this.#forgotten += resultsForgotten;
    const garbageCollected = typeof globalThis.gc === 'function';
    if (garbageCollected) globalThis.gc?.();
    const after = process.memoryUsage().heapUsed;
    return {
      before,
      after,
      freed: Math.max(0, before - after),
      objectsReleased,
      buffersReleased,
      lazyUnloaded,
      resultsForgotten,
      garbageCollected,
    };
  }

  /** What the timer does: nothing while memory is not short. */
  optimizeIfShort() {
    if (this.#sample().heapUsed <= this.#memoryLimit) return undefined;
    return this.optimize();
  }

  getStats() {
    const current = this.#sample();
    const made = sum(this.#objectPools, (pool) => pool.stats.created);
    const discarded = sum(this.#objectPools, (pool) => pool.stats.discarded);
    const allocated = sum(this.#bufferPools, (pool) => pool.stats.created);
    const dropped = sum(this.#bufferPools, (pool) => pool.stats.discarded);
    return {
      current,
      tracking: {
        memoryUsage: current.heapUsed,
        memoryPeak: this.#memoryPeak,
        allocationCount: made + allocated + this.#loaded.loads + this.#compressions,
        deallocationCount: discarded + dropped + this.#loaded.unloads + this.#forgotten + this.#cache.evictions,
      },
      pools: {
        objectPools: this.#objectPools.size,
        bufferPools: this.#bufferPools.size,
        lazyCache: this.#loaded.size,
        compressionCache: this.#cache.size,
      },
    };
  }

  get stats() {
    return this.getStats();
  }

  #sample() {
    const { heapUsed, heapTotal, external, rss } = process.memoryUsage();
    this.#memoryPeak = Math.max(this.#memoryPeak, heapUsed);
    return { heapUsed, heapTotal, external, rss };
  }

  #checkOpen() {
    if (this.#closed) throw new HotpathClosedError('The memory optimization engine is closed');
  }

  close() {
    if (this.#closed) return;
    this.optimize();
    this.#loaded.unload(true);
    this.#closed = true;
    clearInterval(this.#timer);
    this.#unwatch();
  }

  [Symbol.dispose ?? Symbol.for('nodejs.dispose')]() {
    this.close();
  }
}

/** Looks after an engine now and then, without keeping it or the process. @param {MemoryOptimizationEngine} engine @param {number} intervalMs */
function watch(engine, intervalMs) {
  if (intervalMs === Infinity) return undefined;
  const held = new WeakRef(engine);
  // Longer intervals overflow Node's timers, which then fire at once.
  const timer = setInterval(
    () => {
      const there = held.deref();
      if (there === undefined) clearInterval(timer);
      else there.optimizeIfShort();
    },
    Math.min(intervalMs, 2 ** 31 - 1),
  );
  return timer.unref();
}

/** @param {unknown} as */
function checkKind(as) {
  return check.oneOf(as, 'options.as', /** @type {const} */ (['buffer', 'string', 'json']));
}

/**
 * @template T
 * @param {Iterable<T>} items
 * @param {(item: T) => number} count
 */
function sum(items, count) {
  let total = 0;
  for (const item of items) total += count(item);
  return total;
}

module.exports = { MemoryOptimizationEngine };
