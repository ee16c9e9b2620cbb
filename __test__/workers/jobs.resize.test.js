'use strict';

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { AsyncProcessingEngine, OptimizationService } = require('hotpath');
const { deferred, errors, waitFor } = require('../support');
const { temporaryDirectory } = require('../support/pools');

for (const [place, options] of [
  ['in memory', () => ({})],
  ['in a store', (t) => ({ store: temporaryDirectory(t) })],
]) {
  describe(`a job queue ${place}`, () => {
    it('works on more and on fewer jobs at a time when it is resized', async (t) => {
      const jobs = new AsyncProcessingEngine({ maxConcurrentJobs: 1, ...options(t) });
      t.after(() => jobs.destroy());
      const gate = deferred();
      jobs.registerProcessor('wait', () => gate.promise);
      for (let job = 0; job < 5; job += 1) await jobs.submitJob('wait', job);
      await waitFor(() => jobs.stats.running === 1);
      assert.deepEqual([jobs.stats.maxConcurrentJobs, jobs.stats.pending], [1, 4]);
      jobs.resize({ maxConcurrentJobs: 3 });
      await waitFor(() => jobs.stats.running === 3);
      assert.deepEqual([jobs.stats.maxConcurrentJobs, jobs.stats.pending], [3, 2]);
      jobs.resize({ maxConcurrentJobs: 1 });
      assert.equal(jobs.stats.running, 3, 'what is begun goes on');
      gate.resolve();
      await waitFor(() => jobs.stats.completed === 5);
      assert.equal((await jobs.getStats()).concurrency.max, 1);
      for (const wrong of [0, 1.5, -1])
        assert.throws(() => jobs.resize({ maxConcurrentJobs: wrong }), errors.outOfRange());
      assert.throws(() => jobs.resize({}), errors.invalidType('maxConcurrentJobs'));
      await jobs.close();
      assert.throws(() => jobs.resize({ maxConcurrentJobs: 2 }), errors.closed);
      assert.equal(jobs.stats.completed, 5);
    });
  });
}

describe('an OptimizationService', () => {
  it('has more jobs run at a time where they wait', async (t) => {
    const jobs = new AsyncProcessingEngine({ maxConcurrentJobs: 1 });
    t.after(() => jobs.destroy());
    jobs.registerProcessor('nap', () => new Promise((resolve) => setTimeout(resolve, 10)));
    const service = new OptimizationService({
      services: { jobs },
      trialMs: 1_200,
      slices: 6,
      minSamples: 20,
      queueOptimization: { waitMs: 1 },
    });
    t.after(() => service.close());
    // Eight wait at any time.
    jobs.on('completed', () => jobs.submitJob('nap').catch(() => {}));
    for (let job = 0; job < 8; job += 1) await jobs.submitJob('nap');
    await waitFor(() => jobs.stats.completed > 10);
    const { actions } = await service.runOptimization();
    jobs.removeAllListeners('completed');
    const [record] = actions;
    assert.equal(record.action, 'grow-job-concurrency');
    assert.ok(record.after.value < record.before.value, JSON.stringify(record));
    assert.deepEqual([record.status, jobs.stats.maxConcurrentJobs], ['kept', 2]);
  });
});
