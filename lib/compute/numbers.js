'use strict';

// Numbers and matrices as callers give them, and as they get them back: arrays for arrays, typed arrays for typed
// arrays.

const { types } = require('node:util');
const { invalidArgType, outOfRange } = require('../errors.js');
const check = require('../validate.js');
const { lendable } = require('./lending.js');

/** @typedef {Float64Array | Float32Array} Floats */
/** @typedef {{ data: Floats, rows: number, cols: number }} TypedMatrix */
/** @typedef {TypedMatrix & { typed: boolean }} Matrix `typed`: given as a typed array */

const NUMBERS = 'an array of numbers, a Float64Array or a Float32Array';
const MATRIX = 'an array of rows or { data, rows, cols }';

/** @param {unknown} value @returns {value is Floats} */
function isFloats(value) {
  return types.isFloat64Array(value) || types.isFloat32Array(value);
}

/**
 * @param {unknown} value
 * @param {string} path
 * @param {boolean} transfer
 * @returns {{ data: Floats, typed: boolean }}
 */
function numbers(value, path, transfer) {
  if (isFloats(value)) return { data: lendable(value, transfer), typed: true };
  if (!Array.isArray(value)) throw invalidArgType(NUMBERS, path, value);
  const data = new Float64Array(value.length);
  copyNumbers(value, data, 0, path);
  return { data, typed: false };
}

/**
 * @param {ArrayLike<unknown>} from
 * @param {Float64Array} to
 * @param {number} start
 * @param {string} path
 */
function copyNumbers(from, to, start, path) {
  if (isFloats(from)) {
    to.set(from, start);
    return;
  }
  for (let index = 0; index < from.length; index++) {
    const number = from[index];
    if (typeof number !== 'number') throw invalidArgType('a number', `${path}[${index}]`, number);
    to[start + index] = number;
  }
}

/**
 * @param {unknown} value
 * @param {string} path
 * @param {boolean} transfer
 * @returns {Matrix}
 */
function matrix(value, path, transfer) {
  if (Array.isArray(value)) return matrixOfRows(value, path);
  if (!check.isPlainObject(value)) throw invalidArgType(MATRIX, path, value);
  const { data, rows, cols } = check.options(value, path, ['data', 'rows', 'cols']);
  if (!isFloats(data)) throw invalidArgType('a Float64Array or a Float32Array', `${path}.data`, data);
  check.nonNegativeInteger(rows, `${path}.rows`);
  check.nonNegativeInteger(cols, `${path}.cols`);
  if (rows * cols !== data.length) {
    throw outOfRange(`rows x cols (${rows} x ${cols}) numbers`, `${path}.data.length`, data.length);
  }
  return { data: lendable(data, transfer), rows, cols, typed: true };
}

/** @param {unknown[]} rows @param {string} path @returns {Matrix} */
function matrixOfRows(rows, path) {
  const cols = rows.length === 0 ? 0 : rowOf(rows, 0, path).length;
  const data = new Float64Array(rows.length * cols);
  for (let index = 0; index < rows.length; index++) {
    const row = rowOf(rows, index, path);
    if (row.length !== cols) throw outOfRange(`${cols}, as in the first row,`, `${path}[${index}].length`, row.length);
    copyNumbers(row, data, index * cols, `${path}[${index}]`);
  }
  return { data, rows: rows.length, cols, typed: false };
}

/** @param {unknown[]} rows @param {number} index @param {string} path @returns {ArrayLike<unknown>} */
function rowOf(rows, index, path) {
  const row = rows[index];
  if (!Array.isArray(row) && !isFloats(row)) throw invalidArgType(NUMBERS, `${path}[${index}]`, row);
  return row;
}

/**
 * A matrix as the caller gave his.
 * @param {Floats} data
 * @param {number} rows
 * @param {number} cols
 * @param {boolean} typed
 */
function matrixResult(data, rows, cols, typed) {
  if (typed) return { data, rows, cols };
  return Array.from({ length: rows }, (_, row) => Array.from(data.subarray(row * cols, (row + 1) * cols)));
}

/** @param {Matrix} matrix @param {string} path */
function square(matrix, path) {
  if (matrix.rows !== matrix.cols)
    throw outOfRange(`a square matrix (${matrix.rows} rows)`, `${path}.cols`, matrix.cols);
  return matrix;
}

module.exports = { isFloats, numbers, copyNumbers, matrix, matrixResult, square };
