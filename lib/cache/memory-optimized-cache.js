'use strict';

const validate = require('../validate.js');
const { estimateSize } = require('./estimate.js');
const { openFaceMemory } = require('./face-memory.js');
const { MEMORY } = require('./internal.js');

const DEFAULTS = { maxMemoryMB: 100, maxEntries: 10_000, compression: false };
const OPTIONS = ['maxMemoryMB', 'maxEntries', 'evictionPolicy', 'compression', 'name', 'budget'];
const MONITOR_INTERVAL_MS = 30_000;
/** Eviction on request goes on until this share of the memory is in use. */
const EVICTION_TARGET = 0.8;
/** The heap may grow to this multiple of the cache's memory before the monitor asks for a collection. */
const HEAP_ALLOWANCE = 1.2;

class MemoryOptimizedCache {
  #cache;
  /** @type {NodeJS.Timeout | undefined} */
  #monitor;

  /** @param {import('../../types/cache.js').MemoryOptimizedCacheOptions} [options] */
  constructor(options = {}) {
    this.#cache = openFaceMemory('MemoryOptimizedCache', DEFAULTS, validate.options(options, 'options', OPTIONS));
    this.startMemoryMonitoring();
  }

  [MEMORY]() {
    return this.#cache;
  }

  get memoryUsage() {
    return this.#cache.stats.bytes;
  }

  get entryCount() {
    return this.#cache.size;
  }

  get compressionRatio() {
    const { originalBytes, storedBytes } = this.#cache.stats.compression;
    return originalBytes === 0 ? 0 : storedBytes / originalBytes;
  }

  get stats() {
    return this.#cache.stats;
  }

  get closed() {
    return this.#cache.closed;
  }

  /**
   * @param {string} key
   * @param {unknown} value
   * @param {number | null} [ttlSeconds]
   */
  async put(key, value, ttlSeconds) {
    const forever = ttlSeconds === null || ttlSeconds === 0;
    return this.#cache.set(key, value, forever ? undefined : ttlSeconds);
  }

  /**
   * @param {string} key
   * @param {unknown} value
   * @param {number | null} [ttlSeconds]
   */
  async set(key, value, ttlSeconds) {
    return this.put(key, value, ttlSeconds);
  }

  /** @param {string} key */
  async get(key) {
    return this.#cache.get(key);
  }

  /** @param {string} key */
  async has(key) {
    return this.#cache.has(key);
  }

  /** @param {string} key */
  async delete(key) {
    return this.#cache.delete(key);
  }

  /** @param {string} key */
  async del(key) {
    return this.#cache.delete(key);
  }

  async clear() {
    this.#cache.clear();
  }

  /** @param {number} bytes */
  async evictEntries(bytes) {
    validate.nonNegativeNumber(bytes, 'bytes');
    const { bytes: held, maxBytes } = this.#cache.stats;
    return this.#cache.evict(Math.ceil(Math.max(bytes, held - maxBytes * EVICTION_TARGET)));
  }

  /** @param {unknown} value */
  estimateSize(value) {
    return estimateSize(value);
  }

  forceGarbageCollection() {
    if (typeof global.gc !== 'function') return false;
    global.gc();
    return true;
  }

  startMemoryMonitoring() {
    if (this.#monitor !== undefined || this.#cache.closed) return;
    // Weak, or the timer would keep a forgotten cache (and its memory) for ever.
    const reference = new WeakRef(this);
    const timer = setInterval(() => {
      const cache = reference.deref();
      if (cache === undefined) clearInterval(timer);
      else cache.#checkHeap();
    }, MONITOR_INTERVAL_MS);
    this.#monitor = timer.unref();
  }

  stopMemoryMonitoring() {
    clearInterval(this.#monitor);
    this.#monitor = undefined;
  }

  #checkHeap() {
    if (this.#cache.closed) return this.stopMemoryMonitoring();
    const allowed = this.#cache.stats.maxBytes * HEAP_ALLOWANCE;
    if (process.memoryUsage().heapUsed > allowed) this.forceGarbageCollection();
  }

  async close() {
    this.stopMemoryMonitoring();
    this.#cache.close();
  }

  async [Symbol.asyncDispose]() {
    await this.close();
  }
}

module.exports = { MemoryOptimizedCache };
