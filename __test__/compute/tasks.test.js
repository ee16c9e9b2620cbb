'use strict';

const { describe, it, after } = require('node:test');
const assert = require('node:assert/strict');
const { ParallelProcessingEngine } = require('../..');
const { errors } = require('../support');

const engine = new ParallelProcessingEngine();
after(() => engine.close());
const run = (type, data, options) => engine.executeTask(type, data, options);

describe('matrix_multiplication', () => {
  it('gives rows for rows', async () => {
    const data = { matrixA: [[1, 2], [3, 4]], matrixB: [[5, 6], [7, 8]] }; // biome-ignore format: rows
    assert.deepEqual(await run('matrix_multiplication', data), [[19, 22], [43, 50]]); // biome-ignore format: rows
  });

  it('gives a typed matrix as soon as one factor is typed, and singles only for singles', async () => {
    const single = { data: new Float32Array([1, 2, 3]), rows: 1, cols: 3 };
    const double = { data: new Float64Array([4, 5, 6]), rows: 3, cols: 1 };
    const product = { data: new Float64Array([32]), rows: 1, cols: 1 };
    assert.deepEqual(await run('matrix_multiplication', { matrixA: single, matrixB: double }), product);
    assert.deepEqual(await run('matrix_multiplication', { matrixA: single, matrixB: [[4], [5], [6]] }), product);
    const both = await run('matrix_multiplication', { matrixA: single, matrixB: { ...single, rows: 3, cols: 1 } });
    assert.deepEqual(both, { data: new Float32Array([14]), rows: 1, cols: 1 });
  });

  it('takes rows that are typed arrays, and matrices without numbers', async () => {
    const rows = [new Float64Array([1, 2]), new Float32Array([3, 4])];
    assert.deepEqual(await run('matrix_multiplication', { matrixA: rows, matrixB: [[1], [1]] }), [[3], [7]]);
    assert.deepEqual(await run('matrix_multiplication', { matrixA: [], matrixB: [] }), []);
    assert.deepEqual(await run('matrix_multiplication', { matrixA: [[], []], matrixB: [] }), [[], []]);
    const none = { data: new Float64Array(0), rows: 2, cols: 0 };
    const sum = await run('matrix_multiplication', { matrixA: none, matrixB: { ...none, rows: 0, cols: 3 } });
    assert.deepEqual(sum, { data: new Float64Array(6), rows: 2, cols: 3 });
  });

  it('refuses what does not fit', async () => {
    const bad = (matrixA, matrixB) => run('matrix_multiplication', { matrixA, matrixB });
    await assert.rejects(bad([[1, 2]], [[1, 2]]), errors.outOfRange('data.matrixB.rows'));
    await assert.rejects(bad([[1, 2], [3]], [[1]]), errors.outOfRange('data.matrixA[1].length'));
    await assert.rejects(bad([[1, '2']], [[1]]), errors.invalidType('data.matrixA[0][1]'));
    await assert.rejects(bad([[1]], [1]), errors.invalidType('data.matrixB[0]'));
    await assert.rejects(bad([[1]]), errors.invalidType('data.matrixB'));
    await assert.rejects(bad({ data: [1], rows: 1, cols: 1 }, [[1]]), errors.invalidType('data.matrixA.data'));
    const data = new Float64Array(4);
    await assert.rejects(bad({ data, rows: 3, cols: 2 }, [[1]]), errors.outOfRange('data.matrixA.data.length'));
    await assert.rejects(bad({ data, rows: -2, cols: -2 }, [[1]]), errors.outOfRange('data.matrixA.rows'));
    await assert.rejects(bad({ data, rows: 2, columns: 2 }, [[1]]), errors.unknownOption('columns', 'cols'));
  });
});

describe('matrix_transpose, matrix_inverse, matrix_solve', () => {
  it('answer in the form of the question', async () => {
    assert.deepEqual(await run('matrix_transpose', { matrix: [[1, 2, 3]] }), [[1], [2], [3]]);
    assert.deepEqual(await run('matrix_inverse', { matrix: [[4, 7], [2, 6]] }).then(rounded), [[0.6, -0.7], [-0.2, 0.4]]); // biome-ignore format: rows
    const matrix = { data: new Float32Array([2, 0, 0, 4]), rows: 2, cols: 2 };
    assert.deepEqual((await run('matrix_inverse', { matrix })).data, new Float32Array([0.5, 0, 0, 0.25]));
    assert.deepEqual(await run('matrix_solve', { matrix: [[2, 0], [0, 4]], vector: [2, 2] }), [1, 0.5]); // biome-ignore format: rows
    const vector = new Float32Array([2, 2]);
    assert.deepEqual(await run('matrix_solve', { matrix, vector }), new Float32Array([1, 0.5]));
    assert.deepEqual(await run('matrix_solve', { matrix, vectors: [[2, 4], [4, 8]] }), [[1, 2], [1, 2]]); // biome-ignore format: rows
  });

  it('a singular matrix is an error of its own', async () => {
    const matrix = [[1, 2], [2, 4]]; // biome-ignore format: rows
    const singular = { name: 'HotpathMatrixError', code: 'ERR_HOTPATH_SINGULAR_MATRIX' };
    await assert.rejects(run('matrix_inverse', { matrix }), singular);
    await assert.rejects(run('matrix_solve', { matrix, vector: [1, 1] }), singular);
  });

  it('refuse what does not fit', async () => {
    await assert.rejects(run('matrix_inverse', { matrix: [[1, 2]] }), errors.outOfRange('data.matrix.cols'));
    await assert.rejects(
      run('matrix_solve', { matrix: [[1]], vector: [1, 2] }),
      errors.outOfRange('data.vector.length'),
    );
    await assert.rejects(run('matrix_solve', { matrix: [[1]], vectors: [] }), errors.outOfRange('data.vectors.rows'));
    await assert.rejects(run('matrix_solve', { matrix: [[1]] }), errors.invalidType('data.vector'));
  });
});

describe('statistics', () => {
  it('of numbers alone, and with percentiles', async () => {
    const described = await run('statistics', { values: [4, 1, 3, 2], percentiles: [50, 75] });
    assert.deepEqual(described, {
      count: 4,
      sum: 10,
      mean: 2.5,
      variance: 1.25,
      standardDeviation: Math.sqrt(1.25),
      sampleVariance: 5 / 3,
      sampleStandardDeviation: Math.sqrt(5 / 3),
      min: 1,
      max: 4,
      median: 2.5,
      percentiles: { 50: 2.5, 75: 3.25 },
    });
    assert.equal((await run('statistics', new Float32Array([1, 2]))).sum, 3);
    assert.equal((await run('statistics', [])).count, 0);
    assert.ok(Number.isNaN((await run('statistics', [])).mean));
  });

  it('refuses what is no number or no percentage', async () => {
    await assert.rejects(run('statistics', { values: [1, null] }), errors.invalidType('data.values[1]'));
    await assert.rejects(
      run('statistics', { values: [1], percentiles: [101] }),
      errors.outOfRange('data.percentiles[0]'),
    );
    await assert.rejects(
      run('statistics', { values: [1], percentiles: [NaN] }),
      errors.outOfRange('data.percentiles[0]'),
    );
    await assert.rejects(run('statistics'), errors.invalidType('data'));
  });
});

describe('sort', () => {
  it('sorts a copy, as typed arrays are sorted', async () => {
    const numbers = [3, NaN, -0, 0, -1, Infinity];
    assert.deepEqual(await run('sort', numbers), Array.from(Float64Array.from(numbers).sort()));
    assert.deepEqual(numbers, [3, NaN, -0, 0, -1, Infinity]);
    assert.deepEqual(await run('sort', { values: [1, 3, NaN, 2], order: 'descending' }), [3, 2, 1, NaN]);
    assert.deepEqual(await run('sort', new Float32Array([2, 1])), new Float32Array([1, 2]));
  });

  it('agrees with JavaScript on many numbers', async () => {
    const numbers = Float64Array.from({ length: 200_000 }, (_, index) => Math.sin(index) * 1e6);
    assert.deepEqual(await run('sort', numbers), numbers.slice().sort());
  });

  it('refuses another order', async () => {
    await assert.rejects(run('sort', { values: [], order: 'up' }), errors.outOfRange('data.order'));
  });
});

function rounded(rows) {
  return rows.map((row) => row.map((value) => Math.round(value * 1e12) / 1e12));
}
