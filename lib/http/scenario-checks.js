'use strict';

// What a scenario file may say, checked. Whatever is not known, or would run code, is refused by name: a test that
// silently leaves something out measures something else.

const { nearest } = require('../nearest.js');
const { isPlainObject } = require('../validate.js');
const { scenarioError } = require('./scenario-template.js');

/** What other tools know and this one does not, and why. */
const REFUSED = new Map([
  ['processor', 'no code of a file is ever run'],
  ['beforeRequest', 'no code of a file is ever run'],
  ['afterResponse', 'no code of a file is ever run'],
  ['beforeScenario', 'no code of a file is ever run'],
  ['afterScenario', 'no code of a file is ever run'],
  ['function', 'no code of a file is ever run'],
  ['ifTrue', 'no code of a file is ever run'],
  ['whileTrue', 'no code of a file is ever run'],
  ['plugins', 'there are no plugins'],
  ['environments', 'give options.target instead'],
  ['engine', 'only http is spoken'],
  ['emit', 'only http is spoken'],
  ['send', 'only http is spoken'],
]);

/** @param {any} value @param {string} place @param {readonly string[]} known @returns {Record<string, any>} */
function fields(value, place, known) {
  if (!isPlainObject(value)) throw scenarioError(`${place} must be a table of names and values`);
  for (const name of Object.keys(value)) {
    if (known.includes(name)) continue;
    const label = JSON.stringify(name.slice(0, 64));
    const reason = REFUSED.get(name);
    if (reason) throw scenarioError(`${place} has ${label}, which is not supported: ${reason}`);
    throw scenarioError(`${place} has the unknown ${label}; the nearest known is "${nearest(name, known)}"`);
  }
  return value;
}

/** @param {any} value @param {string} place @returns {any[]} */
function list(value, place) {
  if (!Array.isArray(value) || value.length === 0) throw scenarioError(`${place} must be a list with something in it`);
  return value;
}

/** @param {any} value @param {string} place @returns {string} */
function text(value, place) {
  if (typeof value !== 'string' || value === '') throw scenarioError(`${place} must be a text`);
  return value;
}

/** @param {any} value @param {string} place @param {{ least?: number, most?: number, whole?: boolean }} [range] @returns {number} */
function number(value, place, { least = 0, most = Number.MAX_SAFE_INTEGER, whole = false } = {}) {
  const fits = typeof value === 'number' && value >= least && value <= most && (!whole || Number.isInteger(value));
  if (!fits) throw scenarioError(`${place} must be ${whole ? 'a whole number' : 'a number'} from ${least} to ${most}`);
  return value;
}

/** @param {any} value @param {string} place @returns {boolean} */
function flag(value, place) {
  if (typeof value !== 'boolean') throw scenarioError(`${place} must be true or false`);
  return value;
}

/** @type {Record<string, number>} */
const UNITS = { ms: 1, s: 1000, sec: 1000, m: 60_000, min: 60_000, h: 3_600_000 };

/** As long as a timer takes. */
const LONGEST_MS = 2 ** 31 - 1;

/** Seconds, or a number with a unit, in milliseconds. @param {any} value @param {string} place */
function duration(value, place) {
  if (typeof value === 'number') return number(value, place, { most: LONGEST_MS / 1000 }) * 1000;
  const [, amount, unit] = /^\s*(\d+(?:\.\d+)?)\s*(ms|sec|s|min|m|h)?\s*$/.exec(value) ?? [];
  if (amount === undefined) throw scenarioError(`${place} must be seconds, or a number with ms, s, min or h`);
  return number(Number(amount) * UNITS[unit ?? 's'], `${place}, in milliseconds,`, { most: LONGEST_MS });
}

module.exports = { duration, fields, flag, list, number, text };
