'use strict';

// Who owns the memory of typed arrays: the caller, shared memory, or the task.

const { describe, it, after } = require('node:test');
const assert = require('node:assert/strict');
const { ParallelProcessingEngine } = require('../..');
const { shared } = require('../support/tasks');

const engine = new ParallelProcessingEngine();
after(() => engine.close());

const LENGTH = 100_000;
const ascending = Float64Array.from({ length: LENGTH }, (_, index) => index);
const descending = ascending.slice().reverse();

describe('an ordinary typed array', () => {
  it('may be written to at once', async () => {
    const given = descending.slice();
    const sorted = engine.executeTask('sort', given);
    given.fill(0);
    assert.deepEqual(await sorted, ascending);
  });

  it('may be detached at once', async () => {
    const given = descending.slice();
    const sorted = engine.executeTask('sort', given);
    structuredClone(given.buffer, { transfer: [given.buffer] });
    assert.deepEqual(await sorted, ascending);
  });

  it('may shrink at once, and grow again', async () => {
    const buffer = new ArrayBuffer(LENGTH * 8, { maxByteLength: LENGTH * 8 });
    const given = new Float64Array(buffer);
    given.set(descending);
    const sorted = engine.executeTask('sort', given);
    buffer.resize(0);
    assert.deepEqual(await sorted, ascending);
  });

  it('may be a part of a buffer', async () => {
    const given = new Float64Array([9, 3, 1, 2, 9]).subarray(1, 4);
    assert.deepEqual(await engine.executeTask('sort', given), new Float64Array([1, 2, 3]));
  });
});

describe('transfer', () => {
  it('takes the memory, and gives the same answer', async () => {
    const given = descending.slice();
    const sorted = engine.executeTask('sort', given, { transfer: true });
    assert.equal(given.length, 0);
    assert.deepEqual(await sorted, ascending);
  });

  it('of both factors, or twice of one', async () => {
    const matrix = () => ({ data: new Float32Array([1, 2, 3, 4]), rows: 2, cols: 2 });
    const [matrixA, matrixB] = [matrix(), matrix()];
    const product = await engine.executeTask('matrix_multiplication', { matrixA, matrixB }, { transfer: true });
    assert.deepEqual(product.data, new Float32Array([7, 10, 15, 22]));
    assert.equal(matrixA.data.length + matrixB.data.length, 0);
    const one = matrix();
    const twice = engine.executeTask('matrix_multiplication', { matrixA: one, matrixB: one }, { transfer: true });
    await assert.rejects(twice, { code: 'ERR_OUT_OF_RANGE' });
  });

  it('of what cannot be moved is a copy', async () => {
    const memory = new WebAssembly.Memory({ initial: 1 });
    const given = new Float64Array(memory.buffer, 0, 3);
    given.set([3, 1, 2]);
    assert.deepEqual(await engine.executeTask('sort', given, { transfer: true }), new Float64Array([1, 2, 3]));
    assert.equal(given[0], 3);
  });

  it('of an answer, which Node does not let go of, is a copy', async () => {
    const first = await engine.executeTask('sort', descending);
    const second = engine.executeTask('sort', { values: first, order: 'descending' }, { transfer: true });
    assert.equal(first.length, LENGTH);
    assert.deepEqual(await second, descending);
  });
});

describe('shared memory', () => {
  it('is read in place', async () => {
    const given = shared(LENGTH);
    given.set(descending);
    assert.deepEqual(await engine.executeTask('sort', given, { transfer: true }), ascending);
    assert.equal(given.length, LENGTH);
  });

  it('may be written to by others meanwhile without harm', async () => {
    const given = shared(LENGTH);
    const tasks = Array.from({ length: 20 }, async (_, round) => {
      const sorted = engine.executeTask('sort', given);
      for (let index = 0; index < LENGTH; index++) given[index] = (index * 7919 + round) % LENGTH;
      return sorted;
    });
    for (const sorted of await Promise.all(tasks)) {
      assert.equal(sorted.length, LENGTH);
      assert.ok(sorted.every((value, index) => index === 0 || sorted[index - 1] <= value));
    }
  });
});

it('answers are memory of their own', async () => {
  const matrix = { data: shared(4), rows: 2, cols: 2 };
  matrix.data.set([1, 2, 3, 4]);
  const { data } = await engine.executeTask('matrix_transpose', { matrix });
  data.fill(0);
  assert.deepEqual(Array.from(matrix.data), [1, 2, 3, 4]);
});
