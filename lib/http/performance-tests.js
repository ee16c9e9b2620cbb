'use strict';

// Two short tests of throughput, whose answers are checked: a test that only counted would not notice lost values.

const { performance } = require('node:perf_hooks');
const { MemoryDataProvider, OptimizedDataService } = require('../batch/index.js');
const { MemoryCache, MultiLevelCache } = require('../cache/index.js');
const { HotpathLoadTestError } = require('../errors.js');
const check = require('../validate.js');

const OPTIONS = ['l2Cache', 'operations', 'objectCount', 'provider'];

const WARM = 1000;

class PerformanceTests {
  #options;

  /** @param {unknown} [options] */
  constructor(options) {
    const given = check.options(options, 'options', OPTIONS);
    this.#options = {
      l2Cache: given.l2Cache,
      provider: given.provider,
      operations: check.positiveInteger(given.operations ?? 10_000, 'options.operations'),
      objectCount: check.positiveInteger(given.objectCount ?? 1000, 'options.objectCount'),
    };
  }

  /** Two reads for each write, through the levels of a cache. */
  async runCachePerformanceTest() {
    const { operations, l2Cache } = this.#options;
    const memory = new MemoryCache();
    const cache = new MultiLevelCache({ l1Cache: memory, l2Cache });
    try {
      const started = performance.now();
      for (let i = 0; i < WARM; i++) await cache.set(`warmup:${i}`, { data: `value${i}` });
      const answers = await Promise.all(
        Array.from({ length: operations }, (_, i) =>
          i % 3 === 0 ? cache.set(`test:${i}`, { data: `value${i}` }) : cache.get(`test:${i % WARM}`),
        ),
      );
      const duration = performance.now() - started;
      checkAnswers(answers);
      const warm = await Promise.all(Array.from({ length: WARM }, (_, i) => cache.get(`warmup:${i}`)));
      const kept = warm.filter((value, i) => value?.data === `value${i}`).length;
      if (kept !== WARM) throw failed(`Of ${WARM} values that were written first, ${kept} were there afterwards`);
      return { operations, duration, opsPerSecond: (operations * 1000) / duration, metrics: cache.getMetrics() };
    } finally {
      await cache.close();
      memory.close();
    }
  }

  /** Objects in and out again, in batches. */
  async runDataServicePerformanceTest() {
    const { objectCount, provider = new MemoryDataProvider() } = this.#options;
    const service = new OptimizedDataService(provider);
    const objects = Array.from({ length: objectCount }, (_, id) => ({
      id,
      name: `Object ${id}`,
      data: { value: id / 7 },
    }));
    const started = performance.now();
    const uuids = await service.addBatch('test', objects);
    const retrieved = await service.getBatch('test', uuids);
    const duration = performance.now() - started;
    const right = retrieved.filter((read, id) => read.status === 'fulfilled' && read.result?.id === id).length;
    if (right !== objectCount) throw failed(`Of ${objectCount} objects, ${right} came back`);
    return { objectCount, duration, opsPerSecond: (objectCount * 2 * 1000) / duration };
  }
}

/** A value may have been asked for before it was written; but what came must be what was written. @param {any[]} answers */
function checkAnswers(answers) {
  for (const [i, answer] of answers.entries()) {
    if (i % 3 === 0 || answer === undefined) continue;
    if (answer.data !== `value${i % WARM}`) throw failed(`Read ${i} gave the value of another key`);
  }
}

/** @param {string} reason */
function failed(reason) {
  return new HotpathLoadTestError(`Performance test failed: ${reason}`, { reasons: [reason] });
}

module.exports = { PerformanceTests };
