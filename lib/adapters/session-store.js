'use strict';

// A session store for express-session, over any cache of hotpath.
//
// Sessions are kept as JSON, as all stores of express-session keep them: what a session may hold does not depend on the
// store. Every read gives an object of its own.

const { EventEmitter } = require('node:events');
const { ASYNC_DISPOSE, addAliases } = require('../aliases.js');
const { openFaceMemory } = require('../cache/face-memory.js');
const { requirePeer } = require('../peer.js');
const validate = require('../validate.js');
const { AnyCache } = require('./any-cache.js');

const DEFAULTS = { prefix: 'sess:', ttlMs: 86_400_000 };
const OWN_OPTIONS = ['cache', 'prefix', 'ttlMs'];

/** @typedef {{ cookie?: { expires?: string | Date | null, maxAge?: number | null }, [name: string]: any }} Data */
/** @typedef {(error?: unknown, result?: any) => void} Callback */

class SessionStore extends EventEmitter {
  #cache;
  #reach;
  #owned;
  #prefix;
  #ttlMs;

  /** Set by express-session: gives a request a new session. @type {(request: any) => void} */
  generate = () => {};

  /** @param {Record<string, any>} [options] */
  constructor(options = {}) {
    super();
    /** @type {Record<string, any>} */
    const given = { ...DEFAULTS, ...validate.plainObject(options, 'options') };
    const { cache, prefix, ttlMs, ...memory } = given;
    this.#prefix = validate.string(prefix, 'options.prefix');
    this.#ttlMs = validate.positiveNumber(ttlMs, 'options.ttlMs');
    this.#owned = cache === undefined;
    this.#cache =
      cache === undefined ? openFaceMemory('SessionStore', {}, memory) : validate.cache(cache, 'options.cache');
    if (!this.#owned) validate.options(memory, 'options', OWN_OPTIONS);
    this.#reach = new AnyCache(this.#cache);
  }

  /** The cache behind it. */
  get cache() {
    return this.#cache;
  }

  /** @param {string} id @param {Callback} callback */
  get(id, callback) {
    answer(this.#read(id), callback);
  }

  /** @param {string} id @param {Data} session @param {Callback} [callback] */
  set(id, session, callback) {
    answer(this.#write(id, session), callback);
  }

  /**
   * Lets a session live on. Its contents are not touched, so a request that changes them at the same time wins.
   * @param {string} id
   * @param {Data} session
   * @param {Callback} [callback]
   */
  touch(id, session, callback) {
    answer(this.#prolong(id, session), callback);
  }

  /** @param {string} id @param {Callback} [callback] */
  destroy(id, callback) {
    answer(this.#remove(id), callback);
  }

  /** @param {Callback} callback gets an object of all sessions by their id */
  all(callback) {
    answer(this.#readAll(), callback);
  }

  /** @param {Callback} callback */
  length(callback) {
    answer(
      this.#keys().then((keys) => keys.length),
      callback,
    );
  }

  /** @param {Callback} [callback] */
  clear(callback) {
    answer(this.#removeAll(), callback && ((error) => callback(error)));
  }

  /** Gives a request a new session in place of its own. @param {any} request @param {Callback} callback */
  regenerate(request, callback) {
    this.destroy(request.sessionID, (error) => {
      this.generate(request);
      callback(error);
    });
  }

  /** @param {string} id @param {Callback} callback gets a Session of express-session */
  load(id, callback) {
    const request = { sessionID: id, sessionStore: this };
    answer(
      this.#read(id).then((data) => data && this.createSession(request, data)),
      callback,
    );
  }

  /** @param {any} request @param {Data} data */
  createSession(request, data) {
    return requirePeer('express-session').Store.prototype.createSession.call(this, request, data);
  }

  /** Closes a cache of its own; one that was given stays open. */
  async close() {
    if (this.#owned) await this.#cache.close();
  }

  /** @param {string} id */
  async #read(id) {
    const text = await this.#cache.get(this.#prefix + id);
    return text === undefined || text === null ? undefined : JSON.parse(text);
  }

  /** @param {string} id @param {Data} session */
  async #write(id, session) {
    const ttlMs = this.#remaining(session);
    if (ttlMs <= 0) return this.#remove(id);
    await this.#reach.set(this.#prefix + id, JSON.stringify(session), ttlMs);
  }

  /** @param {string} id @param {Data} session */
  async #prolong(id, session) {
    const ttlMs = this.#remaining(session);
    if (ttlMs <= 0) return this.#remove(id);
    await this.#reach.touch(this.#prefix + id, ttlMs);
  }

  /** @param {string} id */
  async #remove(id) {
    await this.#cache.delete(this.#prefix + id);
  }

  async #removeAll() {
    // A cache in memory answers at once: what is asked next must not see what is cleared here.
    const listed = this.#reach.keys();
    const keys = 'then' in listed ? await listed : listed;
    await this.#reach.deleteMany(this.#own(keys));
  }

  async #readAll() {
    const keys = await this.#keys();
    /** @type {string[]} */
    const texts = await this.#reach.getMany(keys);
    const pairs = texts.map((text, index) => [keys[index].slice(this.#prefix.length), text]);
    // Some may have expired since the keys were listed.
    const present = pairs.filter(([, text]) => typeof text === 'string');
    return Object.fromEntries(present.map(([id, text]) => [id, JSON.parse(text)]));
  }

  /** @returns {Promise<string[]>} */
  async #keys() {
    return this.#own(await this.#reach.keys());
  }

  /** @param {Iterable<string>} keys */
  #own(keys) {
    return [...keys].filter((key) => key.startsWith(this.#prefix));
  }

  /** Milliseconds that a session has to live. @param {Data} session */
  #remaining({ cookie }) {
    if (cookie?.expires) return new Date(cookie.expires).getTime() - Date.now();
    // Cookies of express-session have both; an application's own data may say one.
    return typeof cookie?.maxAge === 'number' ? cookie.maxAge : this.#ttlMs;
  }
}

addAliases(SessionStore, { [ASYNC_DISPOSE]: 'close' });

/**
 * @param {Promise<any>} promise
 * @param {Callback} [callback]
 */
function answer(promise, callback = ignore) {
  // On a turn of its own: what a callback throws is not the promise's failure.
  promise.then(
    (result) => process.nextTick(callback, null, result),
    (error) => process.nextTick(callback, error),
  );
}

function ignore() {}

module.exports = { SessionStore };
