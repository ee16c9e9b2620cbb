const { hasNumpy, THREADS } = require('./numpy.js');
const { draw, mirrored, shared } = require('./workload.js');

/** @typedef {import('../harness/types.js').Contender} Contender */

/** @type {any} */
const hotpath = {
  package: 'hotpath',
  options: () => ({ maxWorkers: 4 }),
  open(/** @type {any} */ options) {
    const { ParallelProcessingEngine } = require('../..');
    const engine = new ParallelProcessingEngine(options);
    return {
      multiply(/** @type {number} */ rows, /** @type {number} */ columns) {
        const numbers = draw(rows, columns);
        const matrixA = { data: shared(numbers), rows, cols: columns };
        const matrixB = { data: shared(mirrored(numbers, columns)), rows, cols: columns };
        return async () => (await engine.executeTask('matrix_multiplication', { matrixA, matrixB })).data;
      },
      pearson(/** @type {number} */ rows, /** @type {number} */ columns) {
        const entities = { data: shared(draw(rows, columns)), rows, cols: columns };
        const data = { entities, algorithm: 'pearson' };
        return async () => (await engine.executeTask('similarity_calculation', data)).data;
      },
    };
  },
};

/** @type {any} */
const mlMatrix = {
  package: 'ml-matrix',
  options: () => ({}),
  open() {
    const { Matrix } = require('ml-matrix');
    return {
      multiply(/** @type {number} */ rows, /** @type {number} */ columns) {
        const numbers = draw(rows, columns);
        const a = Matrix.from1DArray(rows, columns, numbers);
        const b = Matrix.from1DArray(rows, columns, mirrored(numbers, columns));
        return () => a.mmul(b).to1DArray();
      },
    };
  },
};

/** What one would write by hand, over typed arrays: rows centred and scaled first. @type {any} */
const typedArrays = {
  package: 'hotpath',
  options: () => ({}),
  open() {
    return {
      pearson(/** @type {number} */ rows, /** @type {number} */ columns) {
        const numbers = draw(rows, columns);
        return () => correlations(numbers, rows, columns);
      },
    };
  },
};

/** @param {Float64Array} numbers @param {number} rows @param {number} columns */
function correlations(numbers, rows, columns) {
  const scaled = new Float64Array(numbers.length);
  for (let row = 0; row < rows; row += 1) {
    const start = row * columns;
    let sum = 0;
    for (let place = start; place < start + columns; place += 1) sum += numbers[place];
    const mean = sum / columns;
    let squares = 0;
    for (let place = start; place < start + columns; place += 1) squares += (numbers[place] - mean) ** 2;
    const root = Math.sqrt(squares);
    for (let place = start; place < start + columns; place += 1) scaled[place] = (numbers[place] - mean) / root;
  }
  const result = new Float64Array(rows * rows);
  for (let a = 0; a < rows; a += 1) {
    result[a * rows + a] = 1;
    for (let b = a + 1; b < rows; b += 1) {
      let product = 0;
      for (let term = 0; term < columns; term += 1) product += scaled[a * columns + term] * scaled[b * columns + term];
      result[a * rows + b] = product;
      result[b * rows + a] = product;
    }
  }
  return result;
}

/** None where python3 has no numpy. @type {Record<string, any>} */
const numpy = hasNumpy()
  ? { numpy: { package: 'numpy', options: () => ({ threads: THREADS }), open: () => ({ numpy: true }) } }
  : {};

/** A floor that only stands where its contender does. @param {any} floor @returns {any[]} */
function ifNumpy(floor) {
  return 'numpy' in numpy ? [{ ...floor, against: 'numpy' }] : [];
}

module.exports = { hotpath, ifNumpy, mlMatrix, numpy, typedArrays };
