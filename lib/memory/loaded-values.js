'use strict';

/** The lazy values of an engine that are loaded now, weakly: one that nobody refers to goes with its value. */
class LoadedValues {
  /** @type {Set<WeakRef<import('./lazy.js').Lazy<any>>>} */
  #references = new Set();
  /** @type {WeakMap<import('./lazy.js').Lazy<any>, WeakRef<import('./lazy.js').Lazy<any>>>} */
  #referenceOf = new WeakMap();
  #collected = new FinalizationRegistry((/** @type {WeakRef<any>} */ reference) => this.#forget(reference));
  loads = 0;
  unloads = 0;

  get size() {
    return this.#references.size;
  }

  /** @param {import('./lazy.js').Lazy<any>} lazy */
  loaded(lazy) {
    const reference = new WeakRef(lazy);
    this.#references.add(reference);
    this.#referenceOf.set(lazy, reference);
    this.#collected.register(lazy, reference, reference);
    this.loads += 1;
  }

  /** @param {import('./lazy.js').Lazy<any>} lazy */
  unloaded(lazy) {
    const reference = this.#referenceOf.get(lazy);
    if (reference !== undefined) this.#forget(reference);
  }

  /** @param {WeakRef<any>} reference */
  #forget(reference) {
    if (!this.#references.delete(reference)) return;
    this.#collected.unregister(reference);
    this.unloads += 1;
  }

  /**
   * Unloads what nobody has asked for since the last time, or everything.
   * @param {boolean} everything
   * @returns {number} how many were unloaded
   */
  unload(everything) {
    let count = 0;
    for (const reference of this.#references) {
      const lazy = reference.deref();
      const idle = lazy?.takeIdle();
      if (lazy !== undefined && (everything || idle) && lazy.unload()) count += 1;
    }
    return count;
  }
}

module.exports = { LoadedValues };
