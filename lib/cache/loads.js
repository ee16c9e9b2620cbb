'use strict';

// Loads under way through one handle. The engine sees to it that one caller of all threads loads a key; callers of the
// same handle share a promise here and do not ask the engine at all.

const native = require('../native.js');
const environment = require('../environment.js');
const { decodeThrown, encodeThrown } = require('./thrown.js');

/** Answers to joining a load; anything else is the answer of a read. */
const LEAD = 1;
const FOLLOW = 2;

const NOTHING = Buffer.alloc(0);

/**
 * @typedef {object} Callbacks
 * @property {(answer: any) => any} receive makes a value of a native answer
 * @property {() => void} settled runs after a value was stored
 */

class Loads {
  /** @type {Map<string, Promise<any>>} */
  #promises = new Map();
  #handle;
  #codec;
  #shared;

  /**
   * @param {number} handle
   * @param {import('./codec.js').Codec} codec
   * @param {{ shared: boolean }} options whether other handles may wait for the same load
   */
  constructor(handle, codec, { shared }) {
    this.#handle = handle;
    this.#codec = codec;
    this.#shared = shared;
  }

  /**
   * Joins the load of a key in this handle, or begins one.
   * @param {string} key
   * @param {(key: string) => any} loader
   * @param {import('./memory-arguments.js').Lifetime} life
   * @param {Callbacks} callbacks
   * @returns {{ promise: Promise<any>, joined: boolean }}
   */
  load(key, loader, life, callbacks) {
    const pending = this.#promises.get(key);
    if (pending !== undefined) return { promise: pending, joined: true };
    const forget = () => {
      if (this.#promises.get(key) === promise) this.#promises.delete(key);
    };
    const promise = this.#begin(key, loader, life, callbacks);
    this.#promises.set(key, promise);
    promise.then(forget, forget);
    return { promise, joined: false };
  }

  /**
   * @param {string} key
   * @param {(key: string) => any} loader
   * @param {import('./memory-arguments.js').Lifetime} life
   * @param {Callbacks} callbacks
   */
  #begin(key, loader, life, { receive, settled }) {
    const operation = environment.nextOperation();
    const lead = () => this.#lead(operation, key, loader, life).finally(settled);
    const answer = native.join(this.#handle, key, operation);
    if (answer === LEAD) return lead();
    if (answer === FOLLOW) return this.#follow(operation, lead);
    return Promise.resolve(receive(answer));
  }

  /**
   * Waits for another thread. Until it is told, this one must not go.
   * @param {number} operation
   * @param {() => Promise<any>} lead
   */
  #follow(operation, lead) {
    return new Promise((resolve, reject) => {
      // `then`, so that what cannot be decoded rejects this promise.
      environment.awaitOperation(operation, {
        succeed: (kind, value) =>
          Promise.resolve(kind)
            .then(() => this.#codec.decodeAlone(kind, value))
            .then(resolve, reject),
        fail: (error) =>
          Promise.resolve(error)
            .then((bytes) => Promise.reject(decodeThrown(this.#codec, bytes)))
            .catch(reject),
        lead: () => lead().then(resolve, reject),
      });
    });
  }

  /**
   * Loads the value and settles the operation, one way or the other.
   * @param {number} operation
   * @param {string} key
   * @param {(key: string) => any} loader
   * @param {import('./memory-arguments.js').Lifetime} life
   */
  async #lead(operation, key, loader, { ttlMs, idleMs, tags }) {
    const codec = this.#codec;
    try {
      const value = await loader(key);
      const kind = codec.encode(value);
      native.settle(operation, kind, codec.payload, codec.start, codec.end, ttlMs, idleMs, tags);
      codec.payload = undefined;
      return value;
    } catch (error) {
      native.settleFailure(operation, this.#shared ? encodeThrown(codec, error) : NOTHING);
      throw error;
    }
  }
}

module.exports = { Loads };
