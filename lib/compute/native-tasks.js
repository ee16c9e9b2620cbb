'use strict';

// The tasks that native code knows: what each takes, which call begins it, and what its answer becomes.

const native = require('../native.js');
const { outOfRange } = require('../errors.js');
const check = require('../validate.js');
const { isFloats, matrix, matrixResult, numbers, square } = require('./numbers.js');
const { prepareSimilarity } = require('./similarity.js');

/**
 * A task with its data checked and in native form.
 * @typedef {object} Prepared
 * @property {(...place: Place) => void} start begins it
 * @property {readonly unknown[]} memory what native code reads
 * @property {(answer: any) => any} decode
 */

/** @typedef {[handle: number, operation: number, priority: number, timeout: number]} Place */

/** @param {unknown} data @param {readonly string[]} known */
function fields(data, known) {
  return check.options(data === undefined ? null : data, 'data', known);
}

/** @type {Record<string, (data: unknown, transfer: boolean) => Prepared>} */
const NATIVE_TASKS = {
  matrix_multiplication(data, transfer) {
    const { matrixA, matrixB } = fields(data, ['matrixA', 'matrixB']);
    const a = matrix(matrixA, 'data.matrixA', transfer);
    const b = matrix(matrixB, 'data.matrixB', transfer);
    if (a.cols !== b.rows) throw outOfRange(`${a.cols}, the columns of data.matrixA,`, 'data.matrixB.rows', b.rows);
    return {
      start: (...place) => native.computeMultiply(...place, a.data, a.rows, a.cols, b.data, b.rows, b.cols),
      memory: [a.data, b.data],
      decode: (answer) => matrixResult(answer, a.rows, b.cols, a.typed || b.typed),
    };
  },

  matrix_transpose(data, transfer) {
    const { matrix: given } = fields(data, ['matrix']);
    const a = matrix(given, 'data.matrix', transfer);
    return {
      start: (...place) => native.computeTranspose(...place, a.data, a.rows, a.cols),
      memory: [a.data],
      decode: (answer) => matrixResult(answer, a.cols, a.rows, a.typed),
    };
  },

  matrix_inverse(data, transfer) {
    const { matrix: given } = fields(data, ['matrix']);
    const a = square(matrix(given, 'data.matrix', transfer), 'data.matrix');
    return {
      start: (...place) => native.computeInverse(...place, a.data, a.rows, a.cols),
      memory: [a.data],
      decode: (answer) => matrixResult(answer, a.rows, a.cols, a.typed),
    };
  },

  matrix_solve(data, transfer) {
    const { matrix: given, vector, vectors } = fields(data, ['matrix', 'vector', 'vectors']);
    const a = square(matrix(given, 'data.matrix', transfer), 'data.matrix');
    const single = vectors === undefined;
    const b = single ? column(vector, transfer) : matrix(vectors, 'data.vectors', transfer);
    const path = single ? 'data.vector.length' : 'data.vectors.rows';
    if (b.rows !== a.rows) throw outOfRange(`${a.rows}, the rows of data.matrix,`, path, b.rows);
    return {
      start: (...place) => native.computeSolve(...place, a.data, a.rows, a.cols, b.data, b.rows, b.cols),
      memory: [a.data, b.data],
      decode(answer) {
        if (!single) return matrixResult(answer, b.rows, b.cols, b.typed);
        return b.typed ? answer : Array.from(answer);
      },
    };
  },

  similarity_calculation: prepareSimilarity,

  statistics(data, transfer) {
    const { values, percentiles = [] } = valuesOf(data, ['values', 'percentiles']);
    const { data: given } = numbers(values, 'data.values', transfer);
    const { data: percents } = numbers(percentiles, 'data.percentiles', false);
    percents.forEach((percent, index) => {
      if (!(percent >= 0 && percent <= 100)) {
        throw outOfRange('a number from 0 to 100', `data.percentiles[${index}]`, percent);
      }
    });
    const exact = Float64Array.from(percents);
    return {
      start: (...place) => native.computeStatistics(...place, given, exact),
      memory: [given],
      decode: (answer) => description(answer, exact),
    };
  },

  sort(data, transfer) {
    const { values, order = 'ascending' } = valuesOf(data, ['values', 'order']);
    const { data: given, typed } = numbers(values, 'data.values', transfer);
    const descending = check.oneOf(order, 'data.order', ['ascending', 'descending']) === 'descending';
    return {
      start: (...place) => native.computeSort(...place, given, descending ? 1 : 0),
      memory: [given],
      decode: (answer) => (typed ? answer : Array.from(answer)),
    };
  },
};

/** Numbers alone stand for `{ values }`. @param {unknown} data @param {readonly string[]} known */
function valuesOf(data, known) {
  return Array.isArray(data) || isFloats(data) ? { values: data } : fields(data, known);
}

/** A right-hand side as a matrix of one column. @param {unknown} vector @param {boolean} transfer */
function column(vector, transfer) {
  const { data, typed } = numbers(vector, 'data.vector', transfer);
  return { data, rows: data.length, cols: 1, typed };
}

/** @param {Float64Array} answer @param {Float64Array} percentiles */
function description(answer, percentiles) {
  const [count, sum, mean, variance, sampleVariance, min, max, median] = answer;
  /** @type {Record<string, number>} */
  const byPercent = {};
  percentiles.forEach((percent, index) => {
    byPercent[String(percent)] = answer[8 + index];
  });
  return {
    count,
    sum,
    mean,
    variance,
    standardDeviation: Math.sqrt(variance),
    sampleVariance,
    sampleStandardDeviation: Math.sqrt(sampleVariance),
    min,
    max,
    median,
    percentiles: byPercent,
  };
}

module.exports = { NATIVE_TASKS };
