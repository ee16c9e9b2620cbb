'use strict';

const { HotpathError } = require('../errors.js');

/** Some of many have failed: `results` has what became of the others, `errors` who failed and why. */
class BatchError extends HotpathError {
  static code = 'ERR_HOTPATH_BATCH';
}

/**
 * @param {any[]} results undefined where it failed
 * @param {{ index: number, error: any }[]} errors
 */
function batchError(results, errors) {
  const { message } = Object(errors[0].error);
  const first = typeof message === 'string' ? `; the first: ${message}` : '';
  return new BatchError(`${errors.length} of ${results.length} failed${first}`, {
    results,
    errors,
    cause: errors[0].error,
  });
}

module.exports = { BatchError, batchError };
