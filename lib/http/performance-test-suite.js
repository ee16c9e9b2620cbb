'use strict';

// Unit, integration, load and stress: four tests of one application, one after the other, with limits that are asserted.

const { performance } = require('node:perf_hooks');
const { OptimizedIntentMatcher } = require('../batch/index.js');
const { HotpathLoadTestError, invalidArgType } = require('../errors.js');
const check = require('../validate.js');
const { LoadTester } = require('./load-tester.js');
const { checkUrl } = require('./load-target.js');
const { startSample } = require('./sample-app.js');

const OPTIONS = ['durationScale', 'intents', 'logger', 'message', 'signal', 'targets', 'url'];

/** Milliseconds, and percent. @type {Record<string, number>} */
const TARGETS = { match: 1, p50: 100, p95: 500, p99: 1000, errorRate: 0.1 };

const MATCHES = 10_000;
const INTENTS = [
  { id: 'greeting', pattern: '^(hello|hi)\\b' },
  { id: 'farewell', pattern: '\\b(bye|goodbye)\\b' },
  { id: 'test', pattern: 'test message' },
];

const SCENARIOS = [
  { name: 'Low Load', rps: 100, duration: 60 },
  { name: 'Medium Load', rps: 500, duration: 120 },
  { name: 'High Load', rps: 1000, duration: 180 },
];

/** Requests under way, step by step, and for how long each, in seconds. */
const STRESS = { steps: [50, 100, 200, 400], duration: 10 };

const ENOUGH_CONCURRENCY = 256;

class PerformanceTestSuite {
  #settings;
  #tester = new LoadTester({ logger: false });

  /** @param {unknown} [options] */
  constructor(options) {
    const given = check.options(options, 'options', OPTIONS);
    const logger = given.logger ?? console;
    if (logger !== false && typeof logger.log !== 'function') {
      throw invalidArgType('a logger with log, or false,', 'options.logger', given.logger);
    }
    const targets = check.options(given.targets, 'options.targets', Object.keys(TARGETS));
    for (const [name, limit] of Object.entries(targets)) check.nonNegativeNumber(limit, `options.targets.${name}`);
    this.#settings = {
      logger,
      targets: { ...TARGETS, ...targets },
      scale: check.positiveFiniteNumber(given.durationScale ?? 1, 'options.durationScale'),
      intents: given.intents ?? INTENTS,
      message: check.string(given.message ?? 'test message', 'options.message'),
      url: given.url === undefined ? undefined : checkUrl(given.url, 'options.url').href,
      signal: given.signal,
    };
  }

  async runAllTests() {
    this.#log('Running performance test suite...');
    const started = performance.now();
    const unit = await this.runUnitPerformanceTests();
    const integration = await this.runIntegrationPerformanceTests();
    const load = await this.runLoadTests();
    const stress = await this.runStressTests();
    this.#log('Performance test suite completed');
    return { unit, integration, load, stress, duration: performance.now() - started };
  }

  async runUnitPerformanceTests() {
    const { intents, message, targets } = this.#settings;
    const matcher = new OptimizedIntentMatcher(intents);
    const started = performance.now();
    let matched = 0;
    for (let i = 0; i < MATCHES; i++) if (await matcher.match(message)) matched++;
    const averageMs = (performance.now() - started) / MATCHES;
    this.#log(`Intent matching avg time: ${averageMs.toFixed(4)}ms`);
    if (averageMs > targets.match)
      throw failed('unit', [`a match takes ${averageMs.toFixed(3)} ms, more than ${targets.match}`]);
    return { matches: MATCHES, matched, averageMs };
  }

  /** Everything once through HTTP, and the same again from the cache. */
  async runIntegrationPerformanceTests() {
    return this.#withApp(async (url) => {
      const { signal } = this.#settings;
      const result = await this.#tester.runLoadTest({ url, requests: 500, concurrency: 10, signal });
      this.#judge('integration', result);
      this.#log(`Integration: ${result.totalRequests} requests, p95 ${result.latency.p95}ms`);
      return result;
    });
  }

  /** Open loops, so that a server that cannot follow does not slow the test down. */
  async runLoadTests() {
    return this.#withApp(async (url) => {
      const { scale, signal } = this.#settings;
      const results = [];
      for (const { name, rps, duration } of SCENARIOS) {
        this.#log(`Running ${name} test...`);
        const concurrency = Math.min(ENOUGH_CONCURRENCY, rps);
        const durationMs = duration * 1000 * scale;
        const result = await this.#tester.runLoadTest({ url, rate: rps, durationMs, concurrency, signal });
        this.#judge(name, result);
        this.#log(`${name}: ${Math.round(result.requestsPerSecond)} req/s, p95 ${result.latency.p95}ms`);
        results.push({ name, rps, ...result });
      }
      return results;
    });
  }

  /** As fast as it goes, with more and more under way. Latencies are what they are; errors are not. */
  async runStressTests() {
    return this.#withApp(async (url) => {
      const { scale, signal, targets } = this.#settings;
      const results = [];
      for (const concurrency of STRESS.steps) {
        const result = await this.#tester.runLoadTest({
          url,
          concurrency,
          durationMs: STRESS.duration * 1000 * scale,
          signal,
        });
        const errorRate = errorRateOf(result);
        if (!result.aborted && errorRate > targets.errorRate) {
          throw failed('stress', [`${errorRate.toFixed(2)} % errors with ${concurrency} under way`], result);
        }
        this.#log(`Stress, ${concurrency} at a time: ${Math.round(result.requestsPerSecond)} req/s`);
        results.push({ concurrency, ...result });
      }
      return results;
    });
  }

  /** @template T @param {(url: string) => Promise<T>} use @returns {Promise<T>} */
  async #withApp(use) {
    if (this.#settings.url !== undefined) return use(this.#settings.url);
    const app = await startSample();
    try {
      return await use(app.url);
    } finally {
      await app.close();
    }
  }

  /** @param {string} name @param {any} result */
  #judge(name, result) {
    if (result.aborted) return;
    const { targets } = this.#settings;
    const errorRate = errorRateOf(result);
    const reasons = ['p50', 'p95', 'p99'].flatMap((percentile) => {
      const value = result.latency[percentile];
      return value > targets[percentile] ? [`${percentile} is ${value} ms, more than ${targets[percentile]}`] : [];
    });
    if (errorRate > targets.errorRate) reasons.push(`${errorRate.toFixed(2)} % errors, more than ${targets.errorRate}`);
    if (reasons.length > 0) throw failed(name, reasons, result);
  }

  /** @param {string} line */
  #log(line) {
    if (this.#settings.logger) this.#settings.logger.log(line);
  }
}

/** In percent. @param {any} result */
function errorRateOf({ totalRequests, successRate }) {
  return totalRequests === 0 ? 0 : 100 - successRate;
}

/** @param {string} test @param {string[]} reasons @param {any} [result] */
function failed(test, reasons, result) {
  return new HotpathLoadTestError(`Performance test failed (${test}): ${reasons.join('; ')}`, { reasons, result });
}

module.exports = { PerformanceTestSuite };
