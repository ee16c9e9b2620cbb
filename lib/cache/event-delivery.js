'use strict';

// Events of a cache: which the engine has to tell, and handing them to listeners.
//
// Changes made through a handle are delivered before the call that made them returns; changes made elsewhere arrive
// with a wake-up of the event loop. Either way all events that have gathered are delivered, in the order of the
// changes, and nothing nests: what a listener changes is delivered after what is being delivered.

const { subscribers } = require('../environment.js');
const { tellListeners } = require('../listening.js');

/** Bits of the native side, and the name of each event. */
const EVENTS = new Map([
  [1, 'set'],
  [2, 'delete'],
  [4, 'expire'],
  [8, 'evict'],
  [16, 'clear'],
  [32, 'damage'],
]);

/**
 * Where events come from.
 * @typedef {object} EventSource
 * @property {number} subscription the number that they are announced under
 * @property {number} width places that an event has in what `take` answers, the first being its bit
 * @property {(mask: number) => void} listen asks for events by the sum of their bits
 * @property {() => any[]} take all that have gathered, flat
 * @property {(name: string, events: any[], index: number) => any[]} values what the listeners get of the event there
 */

class EventDelivery {
  #cache;
  #source;
  #mask = 0;
  #delivering = false;
  #ended = false;

  /**
   * @param {import('node:events').EventEmitter} cache
   * @param {EventSource} source
   */
  constructor(cache, source) {
    this.#cache = new WeakRef(cache);
    this.#source = source;
  }

  /** True while anybody listens. */
  get active() {
    return this.#mask !== 0;
  }

  /** Asks the engine for the events that have listeners now. */
  listen() {
    const cache = this.#cache.deref();
    if (cache === undefined || this.#ended) return;
    let mask = 0;
    for (const [bit, name] of EVENTS) {
      if (cache.listenerCount(name) > 0) mask |= bit;
    }
    if (mask === this.#mask) return;
    this.#mask = mask;
    this.#source.listen(mask);
    // Held weakly from there: a cache that nobody can reach may go, listeners and all.
    if (mask === 0) subscribers.delete(this.#source.subscription);
    else subscribers.set(this.#source.subscription, new WeakRef(this));
  }

  /** Delivers everything that has gathered. Called after own changes and on wake-ups. */
  deliver() {
    if (this.#delivering) return;
    this.#delivering = true;
    try {
      while (this.#mask !== 0) {
        const events = this.#source.take();
        if (events.length === 0) break;
        for (let index = 0; index < events.length; index += this.#source.width) this.#emit(events, index);
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
    tellListeners(cache, name, this.#source.values(name, events, index));
  }

  /** The handle is closed: nothing is delivered any more. */
  end() {
    this.#mask = 0;
    subscribers.delete(this.#source.subscription);
    this.#ended = true;
  }
}

module.exports = { EventDelivery };
