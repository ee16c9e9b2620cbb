'use strict';

// Fills a cache before anybody asks: each source yields items, or one value, and says under which keys they belong.

const { DISPOSE, addAliases } = require('../aliases.js');
const { HotpathError, invalidArgType } = require('../errors.js');
const check = require('../validate.js');
const { ttlArgument } = require('./ttl-argument.js');

const SOURCE_OPTIONS = ['source', 'key', 'ttlMs'];
const RUN_OPTIONS = ['concurrency', 'onProgress', 'signal'];
const CONCURRENCY = 10;
/** Errors of a run that its report keeps; the rest is counted. */
const KEPT_ERRORS = 100;

/** What a data service is asked for that has methods of these names. */
const WELL_KNOWN = {
  getActiveUsers: { name: 'users', key: (/** @type {any} */ user) => `user:${user.id}`, ttlMs: 3_600_000 },
  getAllIntents: { name: 'intents', key: 'intents:all', ttlMs: 7_200_000 },
};

/**
 * @typedef {object} Source
 * @property {any} source
 * @property {string | ((item: any) => string)} key
 * @property {number | undefined} ttlMs
 */

class CacheWarmer {
  #cache;
  #service;
  /** @type {Map<string, Source>} */
  #sources = new Map();
  /** @type {Promise<any> | undefined} */
  #running;
  /** @type {NodeJS.Timeout | undefined} */
  #timer;

  /**
   * @param {any} cache
   * @param {any} [origin] a data service, or sources by name
   */
  constructor(cache, origin) {
    this.#cache = check.settable(cache, 'cache');
    if (origin === undefined) return;
    if (typeof origin !== 'object' || origin === null) throw invalidArgType('an object', 'sources', origin);
    if (isSources(origin)) {
      for (const [name, { source, ...options }] of Object.entries(origin)) this.add(name, source, options);
    } else {
      this.#service = origin;
      this.#addWellKnown(origin);
    }
  }

  /** @param {any} service */
  #addWellKnown(service) {
    for (const [method, { name, ...options }] of Object.entries(WELL_KNOWN)) {
      if (typeof service[method] === 'function') this.add(name, () => service[method](), options);
    }
  }

  /**
   * @param {string} name
   * @param {any} source an array, an (async) iterable, or a function that gives one of these or a single value
   * @param {unknown} options
   */
  add(name, source, options) {
    const { key, ttlMs } = check.options(options, 'options', SOURCE_OPTIONS.slice(1));
    if (typeof key !== 'function') check.nonEmptyString(key, 'options.key');
    if (ttlMs !== undefined) check.positiveNumber(ttlMs, 'options.ttlMs');
    if (source === undefined || source === null)
      throw invalidArgType('an array, an iterable or a function', 'source', source);
    this.#sources.set(check.nonEmptyString(name, 'name'), { source, key, ttlMs });
    return this;
  }

  /**
   * Runs all sources. While one run is under way, another call joins it.
   * @param {unknown} [options]
   */
  async warmCache(options) {
    const { concurrency = CONCURRENCY, onProgress, signal } = check.options(options, 'options', RUN_OPTIONS);
    check.positiveInteger(concurrency, 'options.concurrency');
    if (onProgress !== undefined) check.function_(onProgress, 'options.onProgress');
    this.#running ??= this.#run({ concurrency, onProgress, signal }).finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /**
   * Warms the cache again and again. A run that takes longer than the interval delays the next one.
   * @param {number} intervalMs
   * @returns {() => void} ends it
   */
  schedule(intervalMs) {
    check.positiveInteger(intervalMs, 'intervalMs');
    this.stop();
    const timer = setInterval(() => this.warmCache().catch(() => {}), intervalMs).unref();
    this.#timer = timer;
    return () => clearInterval(timer);
  }

  /** Ends the schedule. A run under way comes to its end. */
  stop() {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** @param {{ concurrency: number, onProgress?: (progress: any) => void, signal?: AbortSignal }} options */
  async #run({ concurrency, onProgress, signal }) {
    const started = Date.now();
    const run = new Run(onProgress, signal);
    for (const [name, source] of this.#sources) {
      if (signal?.aborted) break;
      await this.#warm(name, source, concurrency, run);
    }
    return { ...run.report, aborted: signal?.aborted === true, durationMs: Date.now() - started };
  }

  /**
   * @param {string} name
   * @param {Source} source
   * @param {number} concurrency
   * @param {Run} run
   */
  async #warm(name, { source, key, ttlMs }, concurrency, run) {
    try {
      const given = await (typeof source === 'function' ? source(this.#service) : source);
      // One key for all: the value is what the source gave.
      const items = typeof key === 'string' ? [given] : iterable(given, name);
      const keyOf = typeof key === 'string' ? () => key : key;
      const set = async (/** @type {any} */ item) => {
        const itemKey = keyOf(item);
        try {
          await this.#cache.set(itemKey, item, ttlArgument(this.#cache, ttlMs));
          run.warmed(name);
        } catch (error) {
          run.failed(name, error, itemKey);
        }
      };
      await eachOf(items, concurrency, set, () => run.aborted);
    } catch (error) {
      run.failed(name, error);
    }
  }
}

addAliases(CacheWarmer, { [DISPOSE]: 'stop' });

/** What a run has done so far. */
class Run {
  report = {
    warmed: 0,
    failed: 0,
    errors: /** @type {any[]} */ ([]),
    sources: /** @type {Record<string, any>} */ ({}),
  };
  #onProgress;
  #signal;

  /** @param {((progress: any) => void) | undefined} onProgress @param {AbortSignal | undefined} signal */
  constructor(onProgress, signal) {
    this.#onProgress = onProgress;
    this.#signal = signal;
  }

  get aborted() {
    return this.#signal?.aborted === true;
  }

  /** @param {string} source */
  warmed(source) {
    this.#count(source, 'warmed');
  }

  /** @param {string} source @param {unknown} error @param {string} [key] */
  failed(source, error, key) {
    if (this.report.errors.length < KEPT_ERRORS) this.report.errors.push({ source, key, error });
    this.#count(source, 'failed');
  }

  /** @param {string} source @param {'warmed' | 'failed'} outcome */
  #count(source, outcome) {
    this.report.sources[source] ??= { warmed: 0, failed: 0 };
    this.report.sources[source][outcome]++;
    this.report[outcome]++;
    this.#onProgress?.({ source, warmed: this.report.warmed, failed: this.report.failed });
  }
}

/** @param {any} origin */
function isSources(origin) {
  const values = check.isPlainObject(origin) ? Object.values(origin) : [];
  return values.length > 0 && values.every((value) => check.isPlainObject(value) && 'source' in value);
}

/** @param {any} given @param {string} name */
function iterable(given, name) {
  if (given?.[Symbol.asyncIterator] || (typeof given === 'object' && given?.[Symbol.iterator])) return given;
  throw new HotpathError(`The source ${name} gave nothing to iterate over`, {
    code: 'ERR_HOTPATH_SOURCE',
    source: name,
  });
}

/**
 * Calls `run` for each item, some at a time, and takes the next one only when there is room.
 * @param {Iterable<any> | AsyncIterable<any>} items
 * @param {number} concurrency
 * @param {(item: any) => Promise<void>} run
 * @param {() => boolean} isOver
 */
async function eachOf(items, concurrency, run, isOver) {
  const underWay = new Set();
  for await (const item of items) {
    if (isOver()) break;
    const task = run(item).finally(() => underWay.delete(task));
    underWay.add(task);
    if (underWay.size >= concurrency) await Promise.race(underWay);
  }
  await Promise.all(underWay);
}

module.exports = { CacheWarmer };
