'use strict';

const { nearest } = require('./nearest.js');

/** Longest string that an error message shows; anything longer may be data that does not belong in a log. */
const SHOWN_CHARACTERS = 32;

class HotpathError extends Error {
  static code = 'ERR_HOTPATH';

  /**
   * @param {string} message
   * @param {{ code?: string, cause?: unknown, [field: string]: unknown }} [fields]
   */
  constructor(message, fields = {}) {
    const { cause, ...rest } = fields;
    super(message, 'cause' in fields ? { cause } : undefined);
    /** @type {string} */
    this.code = new.target.code;
    Object.assign(this, rest);
  }

  // On the prototype, as Error's own name is: an own property would show up in every log line.
  get name() {
    return this.constructor.name;
  }
}

/**
 * Classes of errors that differ in their names and codes alone.
 * @template {Record<string, string>} T
 * @param {T} codes by name
 */
function errorClasses(codes) {
  const classes = Object.entries(codes).map(([name, code]) => ({
    // A class takes the name of the property that it is made for.
    [name]: class extends HotpathError {
      static code = code;
    },
  }));
  return /** @type {{ [Name in keyof T]: typeof HotpathError }} */ (Object.assign({}, ...classes));
}

const classes = errorClasses({
  HotpathClosedError: 'ERR_HOTPATH_CLOSED',
  HotpathConflictError: 'ERR_HOTPATH_OPTION_CONFLICT',
  HotpathValueError: 'ERR_HOTPATH_NOT_A_NUMBER',
  HotpathStorageError: 'ERR_HOTPATH_STORAGE',
  HotpathDataError: 'ERR_HOTPATH_BAD_DATA',
  HotpathTimeoutError: 'ERR_HOTPATH_TIMEOUT',
  HotpathMatrixError: 'ERR_HOTPATH_SINGULAR_MATRIX',
  HotpathTierError: 'ERR_HOTPATH_TIER_UNAVAILABLE',
  HotpathQueueFullError: 'ERR_HOTPATH_QUEUE_FULL',
  HotpathWorkerError: 'ERR_HOTPATH_WORKER_EXITED',
  HotpathLoadError: 'ERR_HOTPATH_NATIVE_LOAD',
  HotpathLoadTestError: 'ERR_HOTPATH_LOAD_TEST',
});

/** Name and code are those that Node gives its own, so that one test finds them all. */
class HotpathAbortError extends HotpathError {
  static code = 'ABORT_ERR';

  get name() {
    return 'AbortError';
  }
}

/**
 * @template {Error} E
 * @param {E} error
 * @param {string} code
 * @returns {E & { code: string }}
 */
function withCode(error, code) {
  return Object.assign(error, { code });
}

/** @param {unknown} value */
function typeName(value) {
  return value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
}

/**
 * A short primitive as it would be written in source, or undefined when the message must not show it.
 * @param {unknown} value
 */
function shown(value) {
  switch (typeof value) {
    case 'string':
      return value.length <= SHOWN_CHARACTERS ? JSON.stringify(value) : undefined;
    case 'number':
      return Object.is(value, -0) ? '-0' : String(value);
    case 'bigint': {
      const digits = `${value}n`;
      return digits.length <= SHOWN_CHARACTERS ? digits : undefined;
    }
    case 'boolean':
    case 'undefined':
      return String(value);
    default:
      return value === null ? 'null' : undefined;
  }
}

/**
 * @param {string} what
 * @param {string} path
 * @param {unknown} received
 */
function expected(what, path, received) {
  return `Expected ${what} for ${path} but received ${shown(received) ?? 'a value'} of type ${typeName(received)}`;
}

/**
 * @param {string} what what would have been right: 'a positive integer'
 * @param {string} path where it was given: 'options.maxEntries'
 * @param {unknown} received
 * @returns {TypeError & { code: string }}
 */
function invalidArgType(what, path, received) {
  return withCode(new TypeError(expected(what, path, received)), 'ERR_INVALID_ARG_TYPE');
}

/**
 * @param {string} what
 * @param {string} path
 * @param {unknown} received
 * @returns {RangeError & { code: string }}
 */
function outOfRange(what, path, received) {
  return withCode(new RangeError(expected(what, path, received)), 'ERR_OUT_OF_RANGE');
}

/**
 * The same for what may be, or hold, a password: nothing of it is shown.
 * @param {string} what
 * @param {string} path
 * @param {unknown} received
 */
function invalidSecret(what, path, received) {
  const message = `Expected ${what} for ${path} but received a value of type ${typeName(received)}`;
  return typeof received === 'string'
    ? withCode(new RangeError(message), 'ERR_OUT_OF_RANGE')
    : withCode(new TypeError(message), 'ERR_INVALID_ARG_TYPE');
}

/**
 * @param {string} path the object that held the option: 'options'
 * @param {string} name the option that nobody knows
 * @param {readonly string[]} known
 * @returns {TypeError & { code: string }}
 */
function unknownOption(path, name, known) {
  const label = name.length <= SHOWN_CHARACTERS ? JSON.stringify(name) : 'with a long name';
  const near = nearest(name, known);
  const hint = near === undefined ? 'it takes no options' : `the nearest known option is ${JSON.stringify(near)}`;
  return withCode(new TypeError(`Unknown option ${label} in ${path}: ${hint}`), 'ERR_HOTPATH_UNKNOWN_OPTION');
}

module.exports = {
  HotpathError,
  ...classes,
  HotpathAbortError,
  invalidArgType,
  invalidSecret,
  outOfRange,
  unknownOption,
};
