'use strict';

// Gives the errors of native code the classes that users know them by. Only calls that may fail for a reason of the
// engine's need it; hot calls answer with a status instead.

const {
  HotpathError,
  HotpathClosedError,
  HotpathConflictError,
  HotpathDataError,
  HotpathMatrixError,
  HotpathStorageError,
  HotpathTierError,
  HotpathTimeoutError,
  HotpathValueError,
} = require('./errors.js');

/**
 * Runs a native call.
 * @template T
 * @param {() => T} call
 */
function translated(call) {
  try {
    return call();
  } catch (error) {
    throw translate(error);
  }
}

/**
 * The public error for one of native code's.
 * @param {any} error
 * @returns {unknown}
 */
function translate(error) {
  switch (error?.code) {
    case HotpathClosedError.code:
      return new HotpathClosedError(error.message);
    case HotpathConflictError.code:
      return conflict(error);
    case HotpathValueError.code:
      return new HotpathValueError(error.message);
    case HotpathDataError.code:
      return new HotpathDataError(error.message);
    case HotpathMatrixError.code:
      return new HotpathMatrixError(error.message);
    case HotpathTimeoutError.code:
      return new HotpathTimeoutError(error.message);
    case 'ERR_HOTPATH_LIMIT':
    case 'ERR_HOTPATH_OUT_OF_MEMORY':
      return new HotpathError(error.message, { code: error.code });
    case HotpathTierError.code:
    case 'ERR_HOTPATH_TIER_FAILED':
      return tierError(error);
    case 'ERR_OUT_OF_RANGE':
      return Object.assign(new RangeError(error.message), { code: error.code });
    default:
      // The kinds of trouble with storage have codes of their own.
      if (error?.code?.startsWith(HotpathStorageError.code)) {
        return new HotpathStorageError(error.message, { code: error.code });
      }
      return error;
  }
}

/** @param {Error & { code: string }} error */
function tierError({ message, code }) {
  const [, tier] = /^The tier (\w+) /.exec(message) ?? [];
  return new HotpathTierError(message, { code, tier });
}

/** @param {Error} error */
function conflict({ message }) {
  const [, option = '', name = '', existing = '', requested = ''] =
    /^Option (\S+) of '(.*)' is (.*), but (.*) was asked for$/s.exec(message) ?? [];
  return namedConflict(name, option, primitive(existing), primitive(requested));
}

/**
 * @param {string} name of the engine
 * @param {string} option
 * @param {string | number} existing
 * @param {string | number} requested
 */
function namedConflict(name, option, existing, requested) {
  const message = `Option ${option} of '${name}' is ${existing}, but ${requested} was asked for`;
  return new HotpathConflictError(message, { engine: name, option, existing, requested });
}

/** Native code names values in words; numbers among them are numbers. @param {string} text */
function primitive(text) {
  return /^\d+$/.test(text) ? Number(text) : text;
}

module.exports = { namedConflict, translate, translated };
