'use strict';

// Answers: JSON in the envelope, and the headers that everything of the router has.

const { Refusal, answerOf } = require('./router-errors.js');

/** On every answer. Figures are true for a moment, and stored data is nobody else's. */
const HEADERS = Object.freeze({
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Referrer-Policy': 'no-referrer',
});

/**
 * What JSON has no words for: whole numbers without limit become texts, bytes base64, maps and sets lists.
 * @this {any}
 * @param {string} key
 * @param {any} value
 */
function inJson(key, value) {
  if (typeof value === 'bigint') return String(value);
  // `toJSON` of a Buffer has already run on `value`.
  const original = this[key];
  if (ArrayBuffer.isView(original)) {
    return Buffer.from(original.buffer, original.byteOffset, original.byteLength).toString('base64');
  }
  if (original instanceof Map) return [...original];
  if (original instanceof Set) return [...original];
  if (original instanceof Error) return { name: original.name, message: original.message };
  return value;
}

/** @param {unknown} value */
function jsonOf(value) {
  try {
    return JSON.stringify(value, inJson);
  } catch {
    throw new Refusal(406, 'ERR_NOT_JSON', 'The value cannot be written as JSON');
  }
}

/**
 * @param {import('node:http').IncomingMessage} request
 * @param {import('node:http').ServerResponse} response
 * @param {number} status
 * @param {string} type
 * @param {string | Buffer} body
 * @param {Record<string, string>} [headers]
 */
function send(request, response, status, type, body, headers = {}) {
  // The client has gone, or something before us has answered.
  if (response.headersSent || response.destroyed) return;
  response.statusCode = status;
  for (const [name, value] of Object.entries({ ...HEADERS, ...headers })) response.setHeader(name, value);
  response.setHeader('Content-Type', type);
  response.setHeader('Content-Length', Buffer.byteLength(body));
  response.end(request.method === 'HEAD' ? undefined : body);
}

const JSON_TYPE = 'application/json; charset=utf-8';

/**
 * @param {import('node:http').IncomingMessage} request
 * @param {import('node:http').ServerResponse} response
 * @param {number} status
 * @param {unknown} data
 * @param {Record<string, unknown>} [beside] what stands beside the data
 */
function sendData(request, response, status, data, beside = {}) {
  send(request, response, status, JSON_TYPE, jsonOf({ success: true, data: data ?? null, ...beside }));
}

/**
 * @param {import('node:http').IncomingMessage} request
 * @param {import('node:http').ServerResponse} response
 * @param {unknown} error
 * @param {(error: unknown, request: any) => void} report told of what is nobody's fault but ours
 */
function sendError(request, response, error, report) {
  const { status, code, message, headers, known } = answerOf(error);
  if (!known) report(error, request);
  send(request, response, status, JSON_TYPE, jsonOf({ success: false, error: { code, message } }), headers);
  // An answer that was begun cannot become another one.
  if (response.headersSent && !response.writableEnded) response.destroy();
}

module.exports = { HEADERS, JSON_TYPE, jsonOf, send, sendData, sendError };
