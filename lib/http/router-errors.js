'use strict';

// Errors as answers: a status and a stable code. What is not known here is the server's own business, and not told.

/** An error that is meant for the client. */
class Refusal extends Error {
  /**
   * @param {number} status
   * @param {string} code
   * @param {string} message
   * @param {Record<string, string>} [headers]
   */
  constructor(status, code, message, headers = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

/** What errors of the engines mean for HTTP. @type {Readonly<Record<string, number>>} */
const STATUSES = Object.freeze({
  ERR_INVALID_ARG_TYPE: 400,
  ERR_OUT_OF_RANGE: 400,
  ERR_HOTPATH_UNKNOWN_OPTION: 400,
  ERR_HOTPATH_UNKNOWN_PROCESSOR: 400,
  ERR_HOTPATH_NOT_A_NUMBER: 400,
  ERR_HOTPATH_SINGULAR_MATRIX: 422,
  ERR_HOTPATH_BAD_DATA: 422,
  ERR_HOTPATH_OPTION_CONFLICT: 409,
  ERR_HOTPATH_QUEUE_FULL: 503,
  ERR_HOTPATH_CLOSED: 503,
  ERR_HOTPATH_CIRCUIT_OPEN: 503,
  ERR_HOTPATH_TIER_UNAVAILABLE: 503,
  ERR_HOTPATH_MISSING_PEER: 503,
  ERR_HOTPATH_TIMEOUT: 504,
});

/**
 * @param {any} error
 * @returns {{ status: number, code: string, message: string, headers: Record<string, string>, known: boolean }}
 */
function answerOf(error) {
  if (error instanceof Refusal) {
    const { status, code, message, headers } = error;
    return { status, code, message, headers, known: true };
  }
  const status = Object.hasOwn(STATUSES, error?.code) ? STATUSES[error.code] : undefined;
  if (status !== undefined) return { status, code: error.code, message: error.message, headers: {}, known: true };
  return { status: 500, code: 'ERR_INTERNAL', message: 'The server failed to answer', headers: {}, known: false };
}

/** @param {string} code @param {string} message */
const notFound = (code, message) => new Refusal(404, code, message);

/** @param {string} code @param {string} message */
const badRequest = (code, message) => new Refusal(400, code, message);

module.exports = { Refusal, answerOf, badRequest, notFound };
