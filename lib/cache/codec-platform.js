'use strict';

// Structured clone takes a URL, a Response or an AbortSignal for an object without properties, and drops all that it is.

/** Of the built-in classes, those whose instances structured clone knows. */
const CLONED_CLASSES = new Set([
  ...[
    'Object',
    'Array',
    'Boolean',
    'Number',
    'String',
    'BigInt',
    'Date',
    'RegExp',
    'Map',
    'Set',
    'ArrayBuffer',
    'DataView',
  ],
  ...['Error', 'EvalError', 'RangeError', 'ReferenceError', 'SyntaxError', 'TypeError', 'URIError', 'AggregateError'],
]);

/** Absent where JavaScript may not generate code. @type {object} */
const webAssembly = /** @type {any} */ (globalThis).WebAssembly ?? {};

/**
 * The name of the first built-in class in a chain of prototypes which would not survive.
 * @param {object} object
 * @returns {string | undefined}
 */
function platformClass(object) {
  for (
    let prototype = Object.getPrototypeOf(object);
    prototype !== null;
    prototype = Object.getPrototypeOf(prototype)
  ) {
    const Class = Object.getOwnPropertyDescriptor(prototype, 'constructor')?.value;
    if (typeof Class !== 'function') continue;
    const { name } = Class;
    if (typeof name !== 'string' || CLONED_CLASSES.has(name)) continue;
    if (isBuiltIn(globalThis, name, Class) || isBuiltIn(webAssembly, name, Class)) return name;
  }
  return undefined;
}

/**
 * Globals of the user's are enumerable, those of the platform are not. Some of these are getters, which load the class
 * at the first use; asking them is harmless, as an instance of the class is at hand.
 * @param {object} namespace
 * @param {string} name
 * @param {Function} Class
 */
function isBuiltIn(namespace, name, Class) {
  const property = Object.getOwnPropertyDescriptor(namespace, name);
  return property !== undefined && !property.enumerable && Reflect.get(namespace, name) === Class;
}

module.exports = { platformClass };
