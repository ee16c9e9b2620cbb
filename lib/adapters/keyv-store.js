'use strict';

// A storage adapter for Keyv 5 and 6, and so for what builds on them (cache-manager, cacheable).
//
// Keyv turns values into strings unless it is told not to; `createKeyv` tells it, and the cache then keeps values with
// their types. Where it does, what it made of objects is handed out parsed (keyv-texts.js). Both versions put their namespace before every key: Keyv 5 itself, Keyv 6 through a bridge, which it does
// only as long as the store has no property `namespace`. So we declare none; Keyv 5 sets it, and reads by it what to clear.

const { EventEmitter } = require('node:events');
const { ASYNC_DISPOSE, addAliases } = require('../aliases.js');
const { literally } = require('../cache/globs.js');
const { openFaceMemory } = require('../cache/face-memory.js');
const validate = require('../validate.js');
const { AnyCache } = require('./any-cache.js');
const { copyOf } = require('./copy.js');
const { KeyvTexts } = require('./keyv-texts.js');
const { requirePeer } = require('../peer.js');

const OWN_OPTIONS = ['cache', 'namespace', 'parseJson'];

/** Between a namespace and a key, as Keyv 5 writes them. */
const SEPARATOR = ':';

class KeyvStore extends EventEmitter {
  #cache;
  #reach;
  #owned;
  /** @type {KeyvTexts | undefined} */
  #texts;

  /** Keyv 5 iterates over stores of dialects that it knows; ours lists keys with their namespace, as Redis does. */
  opts = { dialect: 'redis', url: 'redis' };

  /** @param {Record<string, any>} [options] */
  constructor(options = {}) {
    super();
    const {
      cache,
      namespace,
      parseJson = true,
      ...memory
    } = /** @type {Record<string, any>} */ (validate.plainObject(options, 'options'));
    if (namespace !== undefined) this.namespace = validate.string(namespace, 'options.namespace');
    if (validate.boolean(parseJson, 'options.parseJson')) this.#texts = new KeyvTexts();
    this.#owned = cache === undefined;
    this.#cache =
      cache === undefined ? openFaceMemory('KeyvStore', {}, memory) : validate.cache(cache, 'options.cache');
    if (!this.#owned) validate.options(memory, 'options', OWN_OPTIONS);
    this.#reach = new AnyCache(this.#cache);
  }

  /** The cache behind it. */
  get cache() {
    return this.#cache;
  }

  /** @param {string} key */
  async get(key) {
    const value = await this.#cache.get(key);
    return typeof value === 'string' && this.#texts !== undefined ? this.#texts.read(value) : copyOf(value);
  }

  /** Texts stay texts here: Keyv 5 has methods that take nothing else from it. @param {string[]} keys */
  async getMany(keys) {
    const values = await this.#reach.getMany(keys);
    return values.map(copyOf);
  }

  /**
   * @param {string} key
   * @param {any} value
   * @param {number} [ttl] milliseconds
   */
  async set(key, value, ttl) {
    return (await this.#reach.set(key, value, lifetime(ttl))) !== false;
  }

  /** @param {{ key: string, value: any, ttl?: number }[]} entries */
  async setMany(entries) {
    return Promise.all(entries.map(({ key, value, ttl }) => this.set(key, value, ttl)));
  }

  /** @param {string} key */
  async delete(key) {
    return this.#cache.delete(key);
  }

  /** @param {string[]} keys */
  async deleteMany(keys) {
    return (await this.#reach.deleteMany(keys)) > 0;
  }

  /** @param {string} key */
  async has(key) {
    return this.#cache.has(key);
  }

  /** @param {string[]} keys */
  async hasMany(keys) {
    return Promise.all(keys.map((key) => this.#cache.has(key)));
  }

  async clear() {
    const { namespace } = /** @type {{ namespace?: string }} */ (/** @type {unknown} */ (this));
    if (namespace === undefined) await this.#cache.clear();
    else await this.#reach.deletePattern(ofNamespace(namespace));
  }

  /**
   * All entries of a namespace, with their full keys.
   * @param {string} [namespace]
   */
  async *iterator(namespace) {
    for (const key of await this.#reach.keys(namespace === undefined ? undefined : ofNamespace(namespace))) {
      const value = copyOf(await this.#cache.get(key));
      if (value !== undefined) yield/** @type {[string, any]} */ ([key, value]);
    }
  }

  /** Closes a cache of its own; one that was given stays open. */
  async disconnect() {
    if (this.#owned) await this.#cache.close();
  }
}

addAliases(KeyvStore, { [ASYNC_DISPOSE]: 'disconnect' });

/** @param {number} [ttl] milliseconds */
function lifetime(ttl) {
  return typeof ttl === 'number' && ttl > 0 ? ttl : undefined;
}

/** The pattern of all keys of a namespace. @param {string} namespace */
function ofNamespace(namespace) {
  return `${literally(namespace)}${SEPARATOR}*`;
}

/**
 * A Keyv over a KeyvStore that leaves values as they are: nothing is turned into JSON on the way.
 * @param {Record<string, any>} [options]
 */
function createKeyv(options = {}) {
  const { ttl, namespace, ...rest } = validate.plainObject(options, 'options');
  const { Keyv } = requirePeer('keyv');
  // The names of Keyv 5 and, for the last one, of Keyv 6; neither minds the other's.
  const asItIs = { serialize: undefined, deserialize: undefined, serialization: false };
  return new Keyv({ store: new KeyvStore(rest), namespace, ttl, ...asItIs });
}

module.exports = { KeyvStore, createKeyv };
