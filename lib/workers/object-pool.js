'use strict';

const { DISPOSE, addAliases } = require('../aliases.js');
const { HotpathError, outOfRange } = require('../errors.js');
const { watchService } = require('../services.js');
const check = require('../validate.js');

const INITIAL_SIZE = 10;

/** @template {object} T */
class ObjectPool {
  #create;
  #reset;
  #maxSize;
  /** @type {T[]} */
  #idle = [];
  /** Everything that was acquired and not released: who releases twice is told. @type {Set<T>} */
  #lent = new Set();
  #created = 0;
  #reused = 0;
  #released = 0;
  #discarded = 0;

  /**
   * @param {() => T} createFn
   * @param {(object: T) => void} resetFn
   * @param {number} [initialSize]
   * @param {unknown} [options]
   */
  constructor(createFn, resetFn, initialSize = INITIAL_SIZE, options = undefined) {
    this.#create = check.function_(createFn, 'createFn');
    this.#reset = check.function_(resetFn, 'resetFn');
    check.nonNegativeInteger(initialSize, 'initialSize');
    const { maxSize = Number.POSITIVE_INFINITY } = check.options(options, 'options', ['maxSize']);
    if (maxSize !== Number.POSITIVE_INFINITY) check.positiveInteger(maxSize, 'options.maxSize');
    if (initialSize > maxSize) throw outOfRange('at most options.maxSize', 'initialSize', initialSize);
    this.#maxSize = maxSize;
    for (let index = 0; index < initialSize; index++) this.#idle.push(this.#make());
    watchService('objects', undefined, this, (/** @type {ObjectPool<T>} */ pool) => pool.stats);
  }

  #make() {
    const object = this.#create();
    this.#created++;
    return object;
  }

  acquire() {
    const idle = this.#idle.pop();
    if (idle !== undefined) this.#reused++;
    const object = idle ?? this.#make();
    this.#lent.add(object);
    return object;
  }

  /** @param {T} object */
  release(object) {
    if (!this.#lent.delete(object)) {
      throw new HotpathError('The object was released before, or does not come from this pool', {
        code: 'ERR_HOTPATH_NOT_ACQUIRED',
      });
    }
    this.#released++;
    try {
      this.#reset(object);
    } catch (error) {
      // Nobody knows in what state it is.
      this.#discarded++;
      throw error;
    }
    if (this.#idle.length < this.#maxSize) this.#idle.push(object);
    else this.#discarded++;
  }

  /**
   * @template R
   * @param {(object: T) => R} fn
   * @returns {R}
   */
  use(fn) {
    check.function_(fn, 'fn');
    const object = this.acquire();
    let result;
    try {
      result = fn(object);
    } catch (error) {
      this.#releaseAfter(object, error);
    }
    if (typeof (/** @type {any} */ (result)?.then) !== 'function') {
      this.release(object);
      return /** @type {R} */ (result);
    }
    const settled = Promise.resolve(result).then(
      (value) => {
        this.release(object);
        return value;
      },
      (error) => this.#releaseAfter(object, error),
    );
    return /** @type {any} */ (settled);
  }

  /**
   * What the user's function threw matters more than what the reset may throw on top.
   * @param {T} object
   * @param {unknown} error
   * @returns {never}
   */
  #releaseAfter(object, error) {
    try {
      this.release(object);
    } catch {
      // Counted as discarded.
    }
    throw error;
  }

  get stats() {
    const acquired = this.#released + this.#lent.size;
    return {
      size: this.#idle.length + this.#lent.size,
      idle: this.#idle.length,
      inUse: this.#lent.size,
      maxSize: this.#maxSize,
      created: this.#created,
      acquired,
      released: this.#released,
      reused: this.#reused,
      discarded: this.#discarded,
      reuseRatio: acquired === 0 ? 0 : this.#reused / acquired,
    };
  }

  clear() {
    this.#discarded += this.#idle.length;
    this.#idle = [];
  }
}

addAliases(ObjectPool, { [DISPOSE]: 'clear' });

module.exports = { ObjectPool };
