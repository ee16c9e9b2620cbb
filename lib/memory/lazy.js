'use strict';

const check = require('../validate.js');

/**
 * A value that is loaded when it is first asked for, and may be let go of again.
 * @template T
 */
class Lazy {
  #loader;
  #events;
  /** @type {Promise<T> | undefined} */
  #loading = undefined;
  /** @type {{ value: T } | undefined} */
  #loaded = undefined;
  /** Whether it was asked for since the last look at it. */
  #used = false;

  /**
   * @param {() => T | Promise<T>} loader
   * @param {{ loaded(lazy: Lazy<any>): void, unloaded(lazy: Lazy<any>): void }} events
   */
  constructor(loader, events) {
    this.#loader = check.function_(loader, 'loader');
    this.#events = events;
  }

  get loaded() {
    return this.#loaded !== undefined;
  }

  /** @returns {Promise<T>} */
  async get() {
    this.#used = true;
    if (this.#loaded !== undefined) return this.#loaded.value;
    this.#loading ??= this.#load();
    return this.#loading;
  }

  async #load() {
    try {
      // Later, so that a loader that throws at once fails like one that rejects.
      const value = await Promise.resolve().then(this.#loader);
      this.#loaded = { value };
      this.#events.loaded(this);
      return value;
    } finally {
      this.#loading = undefined;
    }
  }

  /** Lets go of the value; the next `get` loads it again. */
  unload() {
    if (this.#loaded === undefined) return false;
    this.#loaded = undefined;
    this.#events.unloaded(this);
    return true;
  }

  /** Whether nobody has asked for it since this was last called. */
  takeIdle() {
    const idle = !this.#used;
    this.#used = false;
    return idle;
  }
}

module.exports = { Lazy };
