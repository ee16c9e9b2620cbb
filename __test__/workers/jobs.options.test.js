'use strict';

// Options and arguments: what is refused, with which words, and what conflicts.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { AsyncProcessingEngine } = require('../..');
const { freshName, jobIn, openJobs } = require('../support/job-queues');
const { outcomeOf, temporaryDirectory } = require('../support/pools');

const WRONG = {
  name: [[''], [7]],
  maxConcurrentJobs: [[0, -1, 1.5, Number.NaN], ['3']],
  jobTimeout: [[0, -1, Number.NaN], ['3']],
  retryAttempts: [[-1, 0.5, 2 ** 32], ['3']],
  retryDelay: [[-1, Number.NaN], ['3']],
  store: [[''], [7]],
  backend: [['redis'], [7]],
  maxFinishedJobs: [[-1, 0.5], ['3']],
  maxDeadLetters: [[-1, 0.5], ['3']],
  maxStoreBytes: [[0, 0.5], ['3']],
};

describe('options of the engine', () => {
  for (const [option, [values, types]] of Object.entries(WRONG)) {
    it(option, () => {
      const make = (value) => () => new AsyncProcessingEngine({ [option]: value });
      const message = new RegExp(`options\\.${option}`);
      for (const value of values) assert.throws(make(value), { code: 'ERR_OUT_OF_RANGE', message });
      for (const value of types) assert.throws(make(value), { code: 'ERR_INVALID_ARG_TYPE', message });
    });
  }

  it('unknown ones are refused with the nearest name', () => {
    assert.throws(() => new AsyncProcessingEngine({ maxConcurentJobs: 1 }), {
      code: 'ERR_HOTPATH_UNKNOWN_OPTION',
      message: /"maxConcurrentJobs"/,
    });
    assert.throws(() => new AsyncProcessingEngine(7), { code: 'ERR_INVALID_ARG_TYPE' });
  });

  it('those of one backend are refused by the other', () => {
    assert.throws(() => new AsyncProcessingEngine({ backend: 'bullmq', store: '/tmp/x' }), /options\.store/);
    assert.throws(() => new AsyncProcessingEngine({ connection: {} }), /options\.connection/);
  });

  it('the defaults are those of the document', async (t) => {
    const engine = openJobs(t, { retryDelay: undefined });
    const { concurrency } = await engine.getStats();
    assert.equal(concurrency.max, 10);
    const { jobId } = await engine.submitJob('nobody');
    const { timeout, retries, priority, status } = await engine.getJob(jobId);
    assert.deepEqual([timeout, retries, priority, status], [1_800_000, 3, 0, 'queued']);
  });

  it('who joins a queue has to agree', (t) => {
    const name = freshName();
    openJobs(t, { name, maxConcurrentJobs: 3 });
    openJobs(t, { name });
    assert.throws(() => new AsyncProcessingEngine({ name, maxConcurrentJobs: 4 }), {
      code: 'ERR_HOTPATH_OPTION_CONFLICT',
      option: 'maxConcurrentJobs',
      existing: 3,
      requested: 4,
    });
    const store = temporaryDirectory(t);
    openJobs(t, { store, retryAttempts: 1 });
    assert.throws(() => new AsyncProcessingEngine({ store, retryAttempts: 2 }), { option: 'retryAttempts' });
  });
});

describe('arguments of jobs', () => {
  const rejects = async (promise, code, message) => {
    const { error } = await outcomeOf(promise);
    assert.equal(error?.code, code);
    assert.match(error.message, message);
  };

  it('submitJob rejects what is not right', async (t) => {
    const engine = openJobs(t);
    await rejects(engine.submitJob(7), 'ERR_INVALID_ARG_TYPE', /type/);
    await rejects(engine.submitJob(''), 'ERR_OUT_OF_RANGE', /type/);
    const bad = { priority: 0.5, timeout: 0, delayMs: -1, retries: -1, group: '', id: '' };
    for (const [option, value] of Object.entries(bad)) {
      await rejects(
        engine.submitJob('t', 1, { [option]: value }),
        'ERR_OUT_OF_RANGE',
        new RegExp(`options\\.${option}`),
      );
      await rejects(engine.submitJob('t', 1, { [option]: {} }), 'ERR_INVALID_ARG_TYPE', new RegExp(option));
    }
    await rejects(engine.submitJob('t', 1, { delayMs: 2 ** 51 }), 'ERR_OUT_OF_RANGE', /delayMs/);
    await rejects(engine.submitJob('t', 1, { delay: 1 }), 'ERR_HOTPATH_UNKNOWN_OPTION', /"delayMs"/);
    assert.equal((await engine.getStats()).jobs.total, 0);
  });

  it('the rest too', async (t) => {
    const engine = openJobs(t);
    await rejects(engine.getJob(7), 'ERR_INVALID_ARG_TYPE', /jobId/);
    await rejects(engine.cancelJob(), 'ERR_INVALID_ARG_TYPE', /jobId/);
    await rejects(engine.retryDeadLetters({ jobIds: 'x' }), 'ERR_INVALID_ARG_TYPE', /jobIds/);
    await rejects(engine.retryDeadLetters({ limit: 0 }), 'ERR_OUT_OF_RANGE', /limit/);
    assert.throws(() => engine.registerProcessor('t'), { code: 'ERR_INVALID_ARG_TYPE', message: /processor/ });
    assert.throws(() => engine.registerProcessor('t', () => {}, { maxWorkers: 1 }), {
      code: 'ERR_HOTPATH_UNKNOWN_OPTION',
    });
    assert.throws(() => engine.registerProcessor('t', 'file.js', { maxWorkers: 0 }), { code: 'ERR_OUT_OF_RANGE' });
    assert.deepEqual(engine.types.includes('t'), false);
  });

  it('a missing peer is an error that names it', () => {
    const { requirePeer } = require('../../lib/peer.js');
    assert.throws(() => requirePeer('bullmq-that-is-missing'), { code: 'ERR_HOTPATH_MISSING_PEER' });
  });
});

describe('what is remembered', () => {
  for (const place of ['memory', 'store']) {
    it(`is bounded: ${place}`, async (t) => {
      const store = place === 'store' ? temporaryDirectory(t) : undefined;
      const engine = openJobs(t, { store, maxFinishedJobs: 2, maxDeadLetters: 1, retryAttempts: 0 });
      engine.registerProcessor('ok', () => 'ok');
      engine.registerProcessor('bad', () => {
        throw new Error('bad');
      });
      const ids = [];
      for (const type of ['ok', 'ok', 'ok', 'bad', 'bad']) {
        const { jobId } = await engine.submitJob(type);
        await jobIn(engine, jobId, 'completed', 'failed');
        ids.push(jobId);
      }
      const known = await Promise.all(ids.map(async (id) => (await engine.getJob(id))?.status));
      assert.deepEqual(known, [undefined, 'completed', 'completed', undefined, 'failed']);
    });
  }

  it('may be nothing', async (t) => {
    const engine = openJobs(t, { maxFinishedJobs: 0, maxDeadLetters: 0, retryAttempts: 0 });
    const ended = [];
    engine.on('completed', ({ jobId }) => ended.push(jobId));
    engine.registerProcessor('ok', () => 'ok');
    const { jobId } = await engine.submitJob('ok', 1, { id: 'again' });
    await engine.drain();
    assert.deepEqual(ended, [jobId]);
  });
});
