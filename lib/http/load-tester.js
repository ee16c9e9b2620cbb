'use strict';

// Load on an HTTP server: native threads make it and measure it, so that this one is free, and is not what is measured.

const { EventEmitter } = require('node:events');
const { HotpathClosedError, HotpathLoadTestError, invalidArgType } = require('../errors.js');
const check = require('../validate.js');
const { tellListeners } = require('../listening.js');
const { PerformanceMonitor } = require('../monitor/performance-monitor.js');
const { SCENARIO_OPTIONS, commonOptions, progressBar, requestOptions, usualThreads } = require('./load-options.js');
const { runPlan } = require('./load-run.js');
const { checkUrl, resolveTarget } = require('./load-target.js');
const { readScenario } = require('./scenario-file.js');
const { violations } = require('./scenario-ensure.js');

const OPTIONS = ['allowRemote', 'logger', 'progressBar', 'progressIntervalMs'];

class LoadTester extends EventEmitter {
  #defaults;
  #intervalMs;
  #logger;
  #closed = false;
  /** What ends each test that is under way. @type {Map<Promise<any>, () => void>} */
  #running = new Map();

  /** @param {unknown} [options] */
  constructor(options) {
    super();
    const given = check.options(options, 'options', OPTIONS);
    const bar = given.progressBar ?? false;
    progressBar(bar, 'options.progressBar');
    this.#defaults = {
      allowRemote: check.boolean(given.allowRemote ?? false, 'options.allowRemote'),
      progressBar: bar,
    };
    this.#intervalMs = check.positiveInteger(given.progressIntervalMs ?? 500, 'options.progressIntervalMs');
    this.#logger = given.logger === undefined ? console : given.logger;
    if (this.#logger !== false && typeof this.#logger?.log !== 'function') {
      throw invalidArgType('a logger with log, or false,', 'options.logger', given.logger);
    }
  }

  get closed() {
    return this.#closed;
  }

  /** Tests under way. */
  get running() {
    return this.#running.size;
  }

  /**
   * @param {any} test a scenario file, or what to ask
   * @param {unknown} [options] with a file
   */
  async runLoadTest(test, options) {
    if (typeof test === 'string') return this.runScenario(test, options);
    this.#refuseClosed();
    const { url, body, limits, threads, work, ...common } = requestOptions(test, this.#defaults);
    return this.#track(async (onStart) => {
      const plan = { target: await resolveTarget(url, common), threads, timeoutMs: common.timeoutMs, work };
      return this.#run({ plan, body, share: (figures) => shareOf(figures, limits) }, common, onStart);
    });
  }

  /** @param {unknown} file @param {unknown} [options] */
  async runScenario(file, options) {
    this.#refuseClosed();
    check.nonEmptyString(file, 'file');
    const given = check.options(options, 'options', SCENARIO_OPTIONS);
    const common = commonOptions(given, this.#defaults);
    const seed = check.nonNegativeInteger(given.seed ?? 1, 'options.seed');
    const target = given.target === undefined ? undefined : checkUrl(given.target, 'options.target');
    return this.#track(async (onStart) => {
      const scenario = await readScenario(/** @type {string} */ (file), { seed, target });
      const tls = { ...common, insecure: common.insecure || scenario.insecure };
      const plan = {
        target: await resolveTarget(scenario.target, tls),
        threads: common.threads ?? usualThreads(scenario.usersAtOnce),
        timeoutMs: given.timeoutMs === undefined ? (scenario.timeoutMs ?? common.timeoutMs) : common.timeoutMs,
        work: { users: scenario.users },
      };
      const share = (/** @type {any} */ { totalTime }) => totalTime / scenario.durationMs;
      const report = await this.#run({ plan, share }, common, onStart);
      return judged(named(report, scenario), scenario);
    });
  }

  /** @param {unknown} [file] @param {unknown} [options] */
  async runPerformanceTest(file = 'artillery-config.yml', options = undefined) {
    const monitor = new PerformanceMonitor();
    monitor.startMonitoring();
    try {
      const loadTest = await this.runScenario(file, options);
      const report = { ...monitor.generateReport(), loadTest };
      if (this.#logger) this.#logger.log('Performance Report:', report);
      return report;
    } finally {
      monitor.stopMonitoring();
    }
  }

  #refuseClosed() {
    if (this.#closed) throw new HotpathClosedError('The load tester is closed');
  }

  /**
   * @param {{ plan: object, body?: Buffer, share: (figures: any) => number }} test
   * @param {Omit<ReturnType<typeof commonOptions>, 'threads'>} common
   * @param {(stop: () => void) => void} onStart
   */
  async #run(test, common, onStart) {
    const report = await runPlan(test, {
      ...common,
      intervalMs: this.#intervalMs,
      onProgress: (figures) => tellListeners(this, 'progress', [figures]),
      onStart,
    });
    tellListeners(this, 'done', [report]);
    return report;
  }

  /**
   * Knows of a test as long as it is under way.
   * @template T
   * @param {(onStart: (stop: () => void) => void) => Promise<T>} begin
   * @returns {Promise<T>}
   */
  async #track(begin) {
    let stopped = false;
    let stop = () => {
      stopped = true;
    };
    const test = begin((native) => {
      if (stopped) native();
      stop = native;
    });
    this.#running.set(test, () => stop());
    try {
      return await test;
    } finally {
      this.#running.delete(test);
    }
  }

  async close() {
    this.#closed = true;
    await Promise.allSettled(this.#running.keys());
  }

  async destroy() {
    for (const stop of this.#running.values()) stop();
    await this.close();
  }

  async [Symbol.asyncDispose]() {
    await this.close();
  }
}

/** @param {any} figures @param {{ requests: number | undefined, durationMs: number | undefined, rate: number | undefined }} limits */
function shareOf({ totalRequests, totalTime }, { requests, durationMs }) {
  return Math.max(
    requests === undefined ? 0 : totalRequests / requests,
    durationMs === undefined ? 0 : totalTime / durationMs,
  );
}

/** Counts by the names of the file. @param {any} report @param {any} scenario */
function named({ phase: _phase, scenarios, ...report }, { names }) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const [index, name] of names.entries()) counts.set(name, (counts.get(name) ?? 0) + scenarios[index]);
  return { ...report, scenarios: Object.fromEntries(counts) };
}

/** A test that was not stopped, and failed, rejects. @param {any} report @param {any} scenario */
function judged(report, scenario) {
  if (report.aborted) return report;
  const answers = Object.keys(report.statusCodes).length;
  const reasons = violations(report, scenario.ensure);
  if (report.totalRequests > 0 && answers === 0) {
    const kinds = Object.entries(report.errors).map(([kind, count]) => `${kind}: ${count}`);
    reasons.unshift(`none of ${report.totalRequests} requests was answered (${kinds.join(', ')})`);
  }
  if (reasons.length === 0) return report;
  throw new HotpathLoadTestError(`Load test failed: ${reasons.join('; ')}`, { result: report, reasons });
}

module.exports = { LoadTester };
