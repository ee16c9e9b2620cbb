'use strict';

const { after, describe, it } = require('node:test');
const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { BatchProcessingEngine } = require('../..');
const { runInChild } = require('../support');

const root = fs.mkdtempSync(path.join(os.tmpdir(), 'hotpath-checkpoint-'));
after(() => fs.rmSync(root, { recursive: true, force: true, maxRetries: 10 }));
let files = 0;
const fresh = () => path.join(root, `checkpoint-${files++}`);
const numbers = (count) => Array.from({ length: count }, (_, number) => number);

/** Processes 100 items in chunks of 5 in a process that dies in its twelfth chunk, and tells the chunks it finished. */
async function dieHalfway(how, place) {
  const body = async ({ load, say }, { how: kind, place: checkpoint }) => {
    const engine = new (load().BatchProcessingEngine)({ batchSize: 5, maxConcurrency: 3 });
    let begun = 0;
    const processor = async (items, { chunkIndex }) => {
      if (++begun > 12) await new Promise(() => {});
      for (let turn = 0; turn < (chunkIndex % 3) + 1; turn++) await new Promise((resolve) => setImmediate(resolve));
      say(chunkIndex);
      return items.map((item) => (item === 7 ? Object.assign(new Error('seven'), { code: 'E7' }) : { was: item }));
    };
    const data = Array.from({ length: 100 }, (_, number) => number);
    engine.on('progress', ({ processed }) => processed >= 60 && process.kill(process.pid, 'SIGKILL'));
    await (kind === 'stream'
      ? engine.processStream(data, processor, { checkpoint })
      : engine.processBatch(data, processor, { checkpoint }));
  };
  const { said, signal } = await runInChild(body, { data: { how, place } });
  assert.equal(signal, 'SIGKILL');
  return said;
}

describe('checkpoints', () => {
  for (const how of ['array', 'stream']) {
    it(`${how}: a batch that was killed is taken up, and no finished chunk runs again`, async () => {
      const place = fresh();
      const before = await dieHalfway(how, place);
      assert.equal(before.length, 12);
      const engine = new BatchProcessingEngine({ batchSize: 5, maxConcurrency: 3 });
      const now = [];
      const processor = (items, { chunkIndex }) => {
        now.push(chunkIndex);
        return items.map((item) => ({ was: item }));
      };
      const run = how === 'stream' ? 'processStream' : 'processBatch';
      const { results, errors, status } = await engine[run](numbers(100), processor, { checkpoint: place });
      assert.equal(status, 'completed');
      assert.deepEqual(
        [...before, ...now].sort((a, b) => a - b),
        numbers(20),
        'each chunk once',
      );
      assert.deepEqual(
        results,
        numbers(100).map((was) => (was === 7 ? undefined : { was })),
        'results of both runs',
      );
      assert.deepEqual(
        errors.map(({ index, error: { message, code } }) => ({ index, message, code })),
        [{ index: 7, message: 'seven', code: 'E7' }],
      );
      assert.equal(fs.existsSync(place), false, 'a batch that is complete needs it no more');
    });
  }

  it('a record that was cut off counts for nothing', async () => {
    const place = fresh();
    const before = await dieHalfway('array', place);
    const whole = fs.readFileSync(place);
    for (const cut of [1, 9, 40]) {
      fs.writeFileSync(place, whole.subarray(0, whole.length - cut));
      const engine = new BatchProcessingEngine({ batchSize: 5 });
      let runs = 0;
      await engine.processBatch(numbers(100), (items) => (runs++, items), { checkpoint: place });
      assert.equal(runs, 20 - before.length + 1);
    }
  });

  it('refuses the checkpoint of another batch, and files that are none', async () => {
    const place = fresh();
    await dieHalfway('array', place);
    const bytes = fs.readFileSync(place);
    const engine = new BatchProcessingEngine({ batchSize: 5 });
    const foreign = { code: 'ERR_HOTPATH_CHECKPOINT' };
    await assert.rejects(
      engine.processBatch(numbers(99), (items) => items, { checkpoint: place }),
      foreign,
    );
    const other = { checkpoint: place, batchSize: 6 };
    await assert.rejects(
      engine.processBatch(numbers(100), (items) => items, other),
      foreign,
    );
    assert.deepEqual(fs.readFileSync(place), bytes, 'it is left as it was');
    fs.writeFileSync(place, `\0\0\0\0${'some other file of mine'}`);
    await assert.rejects(
      engine.processBatch(numbers(1), (items) => items, { checkpoint: place }),
      foreign,
    );
    const nowhere = { checkpoint: path.join(root, 'no', 'where') };
    await assert.rejects(
      engine.processBatch(numbers(1), (items) => items, nowhere),
      { code: 'ENOENT' },
    );
  });

  it('stays when a batch is cancelled, and takes results that cannot be written down', async () => {
    const place = fresh();
    const engine = new BatchProcessingEngine({ batchSize: 1, maxConcurrency: 1 });
    let seen = 0;
    const first = await engine.processBatch(
      numbers(4),
      (_items, { batchId }) => {
        if (++seen === 3) engine.cancelBatch(batchId);
        return [() => 'a function'];
      },
      { checkpoint: place },
    );
    assert.equal(first.status, 'cancelled');
    const second = await engine.processBatch(numbers(4), (items) => items, { checkpoint: place });
    assert.deepEqual(second.results, [undefined, undefined, 2, 3]);
  });
});
