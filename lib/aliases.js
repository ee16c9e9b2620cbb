'use strict';

// Other names of methods. They stand on the prototype as methods do, and none shows up in a list of keys.

/** The symbols of `using` and `await using`; Node 20 has them by other means. */
const DISPOSE = Symbol.dispose ?? Symbol.for('nodejs.dispose');
const ASYNC_DISPOSE = Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose');

/**
 * @param {{ prototype: any, name: string }} Class
 * @param {{ readonly [alias: string | symbol]: string }} aliases each with the method that it is another name of
 */
function addAliases({ prototype }, aliases) {
  for (const alias of Reflect.ownKeys(aliases)) {
    const value = prototype[aliases[alias]];
    Object.defineProperty(prototype, alias, { value, writable: true, configurable: true });
  }
}

module.exports = { addAliases, DISPOSE, ASYNC_DISPOSE };
