'use strict';

// Results against numpy's, which reference/generate.py wrote down. Inputs are drawn here and there by one generator.

const { describe, it, after } = require('node:test');
const assert = require('node:assert/strict');
const { ParallelProcessingEngine } = require('../..');
const numpy = require('./reference/numpy.json');

const TOLERANCE = 1e-9;

function draw(seed, ...shape) {
  let state = BigInt(seed);
  const numbers = Float64Array.from({ length: shape.reduce((product, side) => product * side, 1) }, () => {
    state = (state * 1103515245n + 12345n) % 2n ** 31n;
    return Number(state) / 2 ** 30 - 1;
  });
  const [rows, cols = 1] = shape;
  return { data: numbers, rows, cols };
}

function rowsOf({ data, rows, cols }) {
  return Array.from({ length: rows }, (_, row) => Array.from(data.subarray(row * cols, (row + 1) * cols)));
}

/** Every number within 1e-9 of the reference, relative to it; absolute where the reference is (nearly) 0. */
function assertClose(got, expected, path = 'result') {
  if (typeof expected === 'number') {
    const error = Math.abs(got - expected) / Math.max(Math.abs(expected), 1e-6);
    assert.ok(error <= TOLERANCE, `${path}: ${got} is not ${expected}`);
    return;
  }
  assert.deepEqual(Object.keys(got), Object.keys(expected), path);
  for (const key of Object.keys(expected)) assertClose(got[key], expected[key], `${path}.${key}`);
}

const engine = new ParallelProcessingEngine();
after(() => engine.close());

const a = draw(1, 23, 37);
const b = draw(2, 37, 19);
const square = draw(3, 70, 70);
for (let row = 0; row < 70; row++) square.data[row * 71] += 5;
const right = draw(4, 70, 3);
const entities = draw(5, 14, 53);
const sparse = draw(6, 14, 53);
const kept = draw(7, 14, 53);

/** numpy rounds halves to even. */
function roundHalfToEven(value) {
  const rounded = Math.round(value);
  return Math.abs(value % 1) === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

describe('matrices as numpy', () => {
  for (const [form, given] of [
    ['typed', (matrix) => matrix],
    ['rows', rowsOf],
  ]) {
    const taken = form === 'typed' ? rowsOf : (rows) => rows;
    it(`product, ${form}`, async () => {
      const product = await engine.executeTask('matrix_multiplication', { matrixA: given(a), matrixB: given(b) });
      assertClose(taken(product), numpy.product);
    });
    it(`transpose, ${form}`, async () => {
      assertClose(taken(await engine.executeTask('matrix_transpose', { matrix: given(a) })), numpy.transpose);
    });
    it(`inverse, ${form}`, async () => {
      assertClose(taken(await engine.executeTask('matrix_inverse', { matrix: given(square) })), numpy.inverse);
    });
    it(`solution, ${form}`, async () => {
      const data = { matrix: given(square), vectors: given(right) };
      assertClose(taken(await engine.executeTask('matrix_solve', data)), numpy.solution);
    });
  }

  it('solution of one vector', async () => {
    const vector = rowsOf(right).map(([first]) => first);
    const solution = await engine.executeTask('matrix_solve', { matrix: square, vector });
    assertClose(
      solution,
      numpy.solution.map(([first]) => first),
    );
  });
});

describe('similarity as numpy', () => {
  for (const algorithm of ['pearson', 'cosine', 'jaccard', 'euclidean']) {
    it(algorithm, async () => {
      const masked = entities.data.map((value, index) => (sparse.data[index] > 0.3 ? value : 0));
      const rows = algorithm === 'jaccard' ? { ...entities, data: masked } : entities;
      const scores = await engine.executeTask('similarity_calculation', { entities: rows, algorithm });
      assertClose(rowsOf(scores), numpy[algorithm]);
    });

    it(`${algorithm} of ratings`, async () => {
      const rated = rowsOf(entities).map((row, index) => ({
        id: index,
        ratings: row
          .map((value, item) => [`item ${item}`, roundHalfToEven(value * 5)])
          .filter((_, item) => kept.data[index * 53 + item] > -0.2),
      }));
      const data = { entities: rated, algorithm, options: { format: 'matrix' } };
      const scores = await engine.executeTask('similarity_calculation', data);
      const name = `rated${algorithm[0].toUpperCase()}${algorithm.slice(1)}`;
      assertClose(rowsOf(scores), numpy[name]);
    });
  }
});

describe('figures as numpy', () => {
  const values = draw(8, 10001).data.map((value) => value * 1e3 + 7e5);
  const percentiles = Object.keys(numpy.statistics.percentiles).map(Number);

  for (const form of ['typed', 'array']) {
    it(`statistics, ${form}`, async () => {
      const given = form === 'typed' ? values : Array.from(values);
      assertClose(await engine.executeTask('statistics', { values: given, percentiles }), numpy.statistics);
    });
    it(`sort, ${form}`, async () => {
      const given = form === 'typed' ? a.data : Array.from(a.data);
      assert.deepEqual(Array.from(await engine.executeTask('sort', given)), numpy.sorted);
    });
  }
});
