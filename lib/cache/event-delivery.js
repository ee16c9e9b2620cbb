'use strict';

// Events of a cache: which the engine has to tell, and handing them to listeners.
//
// Changes made through a handle are delivered before the call that made them returns; changes made elsewhere arrive
// with a wake-up of the event loop. Either way all events that have gathered are delivered, in the order of the
// changes, and nothing nests: what a listener changes is delivered after what is being delivered.

const native = require('../native.js');
const { subscribers } = require('../environment.js');

/** Bits of the native side, and the name of each event. */
const EVENTS = new Map([
  [1, 'set'],
  [2, 'delete'],
  [4, 'expire'],
  [8, 'evict'],
  [16, 'clear'],
]);

class EventDelivery {
  #cache;
  #handle;
  #codec;
  #mask = 0;
  #delivering = false;

  /**
   * @param {import('node:events').EventEmitter} cache
   * @param {number} handle
   * @param {import('./codec.js').Codec} codec
   */
  constructor(cache, handle, codec) {
    this.#cache = new WeakRef(cache);
    this.#handle = handle;
    this.#codec = codec;
  }

  /** True while anybody listens. */
  get active() {
    return this.#mask !== 0;
  }

  /** Asks the engine for the events that have listeners now. */
  listen() {
    const cache = this.#cache.deref();
    if (cache === undefined || this.#handle === -1) return;
    let mask = 0;
    for (const [bit, name] of EVENTS) {
      if (cache.listenerCount(name) > 0) mask |= bit;
    }
    if (mask === this.#mask) return;
    this.#mask = mask;
    native.memoryCacheListen(this.#handle, mask);
    // Held weakly from there: a cache that nobody can reach may go, listeners and all.
    if (mask === 0) subscribers.delete(this.#handle);
    else subscribers.set(this.#handle, new WeakRef(this));
  }

  /** Delivers everything that has gathered. Called after own changes and on wake-ups. */
  deliver() {
    if (this.#delivering) return;
    this.#delivering = true;
    try {
      while (this.#mask !== 0) {
        const events = native.memoryCacheTakeEvents(this.#handle);
        if (events.length === 0) break;
        for (let index = 0; index < events.length; index += 4) this.#emit(events, index);
      }
    } finally {
      this.#delivering = false;
    }
  }

  /** @param {any[]} events @param {number} index */
  #emit(events, index) {
    const name = /** @type {string} */ (EVENTS.get(events[index]));
    const cache = this.#cache.deref();
    if (cache === undefined || cache.listenerCount(name) === 0) return;
    const values =
      name === 'clear' ? [] : [events[index + 1], this.#codec.decodeAlone(events[index + 2], events[index + 3])];
    for (const listener of cache.rawListeners(name)) {
      try {
        Reflect.apply(listener, cache, values);
      } catch (error) {
        // The change has happened and others wait for their events: nobody's listener may get in the way.
        process.nextTick(() => {
          throw error;
        });
      }
    }
  }

  /** The handle is closed: nothing is delivered any more. */
  end() {
    this.#mask = 0;
    subscribers.delete(this.#handle);
    this.#handle = -1;
  }
}

module.exports = { EventDelivery };
