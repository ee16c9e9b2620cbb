'use strict';

// Tiers as users bring them: caches of ours, which native code reaches by itself, and foreign objects, which it asks
// JavaScript to use.

const { invalidArgType } = require('../errors.js');
const check = require('../validate.js');
const { TIER } = require('./internal.js');
const { isKeyv, ttlArgument, ttlForm } = require('./ttl-argument.js');

const UNITS = /** @type {const} */ (['s', 'ms']);

/** Marks an object that holds a value and what goes with it. No value of a user's has this property by chance. */
const ENVELOPE = '@hotpath/entry';

/**
 * What goes with a value.
 * @typedef {object} Attributes
 * @property {number} [expires] milliseconds since 1970
 * @property {number} [keptUntil] milliseconds since 1970
 * @property {string[]} [tags] names and generations, in turns
 */

/**
 * How the two forms of the constructor differ for foreign tiers.
 * @typedef {object} Manner
 * @property {readonly string[]} writers names of methods that write, the preferred one first
 * @property {(value: unknown) => boolean} isMiss
 */

/** @type {Manner} */
const OPTIONS_MANNER = Object.freeze({ writers: ['put', 'set'], isMiss: (value) => value === undefined });

/** @type {Manner} */
const POSITIONAL_MANNER = Object.freeze({
  writers: ['set', 'put'],
  isMiss: (value) => value === null || value === undefined,
});

const DELETERS = ['delete', 'del', 'remove'];
const CLEARERS = ['clear', 'flushAll', 'reset'];

/** @param {any} object @param {readonly string[]} names */
function methodOf(object, names) {
  return names.find((name) => typeof object[name] === 'function');
}

/** @param {unknown} value */
function isCache(value) {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return false;
  return methodOf(value, ['get']) !== undefined && methodOf(value, ['set', 'put']) !== undefined;
}

class ForeignTier {
  #object;
  #manner;
  #writer;
  #ttlForm;
  #readRaw;

  /**
   * @param {any} object
   * @param {Manner} manner
   * @param {ReturnType<typeof ttlForm>} form in which it takes durations
   */
  constructor(object, manner, form) {
    this.#object = object;
    this.#manner = manner;
    this.#writer = /** @type {string} */ (methodOf(object, manner.writers));
    this.#ttlForm = form;
    this.#readRaw = isKeyv(object) ? rawReader(object) : undefined;
  }

  /**
   * @param {string} key
   * @returns {Promise<(Attributes & { value: unknown }) | undefined>}
   */
  async get(key) {
    if (this.#readRaw !== undefined) {
      const raw = await this.#readRaw(key);
      if (raw === undefined || raw === null || this.#manner.isMiss(raw.value)) return undefined;
      return { expires: raw.expires ?? undefined, keptUntil: raw.expires ?? undefined, ...opened(raw.value) };
    }
    const value = await this.#object.get(key);
    return this.#manner.isMiss(value) ? undefined : opened(value);
  }

  /**
   * @param {string} key
   * @param {unknown} value
   * @param {number | undefined} ttlMs
   * @param {Attributes} [attributes] unless it has none but its end
   */
  async set(key, value, ttlMs, attributes) {
    const ttl = ttlArgument(this.#object, ttlMs, this.#ttlForm);
    if (attributes !== undefined) {
      await this.#object[this.#writer](key, { [ENVELOPE]: 1, value, ...attributes }, ttl);
    } else if (this.#manner.isMiss(value)) {
      // It could not be told from nothing.
      await this.delete([key]);
    } else {
      await this.#object[this.#writer](key, value, ttl);
    }
  }

  /** @param {string[]} keys @returns {Promise<boolean>} whether any was there, as far as the object says */
  async delete(keys) {
    const method = methodOf(this.#object, DELETERS);
    if (method === undefined) throw new TypeError('The tier has no method to delete');
    const answers = await Promise.all(keys.map((key) => this.#object[method](key)));
    return answers.some((answer) => answer === true || (typeof answer === 'number' && answer > 0));
  }

  /** @returns {Promise<string[]>} those that are text, which is what ours are */
  async keys() {
    const found = keysOf(this.#object);
    if (found === undefined) throw new TypeError('The tier has no method to name its keys');
    const keys = [];
    for await (const key of await found) if (typeof key === 'string') keys.push(key);
    return keys;
  }

  async clear() {
    const method = methodOf(this.#object, CLEARERS);
    if (method === undefined) throw new TypeError('The tier has no method to clear');
    await this.#object[method]();
  }
}

/**
 * All keys of an object, as far as it can name them: of a Keyv, an async iteration over pairs.
 * @param {any} object
 * @returns {Iterable<unknown> | AsyncIterable<unknown> | Promise<Iterable<unknown>> | undefined}
 */
function keysOf(object) {
  if (typeof object.keys === 'function') return object.keys('*');
  if (isKeyv(object) && typeof object.iterator === 'function') return firsts(object.iterator(object.namespace));
  return undefined;
}

/** @param {AsyncIterable<[unknown, unknown]>} pairs */
async function* firsts(pairs) {
  for await (const [first] of pairs) yield first;
}

/** Reads of a Keyv that say when a value expires. @param {any} keyv */
function rawReader(keyv) {
  if (typeof keyv.getRaw === 'function') return (/** @type {string} */ key) => keyv.getRaw(key);
  return (/** @type {string} */ key) => keyv.get(key, { raw: true });
}

/** @param {any} stored @returns {Attributes & { value: unknown }} */
function opened(stored) {
  if (typeof stored !== 'object' || stored === null || stored[ENVELOPE] !== 1) return { value: stored };
  const { value, expires, keptUntil, tags } = stored;
  return { value, expires, keptUntil, tags };
}

/**
 * A tier as it was given, described for native code.
 * @typedef {object} Described
 * @property {any} given what the user gave
 * @property {{ kind: string, handle?: number }} native
 * @property {ForeignTier} [foreign] for what native code cannot use itself
 */

/**
 * @param {any} value
 * @param {string} path
 * @param {Manner} manner
 * @returns {Described}
 */
function describeTier(value, path, manner) {
  if (check.isPlainObject(value) && 'tier' in value && !isCache(value)) {
    const given = check.options(value, path, ['tier', 'ttlUnit']);
    const unit = given.ttlUnit === undefined ? undefined : check.oneOf(given.ttlUnit, `${path}.ttlUnit`, UNITS);
    return describe(given.tier, `${path}.tier`, manner, unit);
  }
  return describe(value, path, manner, undefined);
}

/**
 * @param {any} object
 * @param {string} path
 * @param {Manner} manner
 * @param {'s' | 'ms' | undefined} unit
 * @returns {Described}
 */
function describe(object, path, manner, unit) {
  if (!isCache(object)) throw invalidArgType('a cache with the methods get and set or put', path, object);
  const native = object[TIER]?.();
  if (native !== undefined) return { given: object, native };
  const foreign = new ForeignTier(object, manner, unit ?? ttlForm(object));
  return { given: object, native: { kind: 'foreign' }, foreign };
}

module.exports = { ForeignTier, OPTIONS_MANNER, POSITIONAL_MANNER, describeTier, isCache };
