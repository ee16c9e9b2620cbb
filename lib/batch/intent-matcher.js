'use strict';

// Matching a text against many patterns. Native code looks for all of them in one pass; what it cannot tell (look-around,
// back-references) stays with the JavaScript engine, and the first match in order wins whoever found it.

const native = require('../native.js');
const environment = require('../environment.js');
const { HotpathClosedError, invalidArgType } = require('../errors.js');
const { translated } = require('../native-errors.js');
const { watchService } = require('../services.js');
const check = require('../validate.js');
const { ensureCaseTable } = require('./case-table.js');
const { RecentMap } = require('./recent-map.js');

const DEFAULT_CACHE_ENTRIES = 10_000;

/** Longer texts are not remembered, so that the cache is bounded in bytes as well. */
const LONGEST_CACHED = 1_024;

/** The number of no pattern. */
const NONE = -1;
const NO_HANDLE = -1;

const collected = new FinalizationRegistry((/** @type {number} */ handle) => native.closeIntents(handle));

/** @typedef {{ id: any, pattern?: string | RegExp }} Intent */

/** @param {OptimizedIntentMatcher} matcher */
const statsOf = (matcher) => matcher.stats;

class OptimizedIntentMatcher {
  /** @type {Intent[]} those that have a pattern */
  #intents;
  #handle;
  #unwatch;
  /** @type {{ number: number, regex: RegExp }[]} left to JavaScript, in order */
  #fallbacks;
  #fallbackReasons;
  #given;
  /** @type {RecentMap<number>} text to the number of its intent */
  #cache;
  #cacheEntries;
  #counts = { matches: 0, misses: 0, cacheHits: 0, fallbackTests: 0 };

  /** @param {unknown} intents @param {unknown} [options] */
  constructor(intents, options) {
    if (!Array.isArray(intents)) throw invalidArgType('an array of intents', 'intents', intents);
    const { cacheEntries = DEFAULT_CACHE_ENTRIES } = check.options(options, 'options', ['cacheEntries']);
    this.#cacheEntries = check.nonNegativeInteger(cacheEntries, 'options.cacheEntries');
    this.#cache = new RecentMap(this.#cacheEntries);
    this.#given = intents.length;
    this.#intents = intents.filter((intent, index) => hasPattern(intent, `intents[${index}]`));
    // V8 is asked about every pattern: what it does not take is an error, and its own.
    const regexes = this.#intents.map(({ pattern }) => new RegExp(/** @type {string | RegExp} */ (pattern), 'i'));
    ensureCaseTable();
    const sources = this.#intents.map(({ pattern }, index) => {
      const source = typeof pattern === 'string' ? pattern : regexes[index].source;
      // Lone surrogates would not survive the way; the few such patterns stay here.
      return source.isWellFormed() ? source : null;
    });
    const { handle, foreign, reasons } = translated(() => native.openIntents(sources));
    this.#handle = handle;
    this.#fallbacks = foreign.map((/** @type {number} */ number) => ({ number, regex: regexes[number] }));
    this.#fallbackReasons = countBy(reasons);
    collected.register(this, handle, this);
    this.#unwatch = watchService('intents', undefined, this, statsOf);
  }

  /** @param {unknown} input */
  async match(input) {
    return this.#intentOf(this.#find(this.#check(input, 'input')));
  }

  /** @param {unknown} input */
  async matchAll(input) {
    const text = this.#check(input, 'input');
    /** @type {number[]} */
    const numbers = native.intentsAll(this.#handle, text);
    for (const { number, regex } of this.#fallbacks) if (this.#test(regex, text)) numbers.push(number);
    this.#count(numbers.length > 0);
    return numbers.sort((a, b) => a - b).map((number) => this.#intents[number]);
  }

  /** @param {unknown} inputs */
  async matchMany(inputs) {
    if (!Array.isArray(inputs)) throw invalidArgType('an array of strings', 'inputs', inputs);
    const texts = inputs.map((input, index) => this.#check(input, `inputs[${index}]`));
    const found = await environment.pending((operation) =>
      native.intentsFirstOfMany(this.#handle, texts, texts.length, operation),
    );
    return texts.map((text, index) => {
      const number = this.#withFallbacks(text, found[index]);
      this.#count(number !== NONE);
      return this.#intentOf(number);
    });
  }

  /** @param {unknown} input @param {string} path @returns {string} */
  #check(input, path) {
    if (this.#handle === NO_HANDLE) throw new HotpathClosedError('The intent matcher is closed');
    return check.string(input, path);
  }

  /** @param {string} text */
  #find(text) {
    const known = this.#cache.get(text);
    if (known !== undefined) {
      this.#counts.cacheHits++;
      this.#count(known !== NONE);
      return known;
    }
    const number = this.#withFallbacks(text, native.intentsFirst(this.#handle, text));
    this.#remember(text, number);
    this.#count(number !== NONE);
    return number;
  }

  /** The first match, when native code has found this one. @param {string} text @param {number} found */
  #withFallbacks(text, found) {
    for (const { number, regex } of this.#fallbacks) {
      if (found !== NONE && number > found) break;
      if (this.#test(regex, text)) return number;
    }
    return found;
  }

  /** @param {RegExp} regex @param {string} text */
  #test(regex, text) {
    this.#counts.fallbackTests++;
    return regex.test(text);
  }

  /** @param {string} text @param {number} number */
  #remember(text, number) {
    if (this.#cacheEntries === 0 || text.length > LONGEST_CACHED) return;
    this.#cache.add(text, number);
  }

  /** @param {boolean} matched */
  #count(matched) {
    if (matched) this.#counts.matches++;
    else this.#counts.misses++;
  }

  /** @param {number} number */
  #intentOf(number) {
    return number === NONE ? null : this.#intents[number];
  }

  get stats() {
    return {
      intents: this.#given,
      patterns: this.#intents.length,
      nativePatterns: this.#intents.length - this.#fallbacks.length,
      fallbackPatterns: this.#fallbacks.length,
      fallbackReasons: { ...this.#fallbackReasons },
      ...this.#counts,
      cacheEntries: this.#cache.size,
    };
  }

  get closed() {
    return this.#handle === NO_HANDLE;
  }

  close() {
    if (this.closed) return;
    const handle = this.#handle;
    this.#handle = NO_HANDLE;
    this.#cache.clear();
    collected.unregister(this);
    this.#unwatch();
    native.closeIntents(handle);
  }

  [Symbol.dispose ?? Symbol.for('nodejs.dispose')]() {
    this.close();
  }
}

/** Whether an intent has a pattern to match. @param {any} intent @param {string} path */
function hasPattern(intent, path) {
  if (typeof intent !== 'object' || intent === null) throw invalidArgType('an object', path, intent);
  const { pattern } = intent;
  if (pattern === undefined || pattern === null || pattern === '') return false;
  if (typeof pattern === 'string' || pattern instanceof RegExp) return true;
  throw invalidArgType('a string or a RegExp', `${path}.pattern`, pattern);
}

/** @param {string[]} names */
function countBy(names) {
  /** @type {Record<string, number>} */
  const counts = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

module.exports = { OptimizedIntentMatcher };
