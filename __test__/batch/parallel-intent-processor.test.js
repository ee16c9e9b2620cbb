'use strict';

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { OptimizedIntentMatcher, ParallelIntentProcessor } = require('../..');
const { deferred } = require('../support/wait');

const invalidType = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' };
const numbers = Array.from({ length: 25 }, (_, index) => index);

describe('ParallelIntentProcessor', () => {
  it('matches natively, in order', async () => {
    const intents = numbers.map((id) => ({ id, pattern: `^number ${id}$` }));
    const processor = new ParallelIntentProcessor(new OptimizedIntentMatcher(intents));
    const inputs = [...numbers].reverse().map((id) => `NUMBER ${id}`);
    const expected = inputs.map((input, index) => ({ input, intent: intents[24 - index] }));
    assert.deepEqual(await processor.processIntents(inputs), expected);
    assert.deepEqual(await processor.processBatch(inputs), expected);
    assert.deepEqual(await processor.processBatch(inputs, 7), expected);
    assert.deepEqual(await processor.processIntents(['other']), [{ input: 'other', intent: null }]);
  });

  it('calls a function for all inputs at once, or ten at a time', async () => {
    let running = 0;
    let most = 0;
    const processor = new ParallelIntentProcessor(async (input) => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
      return input * 2;
    });
    const doubled = numbers.map((number) => number * 2);
    assert.deepEqual(await processor.processIntents(numbers), doubled);
    assert.equal(most, 25);
    most = 0;
    assert.deepEqual(await processor.processBatch(numbers), doubled);
    assert.equal(most, 10);
    assert.deepEqual(await processor.processBatch(numbers, 100), doubled);
  });

  it('takes any object with a match method', async () => {
    const processor = new ParallelIntentProcessor({ prefix: 'is ', match: async (input) => input === 'x' });
    assert.deepEqual(await processor.processIntents(['x']), [{ input: 'x', intent: true }]);
  });

  it('rejects with the first error, and leaves nothing running', async () => {
    const slow = deferred();
    let ended = false;
    const processor = new ParallelIntentProcessor(async (input) => {
      if (input === 0) throw new Error('no zero');
      await slow.promise;
      ended = true;
    });
    const result = processor.processIntents([0, 1]);
    slow.resolve();
    await assert.rejects(result, /no zero/);
    assert.equal(ended, true);
    await assert.rejects(new ParallelIntentProcessor(JSON.parse).processIntents(['{']), SyntaxError);
  });

  it('begins no further batch after one that fails', async () => {
    const seen = [];
    const processor = new ParallelIntentProcessor(async (input) => {
      seen.push(input);
      if (input === 1) throw new Error('one');
    });
    await assert.rejects(processor.processBatch([0, 1, 2, 3], 2), /one/);
    assert.deepEqual(seen, [0, 1]);
  });

  it('refuses other processors and inputs', async () => {
    for (const matcher of [undefined, null, {}, 'x', 7]) {
      assert.throws(() => new ParallelIntentProcessor(matcher), invalidType);
    }
    const processor = new ParallelIntentProcessor((input) => input);
    for (const inputs of [undefined, 'abc', { length: 1 }]) {
      await assert.rejects(processor.processIntents(inputs), invalidType);
      await assert.rejects(processor.processBatch(inputs), invalidType);
    }
    await assert.rejects(processor.processBatch([1], '1'), invalidType);
    for (const size of [0, -1, 1.5, Number.NaN]) {
      await assert.rejects(processor.processBatch([1], size), { code: 'ERR_OUT_OF_RANGE' });
    }
    assert.deepEqual(await processor.processIntents([]), []);
  });
});
