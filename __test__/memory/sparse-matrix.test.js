'use strict';

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { SparseMatrix } = require('../..');
const { errors, runInWorker } = require('../support');

const BAD_DATA = { name: 'HotpathDataError', code: 'ERR_HOTPATH_BAD_DATA' };
const DENSE = [[0, 1, 0], [2, 0, 0]]; // biome-ignore format: rows

describe('elements', () => {
  it('are set, read, and taken out', () => {
    const matrix = new SparseMatrix(1000, 2000);
    assert.equal(matrix.set(3, 4, 5.5), matrix);
    assert.equal(matrix.get(3, 4), 5.5);
    assert.equal(matrix.get(4, 3), 0);
    assert.deepEqual([matrix.rows, matrix.cols, matrix.size], [1000, 2000, 1]);
    matrix.set(3, 4, 0);
    assert.deepEqual([matrix.get(3, 4), matrix.size, matrix.density], [0, 0, 0]);
  });

  it('outside, and what is no number, are refused', () => {
    const matrix = new SparseMatrix(2, 3);
    assert.throws(() => matrix.get(2, 0), errors.outOfRange('row'));
    assert.throws(() => matrix.get(0, 3), errors.outOfRange('col'));
    assert.throws(() => matrix.get(-1, 0), errors.outOfRange('row'));
    assert.throws(() => matrix.set(0, 0.5, 1), errors.outOfRange('col'));
    assert.throws(() => matrix.set(0, 0, '1'), errors.invalidType('value'));
    assert.throws(() => new SparseMatrix(-1, 1), errors.outOfRange('rows'));
    assert.throws(() => new SparseMatrix(1, 2 ** 32), errors.outOfRange('cols'));
    assert.throws(() => new SparseMatrix(1), errors.invalidType('cols'));
  });

  it('agree with a dense matrix however they are set', () => {
    const [rows, cols] = [60, 50];
    const matrix = new SparseMatrix(rows, cols);
    const dense = Array.from({ length: rows }, () => new Array(cols).fill(0));
    for (let step = 0; step < 5000; step++) {
      const [row, col, value] = [(step * 7919) % rows, (step * 104729) % cols, ((step * 31) % 7) - 3];
      matrix.set(row, col, value);
      dense[row][col] = value;
    }
    assert.deepEqual(matrix.toDense(), dense);
    assert.equal(matrix.size, dense.flat().filter((value) => value !== 0).length);
    for (let row = 0; row < rows; row++) {
      for (let col = 0; col < cols; col++) assert.equal(matrix.get(row, col), dense[row][col]);
    }
  });
});

describe('whole matrices', () => {
  it('from dense and back, in both forms', () => {
    assert.deepEqual(SparseMatrix.fromDense(DENSE).toDense(), DENSE);
    const typed = { data: new Float32Array([0, 1, 0, 2, 0, 0]), rows: 2, cols: 3 };
    const matrix = SparseMatrix.fromDense(typed);
    assert.deepEqual(matrix.toDense('typed'), { data: new Float64Array([0, 1, 0, 2, 0, 0]), rows: 2, cols: 3 });
    assert.throws(() => matrix.toDense('list'), errors.outOfRange('form'));
    assert.throws(() => SparseMatrix.fromDense([[1], [1, 2]]), errors.outOfRange('dense[1].length'));
    assert.throws(() => SparseMatrix.fromDense(5), errors.invalidType('dense'));
    assert.deepEqual(SparseMatrix.fromDense([]).toDense(), []);
  });

  it('are multiplied by matrices, vectors, numbers and themselves', () => {
    const matrix = SparseMatrix.fromDense(DENSE);
    assert.deepEqual(matrix.multiply(matrix.transpose()).toDense(), [[1, 0], [0, 4]]); // biome-ignore format: rows
    assert.deepEqual(matrix.multiply([1, 2, 3]), [2, 2]);
    assert.deepEqual(matrix.multiply(new Float64Array([1, 2, 3])), new Float64Array([2, 2]));
    assert.deepEqual(matrix.multiply(new Float32Array([1, 2, 3])), new Float64Array([2, 2]));
    assert.deepEqual(matrix.multiply(2).toDense(), [[0, 2, 0], [4, 0, 0]]); // biome-ignore format: rows
    const square = SparseMatrix.fromDense([[0, 2], [3, 0]]); // biome-ignore format: rows
    assert.deepEqual(square.multiply(square).toDense(), [[6, 0], [0, 6]]); // biome-ignore format: rows
    assert.throws(() => matrix.multiply(matrix), errors.outOfRange('other.rows'));
    assert.throws(() => matrix.multiply([1]), errors.outOfRange('other.length'));
    assert.throws(() => matrix.multiply('2'), errors.invalidType('other'));
  });

  it('are iterated by rows, however many elements and whatever happens meanwhile', () => {
    const matrix = new SparseMatrix(100, 100);
    for (let place = 0; place < 10_000; place += 3) matrix.set(Math.floor(place / 100), place % 100, place + 1);
    const seen = [...matrix];
    assert.equal(seen.length, matrix.size);
    assert.ok(seen.every(([row, col, value]) => value === row * 100 + col + 1));
    assert.ok(
      seen.every(([row, col], index) => index === 0 || row * 100 + col > seen[index - 1][0] * 100 + seen[index - 1][1]),
    );
    let count = 0;
    for (const [row, col] of matrix.entries()) {
      matrix.set(row, col, 0);
      count += 1;
    }
    assert.ok(count >= seen.length);
    assert.equal(matrix.size, 0);
    assert.deepEqual([...new SparseMatrix(0, 5)], []);
  });

  it('at one percent take a twentieth of a dense one, or less', () => {
    const matrix = new SparseMatrix(1000, 1000);
    for (let count = 0; count < 10_000; count++) matrix.set((count * 7919) % 1000, (count * 104729) % 997, count + 1);
    assert.ok(matrix.size > 9000);
    assert.ok(matrix.bytes * 20 <= 1000 * 1000 * 8, `${matrix.bytes}`);
  });
});

describe('bytes', () => {
  const bytes = SparseMatrix.fromDense(DENSE).serialize();

  it('become the matrix again, in any thread', async () => {
    assert.deepEqual(SparseMatrix.deserialize(bytes).toDense(), DENSE);
    const there = await runInWorker(({ load }, given) => load().SparseMatrix.deserialize(given).toDense(), bytes);
    assert.deepEqual(there, DENSE);
  });

  it('of which any was changed are refused', () => {
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const damaged = Buffer.from(bytes);
      damaged[bit >> 3] ^= 1 << (bit & 7);
      assert.throws(() => SparseMatrix.deserialize(damaged), BAD_DATA);
    }
    assert.throws(() => SparseMatrix.deserialize(bytes.subarray(1)), BAD_DATA);
    assert.throws(() => SparseMatrix.deserialize(Buffer.alloc(0)), BAD_DATA);
    assert.throws(() => SparseMatrix.deserialize('x'), errors.invalidType('bytes'));
  });
});
