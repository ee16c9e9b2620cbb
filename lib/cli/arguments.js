'use strict';

// Arguments of the command line: names and values, checked, with the nearest name for one that nobody knows.

const { nearest } = require('../nearest.js');

/** Wrong use: shown as one line, exit code 2. */
class UsageError extends Error {}

/**
 * @typedef {{ type: 'flag' | 'text' | 'number' | 'duration', short?: string, many?: boolean }} Option
 * @param {string[]} args
 * @param {Record<string, Option>} known by long name
 */
function readArguments(args, known) {
  /** @type {Record<string, any>} */
  const options = {};
  const rest = [];
  const queue = [...args];
  for (let arg = queue.shift(); arg !== undefined; arg = queue.shift()) {
    if (arg === '--') {
      rest.push(...queue);
      break;
    }
    if (!arg.startsWith('-') || arg === '-') {
      rest.push(arg);
      continue;
    }
    const [given, attached] = split(arg);
    const name = longName(given, known);
    const { type, many } = known[name];
    if (type === 'flag') {
      if (attached !== undefined) throw new UsageError(`--${name} takes no value`);
      options[name] = true;
      continue;
    }
    const text = attached ?? queue.shift();
    if (text === undefined) throw new UsageError(`--${name} needs a value`);
    const value = parsed(text, type, `--${name}`);
    if (many) options[name] = [...(options[name] ?? []), value];
    else options[name] = value;
  }
  return { options, rest };
}

/** @param {string} arg @returns {[string, string | undefined]} */
function split(arg) {
  const at = arg.indexOf('=');
  return at < 0 ? [arg, undefined] : [arg.slice(0, at), arg.slice(at + 1)];
}

/** @param {string} given @param {Record<string, Option>} known */
function longName(given, known) {
  const names = Object.keys(known);
  const name = given.startsWith('--')
    ? names.find((candidate) => given === `--${candidate}`)
    : names.find((candidate) => known[candidate].short && given === `-${known[candidate].short}`);
  if (name !== undefined) return name;
  const near = nearest(given.replace(/^-+/, ''), names);
  throw new UsageError(`Unknown option ${given.slice(0, 40)}; the nearest is --${near}`);
}

/** @type {Record<string, number>} */
const UNITS = { ms: 1, s: 1000, m: 60_000, min: 60_000, h: 3_600_000 };

/** @param {string} text @param {'text' | 'number' | 'duration'} type @param {string} place */
function parsed(text, type, place) {
  if (type === 'text') return text;
  if (type === 'duration') {
    const [, amount, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|min|h)?$/.exec(text) ?? [];
    if (amount === undefined) throw new UsageError(`${place} needs a time such as 500ms, 10s or 2min`);
    return Number(amount) * UNITS[unit ?? 's'];
  }
  const number = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(number)) throw new UsageError(`${place} needs a number`);
  return number;
}

module.exports = { UsageError, readArguments };
