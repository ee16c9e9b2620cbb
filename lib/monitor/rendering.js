'use strict';

// Exports: rendered by a native thread, handed over whole or as a stream of pieces.

const { Readable } = require('node:stream');
const native = require('../native.js');
const { pending } = require('../environment.js');
const check = require('../validate.js');

const FORMATS = Object.freeze(['prometheus', 'openmetrics', 'protobuf', 'json', 'csv']);

/** @type {Readonly<Record<string, string>>} */
const CONTENT_TYPES = Object.freeze({
  prometheus: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
  protobuf: 'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited',
  json: 'application/json; charset=utf-8',
  csv: 'text/csv; charset=utf-8',
});

/** @param {unknown} format @param {readonly string[]} [known] */
function checkFormat(format, known = FORMATS) {
  return check.oneOf(format, 'format', known);
}

/**
 * All of a rendering as a string. It is put together piece by piece: one string of many megabytes would block the event
 * loop while it is copied. A piece ends with a whole line or value, so no character is cut.
 * @param {() => number} open begins it
 * @returns {Promise<string>}
 */
async function whole(open) {
  const rendering = open();
  try {
    let text = '';
    for (;;) {
      const piece = await pending((operation) => native.nextPiece(rendering, operation));
      if (piece === undefined) return text;
      text += piece.toString();
    }
  } finally {
    native.closeRendering(rendering);
  }
}

/** A rendering as it is made, at most one piece ahead of its reader. */
class RenderingStream extends Readable {
  /** @type {number | undefined} */
  #rendering;

  /** @param {number} rendering */
  constructor(rendering) {
    super({ highWaterMark: 1 });
    this.#rendering = rendering;
  }

  /** @override */
  _read() {
    const rendering = /** @type {number} */ (this.#rendering);
    pending((operation) => native.nextPiece(rendering, operation)).then(
      (piece) => this.push(piece ?? null),
      (error) => this.destroy(error),
    );
  }

  /** @override @param {Error | null} error @param {(error: Error | null) => void} done */
  _destroy(error, done) {
    if (this.#rendering !== undefined) native.closeRendering(this.#rendering);
    this.#rendering = undefined;
    done(error);
  }
}

/**
 * The format that a scraper asks for, as Prometheus names them in `Accept`.
 * @param {string | undefined} accept
 */
function negotiate(accept = '') {
  const weighted = accept.split(',').map((part, index) => {
    const [type, ...parameters] = part
      .trim()
      .toLowerCase()
      .split(/\s*;\s*/);
    const weight = parameters.find((parameter) => parameter.startsWith('q='));
    return { type, parameters, weight: weight === undefined ? 1 : Number(weight.slice(2)) || 0, index };
  });
  weighted.sort((left, right) => right.weight - left.weight || left.index - right.index);
  for (const { type, parameters, weight } of weighted) {
    if (weight === 0) continue;
    if (type === 'application/vnd.google.protobuf' && parameters.includes('encoding=delimited')) return 'protobuf';
    if (type === 'application/openmetrics-text') return 'openmetrics';
    if (type === 'text/plain' || type === 'text/*' || type === '*/*') return 'prometheus';
  }
  return 'prometheus';
}

module.exports = { CONTENT_TYPES, RenderingStream, checkFormat, negotiate, whole };
