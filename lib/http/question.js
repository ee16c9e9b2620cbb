'use strict';

// A request that may be answered from the store, and which stored answers may answer it (RFC 9111, 4).

const { NO_DIRECTIVES } = require('./cache-control.js');
const check = require('../validate.js');
const { requestKey, variantKey } = require('./request-key.js');
const { Variants } = require('./stored-response.js');

/** @typedef {import('./stored-response.js').StoredResponse} StoredResponse */

/** @typedef {(request: any, response: any) => unknown} Listener */

/**
 * A request that may be answered from the store.
 * @typedef {object} Question
 * @property {any} request
 * @property {any} response or what stands for it
 * @property {(error?: unknown) => unknown} next
 * @property {string} key
 * @property {boolean} identified whether the key names the user, so that nobody else can get the answer
 * @property {import('./cache-control.js').Directives} directives
 * @property {number} waits for others so far
 * @property {Listener | undefined} app what stands behind a front
 */

/**
 * The key by the options; undefined for a request that passes.
 * @param {import('./response-cache-options.js').Settings} settings
 * @param {any} request
 * @returns {string | undefined}
 */
function keyByOptions({ filter, key }, request) {
  if (filter !== undefined && filter(request) !== true) return undefined;
  const made = key === undefined ? requestKey(request) : key(request);
  return made === undefined ? undefined : check.string(made, 'the result of options.key');
}

/**
 * Who asks; undefined for nobody in particular. Anything but texts and numbers is refused: a promise or an object would
 * look the same for all users.
 * @param {import('./response-cache-options.js').Settings} settings
 * @param {any} request
 * @returns {string | number | undefined | null} null only where nobody could tell
 */
function identityByOptions({ identity }, request) {
  const told = identity?.(request) ?? undefined;
  return told === undefined || typeof told === 'number' ? told : check.string(told, 'the result of options.identity');
}

/** Whether an answer is for whoever asks. @param {Question} question @param {StoredResponse} answer */
function suits({ request: { headers }, identified }, answer) {
  if (identified) return true;
  if (headers.authorization !== undefined && !answer.forAuthorized) return false;
  return headers.cookie === undefined || answer.forCookies;
}

/** @param {StoredResponse} answer @param {import('./cache-control.js').Directives} directives @param {number} now */
function isFresh(answer, directives, now) {
  if (directives === NO_DIRECTIVES) return now < answer.freshUntil;
  const { noCache, maxAge, minFresh = 0, maxStale } = directives;
  if (noCache || (maxAge !== undefined && answer.ageAt(now) > maxAge)) return false;
  if (maxAge === 0) return false;
  if (now < answer.freshUntil - minFresh * 1000) return true;
  return maxStale !== undefined && !answer.mustRevalidate && now - answer.freshUntil <= maxStale * 1000;
}

/** Whether a request takes what any other gets. @param {import('./cache-control.js').Directives} directives */
function asksForNothing({ noCache, maxAge, minFresh }) {
  return !noCache && maxAge === undefined && minFresh === undefined;
}

/**
 * Requests with and without credentials do not wait for each other: what is for one may not be for the other.
 * @param {Question} question
 * @param {StoredResponse | Variants | undefined} found
 */
function flightKeyOf({ key, request: { headers }, identified }, found) {
  const variant = found instanceof Variants ? variantKey(key, found, headers) : key;
  if (identified || (headers.authorization === undefined && headers.cookie === undefined)) return variant;
  return `${variant}\n ${headers.authorization === undefined ? '' : 'a'}${headers.cookie === undefined ? '' : 'c'}`;
}

module.exports = { asksForNothing, flightKeyOf, identityByOptions, isFresh, keyByOptions, suits };
