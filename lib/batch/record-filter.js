'use strict';

// Conditions on records, from the form that people write into the one that native code reads.

const { invalidArgType, outOfRange } = require('../errors.js');
const check = require('../validate.js');

const TESTS = Object.freeze([
  ...['eq', 'ne', 'in', 'notIn', 'lt', 'lte', 'gt', 'gte', 'contains', 'startsWith', 'endsWith', 'exists'],
]);

/**
 * @param {any} where an object of conditions that all hold, or an array of such objects, of which one holds
 * @param {string} path
 * @returns {{ names: string[], alternatives: [string, string, any][][] }}
 */
function normalizeFilter(where, path) {
  const list = Array.isArray(where) ? where : [where];
  const alternatives = list.map((conditions, index) => {
    const place = Array.isArray(where) ? `${path}[${index}]` : path;
    if (!check.isPlainObject(conditions)) throw invalidArgType('an object of conditions', place, conditions);
    return Object.entries(conditions).flatMap(([name, wanted]) => testsOf(name, wanted, `${place}.${name}`));
  });
  return { names: [...new Set(alternatives.flat().map(([name]) => name))], alternatives };
}

/** @param {string} name @param {any} wanted @param {string} path @returns {[string, string, any][]} */
function testsOf(name, wanted, path) {
  if (!check.isPlainObject(wanted)) {
    return [[name, 'in', Array.isArray(wanted) ? list(wanted, path) : [scalar(wanted, path)]]];
  }
  return Object.entries(wanted).map(([spelled, operand]) => {
    const test = check.oneOf(spelled.replace(/^\$/, ''), `${path}.${spelled}`, TESTS);
    return [name, ...operandOf(test, operand, `${path}.${spelled}`)];
  });
}

/** @param {string} test @param {any} operand @param {string} path @returns {[string, any]} */
function operandOf(test, operand, path) {
  switch (test) {
    case 'eq':
      return ['in', [scalar(operand, path)]];
    case 'ne':
      return ['notIn', [scalar(operand, path)]];
    case 'in':
    case 'notIn':
      return [test, list(operand, path)];
    case 'exists':
      return [test, check.boolean(operand, path)];
    case 'contains':
    case 'startsWith':
    case 'endsWith':
      return [test, check.string(operand, path)];
    default:
      if (typeof operand !== 'string' && typeof operand !== 'number') {
        throw invalidArgType('a number or a string', path, operand);
      }
      return [test, scalar(operand, path)];
  }
}

/** @param {any} value @param {string} path */
function list(value, path) {
  if (!Array.isArray(value)) throw invalidArgType('an array', path, value);
  return value.map((item, index) => scalar(item, `${path}[${index}]`));
}

/** A value that fields can equal. @param {any} value @param {string} path */
function scalar(value, path) {
  if (typeof value === 'number' && !Number.isFinite(value)) throw outOfRange('a finite number', path, value);
  if (value === null || ['string', 'number', 'boolean'].includes(typeof value)) return value;
  throw invalidArgType('a string, a number, a boolean or null', path, value);
}

module.exports = { normalizeFilter };
