'use strict';

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { Readable } = require('node:stream');
const { BatchProcessingEngine, HotpathClosedError } = require('../..');
const { runInChild, runInWorker } = require('../support');
const { deferred, settled, turnOfTheLoop, waitFor } = require('../support/wait');

const numbers = (count) => Array.from({ length: count }, (_, number) => number);
const double = (items) => items.map((item) => item * 2);
const messages = ({ errors }) => errors.map(({ index, error }) => [index, error.message]);

describe('BatchProcessingEngine: arrays', () => {
  it('processes chunks and keeps the order', async () => {
    const engine = new BatchProcessingEngine({ batchSize: 10 });
    const chunks = [];
    const result = await engine.processBatch(numbers(35), async (items, context) => {
      chunks.push([context.chunkIndex, context.startIndex, items.length, context.attempt]);
      for (let turn = 0; turn < 4 - context.chunkIndex; turn++) await turnOfTheLoop();
      return double(items);
    });
    assert.deepEqual(Object.keys(result), ['batchId', 'status', 'results', 'errors']);
    assert.equal(result.status, 'completed');
    assert.deepEqual(result.results, double(numbers(35)));
    assert.deepEqual(result.errors, []);
    assert.deepEqual(chunks.sort(), [
      [0, 0, 10, 1],
      [1, 10, 10, 1],
      [2, 20, 10, 1],
      [3, 30, 5, 1],
    ]);
    assert.deepEqual((await engine.processBatch([], double)).results, []);
  });

  it('runs so many chunks at once, of all batches together', async () => {
    const engine = new BatchProcessingEngine({ batchSize: 1, maxConcurrency: 4 });
    let running = 0;
    let most = 0;
    const slow = async (items) => {
      most = Math.max(most, ++running);
      for (let turn = 0; turn < 3; turn++) await turnOfTheLoop();
      running--;
      return items;
    };
    await Promise.all([engine.processBatch(numbers(20), slow), engine.processBatch(numbers(20), slow)]);
    assert.equal(most, 4);
    most = 0;
    await engine.processBatch(numbers(20), slow, { maxConcurrency: 2 });
    assert.equal(most, 2);
  });

  it('an Error marks its item', async () => {
    const engine = new BatchProcessingEngine({ batchSize: 3 });
    const result = await engine.processBatch(numbers(7), (items) =>
      items.map((item) => (item % 3 === 1 ? new RangeError(`no ${item}`) : item)),
    );
    assert.deepEqual(messages(result), [
      [1, 'no 1'],
      [4, 'no 4'],
    ]);
    assert.deepEqual(result.results, [0, undefined, 2, 3, undefined, 5, 6]);
    assert.equal(result.status, 'completed');
  });

  it('after a throw the items run singly', async () => {
    const engine = new BatchProcessingEngine({ batchSize: 4 });
    const runs = [];
    const result = await engine.processBatch(numbers(8), (items) => {
      runs.push(items.length);
      if (items.includes(5)) throw new Error('five');
      return items;
    });
    assert.deepEqual(messages(result), [[5, 'five']]);
    assert.deepEqual(result.results, [0, 1, 2, 3, 4, undefined, 6, 7]);
    assert.deepEqual(runs, [4, 4, 1, 1, 1, 1]);
  });

  it('atomic: the whole chunk fails', async () => {
    const engine = new BatchProcessingEngine({ batchSize: 2 });
    const runs = [];
    const processor = (items) => {
      runs.push(items);
      if (items.includes(2)) throw new Error('two');
      return items;
    };
    const result = await engine.processBatch(numbers(4), processor, { atomic: true, retries: 1 });
    assert.deepEqual(messages(result), [
      [2, 'two'],
      [3, 'two'],
    ]);
    assert.deepEqual(runs.length, 3);
  });

  it('retries items that fail, alone', async () => {
    const engine = new BatchProcessingEngine({ batchSize: 4 });
    const attempts = [];
    const processor = (items, { attempt }) => {
      attempts.push([items.length, attempt]);
      return items.map((item) => (item === 1 && attempt < 3 ? new Error('not yet') : item));
    };
    const result = await engine.processBatch(numbers(4), processor, { retries: 2, retryDelay: 1 });
    assert.deepEqual(result.errors, []);
    assert.deepEqual(attempts, [
      [4, 1],
      [1, 2],
      [1, 3],
    ]);
    const given = await engine.processBatch([1], () => [new Error('never')], { retries: 2 });
    assert.deepEqual(messages(given), [[0, 'never']]);
  });

  it('a single item that throws is retried as often', async () => {
    const engine = new BatchProcessingEngine();
    let runs = 0;
    const processor = () => {
      runs++;
      throw new Error('always');
    };
    await engine.processBatch([1], processor, { retries: 3 });
    assert.equal(runs, 4);
  });

  it('an answer of the wrong form fails its chunk, and is not tried again', async () => {
    const engine = new BatchProcessingEngine({ batchSize: 2 });
    let runs = 0;
    for (const answer of [undefined, null, 'ab', [1], [1, 2, 3], {}]) {
      const result = await engine.processBatch([1, 2], () => (runs++, answer), { retries: 2 });
      assert.deepEqual(
        result.errors.map(({ index, error: { code } }) => [index, code]),
        [
          [0, 'ERR_HOTPATH_PROCESSOR_RESULT'],
          [1, 'ERR_HOTPATH_PROCESSOR_RESULT'],
        ],
      );
    }
    assert.equal(runs, 6);
  });

  it('a chunk has a time limit, and its processor is told', async () => {
    const engine = new BatchProcessingEngine({ batchSize: 1, processingTimeout: 20 });
    let told = 0;
    const result = await engine.processBatch([0, 1], (items, { signal }) => {
      if (items[0] === 1) return items;
      return new Promise(() => signal.addEventListener('abort', () => told++));
    });
    assert.deepEqual(
      result.errors.map(({ index, error: { code } }) => [index, code]),
      [[0, 'ERR_HOTPATH_TIMEOUT']],
    );
    assert.equal(result.results[1], 1);
    assert.equal(told, 1);
  });

  it('takes whatever is thrown', async () => {
    const engine = new BatchProcessingEngine();
    const result = await engine.processBatch([1], () => Promise.reject(undefined));
    assert.deepEqual(result.errors, [{ index: 0, error: undefined }]);
  });
});

describe('BatchProcessingEngine: watching and ending', () => {
  it('tells the status while it runs, and when it has ended', async () => {
    const engine = new BatchProcessingEngine({ batchSize: 10, maxConcurrency: 1 });
    const gate = deferred();
    const events = [];
    for (const event of ['progress', 'completed']) engine.on(event, ({ progress }) => events.push([event, progress]));
    const submitted = await engine.submitBatch(numbers(40), async (items) => {
      if (items[0] === 20) await gate.promise;
      return items;
    });
    assert.deepEqual(Object.keys(submitted), ['batchId', 'status']);
    assert.equal(submitted.status, 'queued');
    const status = await waitFor(() => {
      const now = engine.getBatchStatus(submitted.batchId);
      return now.processed === 20 && now.chunks.running === 1 && now;
    });
    assert.deepEqual(Object.keys(status), [
      ...['batchId', 'status', 'progress', 'total', 'processed', 'succeeded', 'failed', 'malformed', 'chunks'],
      ...['throughput', 'eta', 'errors', 'startedAt', 'finishedAt', 'duration'],
    ]);
    assert.deepEqual([status.status, status.progress, status.total, status.finishedAt], ['processing', 50, 40, null]);
    assert.ok(status.throughput > 0 && status.eta > 0 && status.eta < Number.POSITIVE_INFINITY);
    gate.resolve();
    const ended = await engine.waitForBatch(submitted.batchId);
    assert.deepEqual([ended.status, ended.progress, ended.eta], ['completed', 100, 0]);
    assert.deepEqual(ended.results, numbers(40));
    assert.deepEqual(engine.getBatchStatus(submitted.batchId), ended);
    assert.deepEqual(events, [
      ['progress', 25],
      ['progress', 50],
      ['progress', 75],
      ['progress', 100],
      ['completed', 100],
    ]);
    assert.equal(engine.getBatchStatus('unknown'), undefined);
    assert.equal(await engine.waitForBatch('unknown'), undefined);
  });

  it('calls onProgress, and survives one that throws', async () => {
    const { said, code } = await runInChild(async ({ load, say }) => {
      process.on('uncaughtException', (error) => say(error.message));
      const engine = new (load().BatchProcessingEngine)({ batchSize: 1 });
      const onProgress = ({ processed }) => {
        if (processed === 1) throw new Error('from onProgress');
      };
      const { status } = await engine.processBatch([1, 2], (items) => items, { onProgress });
      say(status);
    });
    assert.deepEqual(said.sort(), ['completed', 'from onProgress']);
    assert.equal(code, 0);
  });

  it('cancels: chunks at work are told, and no further one begins', async () => {
    const engine = new BatchProcessingEngine({ batchSize: 1, maxConcurrency: 2 });
    let begun = 0;
    let told = 0;
    const hang = (_items, { signal }) => {
      begun++;
      return new Promise(() => signal.addEventListener('abort', () => told++));
    };
    const result = engine.processBatch(numbers(10), hang);
    const submitted = await engine.submitBatch(numbers(3), hang);
    await waitFor(() => begun === 2);
    assert.equal(engine.stats.running, 2);
    const controller = new AbortController();
    const aborted = engine.processBatch([1], double, { signal: controller.signal });
    controller.abort();
    assert.equal((await aborted).status, 'cancelled');
    assert.equal(engine.cancelBatch(submitted.batchId), true);
    assert.equal((await engine.waitForBatch(submitted.batchId)).status, 'cancelled');
    assert.equal(engine.cancelBatch(submitted.batchId), false);
    assert.equal(engine.cancelBatch('unknown'), false);
    await engine.destroy();
    assert.deepEqual(await settled(result), {
      batchId: (await result).batchId,
      status: 'cancelled',
      results: new Array(10).fill(undefined),
      errors: [],
    });
    assert.equal(told, begun);
    assert.ok(begun <= 4, 'a place that was given up is taken by the other batch, once');
    assert.deepEqual(engine.stats, { running: 0, completed: 0, failed: 0, cancelled: 3, items: 0, itemErrors: 0 });
  });

  it('remembers the last batches only', async () => {
    const engine = new BatchProcessingEngine({ keepFinished: 2 });
    const ids = [];
    for (let round = 0; round < 3; round++) ids.push((await engine.processBatch([1], double)).batchId);
    assert.deepEqual(
      ids.map((id) => engine.getBatchStatus(id)?.status),
      [undefined, 'completed', 'completed'],
    );
  });

  it('close waits for what runs, and rejects what comes', async () => {
    const engine = new BatchProcessingEngine();
    const result = engine.processBatch([1], async (items) => {
      await turnOfTheLoop();
      return items;
    });
    await engine.close();
    assert.equal((await result).status, 'completed');
    assert.equal(engine.closed, true);
    await assert.rejects(engine.processBatch([1], double), HotpathClosedError);
    await assert.rejects(engine.submitBatch([1], double), HotpathClosedError);
    await assert.rejects(engine.processStream([1], double), HotpathClosedError);
    await assert.rejects(engine.processFile(__filename), HotpathClosedError);
    await engine.close();
  });

  it('works from inside its own processor and listeners', async () => {
    const engine = new BatchProcessingEngine({ maxConcurrency: 2 });
    const inner = await engine.processBatch([1, 2], async (items, { batchId }) => {
      assert.equal(engine.getBatchStatus(batchId).status, 'processing');
      return (await engine.processBatch(items, double)).results;
    });
    assert.deepEqual(inner.results, [2, 4]);
    const cancelled = await engine.processBatch(numbers(10), (items, { batchId }) => {
      engine.cancelBatch(batchId);
      return items;
    });
    assert.equal(cancelled.status, 'cancelled');
  });

  it('works in a worker thread', async () => {
    const results = await runInWorker(async ({ load }) => {
      const engine = new (load().BatchProcessingEngine)({ batchSize: 2 });
      return (await engine.processBatch([1, 2, 3], (items) => items.map((item) => item + 1))).results;
    });
    assert.deepEqual(results, [2, 3, 4]);
  });
});

describe('BatchProcessingEngine: streams', () => {
  it('takes streams, generators and arrays', async () => {
    const engine = new BatchProcessingEngine({ batchSize: 2 });
    async function* generate() {
      yield* numbers(5);
    }
    for (const source of [Readable.from(numbers(5)), generate(), numbers(5), new Set(numbers(5))]) {
      const { batchId, ...summary } = await engine.processStream(source, double);
      assert.match(batchId, /^batch_\d+_/);
      assert.deepEqual(summary, {
        status: 'completed',
        results: [0, 2, 4, 6, 8],
        errors: [],
        processed: 5,
        succeeded: 5,
        failed: 0,
        malformed: 0,
        truncated: false,
      });
    }
    assert.deepEqual((await engine.processBatch(generate(), double)).results, [0, 2, 4, 6, 8]);
  });

  it('reads no further ahead than its chunks', async () => {
    const engine = new BatchProcessingEngine({ batchSize: 10, maxConcurrency: 2 });
    let read = 0;
    let processed = 0;
    let ahead = 0;
    function* source() {
      for (; read < 1_000; read++) yield read;
    }
    await engine.processStream(source(), async (items) => {
      await turnOfTheLoop();
      ahead = Math.max(ahead, read - processed);
      processed += items.length;
      return items;
    });
    assert.equal(processed, 1_000);
    assert.ok(ahead <= 40, `${ahead} items ahead`);
  });

  it('keeps so many results, and says so', async () => {
    const engine = new BatchProcessingEngine({ batchSize: 4 });
    const summary = await engine.processStream(numbers(10), double, { maxResults: 5 });
    assert.deepEqual(summary.results, [0, 2, 4, 6, 8]);
    assert.deepEqual([summary.processed, summary.truncated], [10, true]);
  });

  it('rejects when the source fails, after what was at work has ended', async () => {
    const engine = new BatchProcessingEngine({ batchSize: 1, maxConcurrency: 2 });
    let ended = 0;
    async function* source() {
      yield 1;
      throw new Error('the source broke');
    }
    const failed = [];
    engine.on('failed', (status) => failed.push(status));
    const processor = async (items) => {
      for (let turn = 0; turn < 5; turn++) await turnOfTheLoop();
      ended++;
      return items;
    };
    await assert.rejects(engine.processStream(source(), processor), /the source broke/);
    assert.equal(ended, 1);
    assert.deepEqual(
      [failed[0].status, failed[0].error.message, failed[0].processed],
      ['failed', 'the source broke', 1],
    );
  });

  it('destroys the stream when it is cancelled, also one that has nothing to give', async () => {
    const engine = new BatchProcessingEngine({ batchSize: 1 });
    const stream = new Readable({ objectMode: true, read() {} });
    const { batchId } = await engine.submitBatch(stream, double);
    await turnOfTheLoop();
    engine.cancelBatch(batchId);
    assert.equal((await settled(engine.waitForBatch(batchId))).status, 'cancelled');
    await waitFor(() => stream.destroyed);
  });
});

describe('BatchProcessingEngine: arguments', () => {
  it('processors have names', async () => {
    const engine = new BatchProcessingEngine({ processors: { double } });
    engine.registerProcessor('negate', (items) => items.map((item) => -item));
    assert.deepEqual(engine.processors, ['double', 'negate']);
    assert.deepEqual((await engine.processBatch([1], 'double')).results, [2]);
    assert.deepEqual((await engine.processBatch([1], 'negate')).results, [-1]);
    await assert.rejects(engine.processBatch([1], 'duoble'), {
      code: 'ERR_HOTPATH_UNKNOWN_PROCESSOR',
      message: /"double"/,
    });
  });

  it('refuses what it cannot take', async () => {
    const invalidType = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' };
    for (const [name, value] of [
      ['batchSize', 0],
      ['maxConcurrency', 1.5],
      ['processingTimeout', 0],
      ['keepFinished', -1],
    ]) {
      assert.throws(() => new BatchProcessingEngine({ [name]: value }), { code: 'ERR_OUT_OF_RANGE' }, name);
    }
    assert.throws(() => new BatchProcessingEngine({ batchsize: 1 }), /"batchSize"/);
    const engine = new BatchProcessingEngine();
    for (const data of [undefined, null, 7, {}, 'text']) {
      await assert.rejects(engine.processBatch(data, double), invalidType);
      await assert.rejects(engine.submitBatch(data, double), invalidType);
      await assert.rejects(engine.processStream(data, double), invalidType);
    }
    for (const processor of [undefined, null, 7, {}]) {
      await assert.rejects(engine.processBatch([1], processor), invalidType);
    }
    for (const [name, value] of [
      ['retries', -1],
      ['retryDelay', Number.NaN],
      ['batchSize', 0],
    ]) {
      await assert.rejects(engine.processBatch([1], double, { [name]: value }), { code: 'ERR_OUT_OF_RANGE' }, name);
    }
    for (const [name, value] of [
      ['atomic', 1],
      ['signal', {}],
      ['onProgress', 7],
      ['checkpoint', 7],
    ]) {
      await assert.rejects(engine.processBatch([1], double, { [name]: value }), invalidType, name);
    }
    await assert.rejects(engine.processBatch([1], double, { retry: 1 }), /"retries"/);
  });
});
