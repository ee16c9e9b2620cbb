'use strict';

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { MemoryCache, PerformanceTests, PerformanceTestSuite, runMemoryTest } = require('../..');
const { errors } = require('../support');
const { httpServer } = require('../support/loaded-servers');

describe('PerformanceTests', () => {
  it('the cache test has the shape of the document, and counts what it did', async () => {
    const result = await new PerformanceTests().runCachePerformanceTest();
    assert.deepEqual(Object.keys(result), ['operations', 'duration', 'opsPerSecond', 'metrics']);
    assert.equal(result.operations, 10_000);
    assert.ok(Math.abs(result.opsPerSecond - 1e7 / result.duration) < 1);
    assert.ok(result.metrics.writes >= 1000 + 3334);
    assert.match(result.metrics.hitRate, /^\d+\.\d\d%$/);
  });

  it('the data service test, too', async () => {
    const result = await new PerformanceTests({ objectCount: 300 }).runDataServicePerformanceTest();
    assert.deepEqual(Object.keys(result), ['objectCount', 'duration', 'opsPerSecond']);
    assert.equal(result.objectCount, 300);
    assert.ok(result.opsPerSecond > 0);
  });

  it('they notice lost and wrong values', async () => {
    const provider = {
      add: async () => 'u',
      getByUuid: async () => ({ id: -1 }),
      find: async () => [],
    };
    const failure = { code: 'ERR_HOTPATH_LOAD_TEST' };
    await assert.rejects(new PerformanceTests({ provider }).runDataServicePerformanceTest(), failure);
  });

  it('a second level is used and stays open; options are checked', async () => {
    const l2Cache = new MemoryCache();
    await new PerformanceTests({ l2Cache, operations: 30 }).runCachePerformanceTest();
    assert.ok(l2Cache.size > 0);
    l2Cache.close();
    assert.throws(() => new PerformanceTests({ operations: 0 }), errors.outOfRange('options.operations'));
    assert.throws(() => new PerformanceTests({ objects: 1 }), errors.unknownOption('objects', 'objectCount'));
  });
});

describe('PerformanceTestSuite', () => {
  const lenient = { match: 1000, p50: 1e5, p95: 1e5, p99: 1e5, errorRate: 0 };

  it('runs everything, in order, and says so', async () => {
    const lines = [];
    const logger = { log: (line) => lines.push(line) };
    const suite = new PerformanceTestSuite({ durationScale: 0.002, targets: lenient, logger });
    const report = await suite.runAllTests();
    assert.equal(report.unit.matched, 10_000);
    assert.equal(report.integration.successfulRequests, 500);
    assert.deepEqual(
      report.load.map(({ name, rps, totalRequests }) => [name, rps, totalRequests]),
      [
        ['Low Load', 100, 12],
        ['Medium Load', 500, 120],
        ['High Load', 1000, 360],
      ],
    );
    assert.deepEqual(
      report.stress.map(({ concurrency, failedRequests }) => [concurrency, failedRequests]),
      [50, 100, 200, 400].map((concurrency) => [concurrency, 0]),
    );
    assert.equal(lines[0], 'Running performance test suite...');
    assert.equal(lines.at(-1), 'Performance test suite completed');
    assert.ok(lines.some((line) => /^Intent matching avg time: \d+\.\d+ms$/.test(line)));
  });

  it('fails a server that fails, and a match that is too slow', async (t) => {
    const { url } = await httpServer(t, (_request, response) => response.writeHead(500).end());
    const suite = new PerformanceTestSuite({ url, logger: false, targets: lenient, durationScale: 0.001 });
    const failure = await suite.runIntegrationPerformanceTests().catch((error) => error);
    assert.equal(failure.code, 'ERR_HOTPATH_LOAD_TEST');
    assert.match(failure.reasons[0], /^100\.00 % errors/);
    assert.equal(failure.result.failedRequests, 500);
    await assert.rejects(suite.runStressTests(), /errors with 50 under way/);
    const impatient = new PerformanceTestSuite({ logger: false, targets: { match: 0 } });
    await assert.rejects(impatient.runUnitPerformanceTests(), /a match takes/);
  });

  it('its options are checked', () => {
    const make = (options) => () => new PerformanceTestSuite(options);
    assert.throws(make({ durationScale: 0 }), errors.outOfRange('options.durationScale'));
    assert.throws(make({ targets: { p50: -1 } }), errors.outOfRange('options.targets.p50'));
    assert.throws(make({ targets: { p51: 1 } }), errors.unknownOption('p51', 'p50'));
    assert.throws(make({ scale: 1 }), { code: 'ERR_HOTPATH_UNKNOWN_OPTION' });
    assert.throws(make({ logger: 5 }), errors.invalidType('options.logger'));
    assert.throws(make({ url: 'ftp://x' }), errors.outOfRange('options.url'));
  });
});

describe('runMemoryTest', () => {
  it('sends every value through the cache and leaves little behind', async () => {
    const result = await runMemoryTest({ iterations: 500, dataSize: 1000 });
    assert.deepEqual([result.iterations, result.dataSize, result.checked], [500, 1000, 500]);
    assert.equal(result.memoryIncrease, result.after.heapUsed - result.before.heapUsed);
    // 500 values of 1,000 numbers would be 4 MB if they stayed.
    assert.ok(result.memoryIncrease < 2 * 2 ** 20, `${result.memoryIncrease} bytes`);
    assert.ok(result.cacheBytes > 0);
  });

  it('its options are checked', async () => {
    await assert.rejects(runMemoryTest({ iterations: 0 }), errors.outOfRange('options.iterations'));
    await assert.rejects(runMemoryTest({ dataSize: 1e9 }), errors.outOfRange('options.dataSize'));
    await assert.rejects(runMemoryTest({ size: 1 }), { code: 'ERR_HOTPATH_UNKNOWN_OPTION' });
    assert.equal((await runMemoryTest({ iterations: 1, dataSize: 1 })).checked, 1);
  });
});
