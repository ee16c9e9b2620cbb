'use strict';

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { pathToFileURL } = require('node:url');
const { threadId } = require('node:worker_threads');
const { BatchProcessingEngine } = require('../..');
const { runInChild, waitFor } = require('../support');
const { temporaryDirectory } = require('../support/pools');

const FILE = path.join(__dirname, 'fixtures', 'processor.js');
const MODULE = path.join(__dirname, 'fixtures', 'processor.mjs');

const numbers = (count) => Array.from({ length: count }, (_, number) => number);
const messages = ({ errors }) => errors.map(({ index, error }) => [index, error.message]);

function open(t, options) {
  const engine = new BatchProcessingEngine({ batchSize: 10, maxConcurrency: 2, ...options });
  t.after(() => engine.destroy());
  return engine;
}

describe('BatchProcessingEngine: worker files', () => {
  it('process arrays in other threads, in order', async (t) => {
    const engine = open(t, { processors: { double: FILE, increment: MODULE } });
    const doubled = await engine.processBatch(numbers(95), FILE);
    assert.deepEqual(
      doubled.results,
      numbers(95).map((number) => number * 2),
    );
    assert.deepEqual((await engine.processBatch([1], pathToFileURL(FILE))).results, [2]);
    assert.deepEqual((await engine.processBatch([1], path.relative('', MODULE))).results, [2]);
    assert.deepEqual((await engine.processBatch([5], 'double')).results, [10]);
    assert.deepEqual((await engine.processBatch([5], 'increment')).results, [6]);
    const [thread] = (await engine.processBatch(['thread'], FILE)).results;
    assert.notEqual(thread, threadId);
  });

  it('learn of their chunk', async (t) => {
    const engine = open(t, { batchSize: 2 });
    const { batchId, results } = await engine.processBatch([1, 2, 'context'], FILE);
    assert.deepEqual(results[2], {
      batchId,
      chunkIndex: 1,
      startIndex: 2,
      attempt: 1,
      lines: undefined,
      signal: false,
    });
  });

  it('take streams and files', async (t) => {
    const engine = open(t);
    const streamed = await engine.processStream(new Set(numbers(25)), FILE);
    assert.deepEqual(
      streamed.results,
      numbers(25).map((number) => number * 2),
    );
    const file = path.join(temporaryDirectory(t), 'names.csv');
    fs.writeFileSync(file, 'name\nann\nbob\n');
    const processor = path.join(temporaryDirectory(t), 'upper.js');
    fs.writeFileSync(processor, 'module.exports = (rows) => rows.map(({ name }) => name.toUpperCase());');
    const read = await engine.processFile(file, { processor });
    assert.deepEqual(read.results, ['ANN', 'BOB']);
  });

  it('whose items fail, fail those alone', async (t) => {
    const engine = open(t);
    const result = await engine.processBatch([1, 'throw', 2, 'error', 3], FILE);
    assert.deepEqual(result.results, [2, undefined, 4, undefined, 6]);
    assert.deepEqual(messages(result), [
      [1, 'thrown by an item'],
      [3, 'an error element'],
    ]);
    assert.ok(result.errors[0].error instanceof RangeError);
    assert.equal(result.errors[1].error.code, 'E_ITEM');
  });

  it('whose thread dies, fail the item that killed it', async (t) => {
    const engine = open(t);
    const result = await engine.processBatch([1, 'exit', 2], FILE);
    assert.deepEqual(result.results, [2, undefined, 4]);
    assert.equal(result.errors[0].error.code, 'ERR_HOTPATH_WORKER_EXITED');
  });

  it('that take too long are ended with their thread', async (t) => {
    const engine = open(t, { batchSize: 1, maxConcurrency: 1 });
    const result = await engine.processBatch(['forever', 1], FILE, { processingTimeout: 1_000 });
    assert.deepEqual(result.results, [undefined, 2]);
    assert.equal(result.errors[0].error.code, 'ERR_HOTPATH_TIMEOUT');
  });

  it('end when the batch is cancelled', async (t) => {
    const engine = open(t, { batchSize: 1 });
    const { batchId } = await engine.submitBatch(['wait', 'forever', 1], FILE);
    await waitFor(() => engine.getBatchStatus(batchId).chunks.running === 2);
    assert.equal(engine.cancelBatch(batchId), true);
    assert.equal((await engine.waitForBatch(batchId)).status, 'cancelled');
    assert.deepEqual((await engine.processBatch([1], FILE)).results, [2], 'and the threads are free again');
  });

  it('that do not exist, or export nothing, are errors', async (t) => {
    const engine = open(t, { processors: { increment: MODULE } });
    const unknown = { code: 'ERR_HOTPATH_UNKNOWN_PROCESSOR' };
    await assert.rejects(engine.processBatch([1], 'incremnt'), { ...unknown, message: /"increment"/ });
    await assert.rejects(engine.processBatch([1], pathToFileURL('/no/such/file.js')), unknown);
    await assert.rejects(engine.processBatch([1], 7), { code: 'ERR_INVALID_ARG_TYPE' });
    assert.throws(() => engine.registerProcessor('x', 'no-such-file.js'), unknown);
    const empty = path.join(temporaryDirectory(t), 'empty.js');
    fs.writeFileSync(empty, 'exports.nothing = 1;');
    const { errors } = await engine.processBatch([1], empty);
    assert.equal(errors[0].error.code, 'ERR_HOTPATH_WORKER_FILE');
  });

  it('keep no process alive when nothing is under way', async () => {
    const { code, said, stderr } = await runInChild(
      async ({ load, say }, file) => {
        const engine = new (load().BatchProcessingEngine)();
        say((await engine.processBatch([1, 2], file)).results);
      },
      { data: FILE },
    );
    assert.equal(code, 0, stderr);
    assert.deepEqual(said, [[2, 4]]);
  });
});
