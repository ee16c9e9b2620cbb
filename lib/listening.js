'use strict';

// For classes with events that native code tells: they learn when listeners come and go, so that nothing is told that
// nobody wants to hear.

const { EventEmitter } = require('node:events');

/** Called on an emitter whenever listeners came or went. */
const LISTENERS_CHANGED = Symbol('listenersChanged');

/** Methods that add or remove listeners. EventEmitter's own aliases bypass overridden methods: each is overridden. */
const METHODS = /** @type {const} */ ([
  'on',
  'addListener',
  'prependListener',
  'removeListener',
  'off',
  'removeAllListeners',
]);

/** @param {{ prototype: EventEmitter }} Class with a method `[LISTENERS_CHANGED]` */
function makeListening(Class) {
  for (const method of METHODS) {
    const inherited = /** @type {(...args: any[]) => any} */ (EventEmitter.prototype[method]);
    const value = {
      /** @this {any} @param {any[]} args */
      [method](...args) {
        inherited.apply(this, args);
        this[LISTENERS_CHANGED]();
        return this;
      },
    }[method];
    Object.defineProperty(Class.prototype, method, { value, writable: true, configurable: true });
  }
}

/**
 * Calls the listeners of an event, each on its own: what has happened has happened, and nobody's listener may get in
 * the way of others. What one throws surfaces on the next tick.
 * @param {EventEmitter} emitter
 * @param {string} event
 * @param {unknown[]} values
 */
function tellListeners(emitter, event, values) {
  for (const listener of emitter.rawListeners(event)) surfaceLater(() => Reflect.apply(listener, emitter, values));
}

/** Calls somebody else's function; what it throws surfaces on the next tick. @param {() => unknown} call */
function surfaceLater(call) {
  try {
    call();
  } catch (error) {
    surface(error);
  }
}

/** As if it had been thrown with nothing around it: neither a promise nor a loop. @param {unknown} error */
function surface(error) {
  process.nextTick(() => {
    throw error;
  });
}

module.exports = { LISTENERS_CHANGED, makeListening, surface, surfaceLater, tellListeners };
