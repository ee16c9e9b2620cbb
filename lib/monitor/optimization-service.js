'use strict';

// Looks for what can be made better, tries it, measures, and keeps what helped.
//
// A run asks every lever for proposals. Proposals for one target are tried one after another, since each measures the same
// figure; targets are tried side by side. What is in history was done and measured.

const { createHash } = require('node:crypto');
const { EventEmitter } = require('node:events');
const { performance } = require('node:perf_hooks');
const v8 = require('node:v8');
const native = require('../native.js');
const { lifeOptions } = require('../cache/ttl-argument.js');
const { HotpathClosedError, invalidArgType } = require('../errors.js');
const check = require('../validate.js');
const { checkServices, told } = require('./attached-services.js');
const { checkClock } = require('./clock.js');
const { compareVariants } = require('./comparison.js');
const { NAMES, changed, copyOf, defaultConfig } = require('./optimization-config.js');
const { proposals } = require('./optimization-levers.js');
const { runTrial } = require('./optimization-trial.js');
const { metricsService } = require('./singletons.js');
const { SlowQueries } = require('./slow-queries.js');

/** Records that are kept. */
const KEPT = 500;

/** How old the native sample of memory and processor may be. */
const FRESH_MS = 500;

const TRIGGERS = /** @type {const} */ (['manual', 'scheduled', 'forced']);
const AREAS = /** @type {const} */ (['cache', 'connections', 'memory', 'queries', 'queues']);

/** Groups of slow queries that are recommended about. */
const NAMED_QUERIES = 5;

class OptimizationService extends EventEmitter {
  #config = defaultConfig();
  /** @type {Record<string, any>} */
  #services;
  #clock;
  #closed = false;
  #closing = new AbortController();
  /** @type {any[]} the newest first */
  #history = [];
  #records = 0;
  #runs = 0;
  /** @type {{ report: any, done: Promise<any> } | undefined} */
  #running;
  /** What levers remember. @type {Map<string, any>} */
  #memory = new Map();
  /** The stats of the look before, and of the one now. @type {Map<string, any>} */
  #looked = new Map();
  #queries = new SlowQueries();

  /** @param {unknown} [options] */
  constructor(options) {
    super();
    const { services, clock, ...config } = check.options(options, 'options', [...NAMES, 'services', 'clock']);
    this.#config = changed(this.#config, config, 'options');
    this.#services = checkServices(services, 'options.services');
    this.#clock = checkClock(clock, 'options.clock');
  }

  get closed() {
    return this.#closed;
  }

  get running() {
    return this.#running !== undefined;
  }

  /** Adds services that are not there yet. @param {unknown} services */
  attach(services) {
    const others = checkServices(services, 'services');
    delete others.optimization;
    this.#services = { ...others, ...this.#services };
    return this;
  }

  /** Tries what is due. Resolves when everything was measured; with `wait: false` when it has begun. @param {unknown} [options] */
  async runOptimization(options) {
    this.#checkOpen();
    const given = check.options(options, 'options', ['trigger', 'wait', 'areas']);
    const trigger = check.oneOf(given.trigger ?? 'manual', 'options.trigger', TRIGGERS);
    const wait = check.boolean(given.wait ?? true, 'options.wait');
    const areas = given.areas === undefined ? AREAS : areasOf(given.areas);
    // One run at a time: two would measure each other.
    this.#running ??= this.#begin(trigger, areas);
    const { report, done } = this.#running;
    return wait ? done : { ...report, actions: [...report.actions] };
  }

  /** Tries everything that can be tried, whether due or not. @param {unknown} [options] */
  async forceOptimization(options) {
    const given = check.options(options, 'options', ['wait', 'areas']);
    return this.runOptimization({ ...given, trigger: 'forced' });
  }

  /** @param {string} trigger @param {readonly string[]} areas */
  #begin(trigger, areas) {
    this.#runs += 1;
    const timestamp = this.#clock.now();
    const runId = `run_${this.#runs}`;
    const found = this.#look(trigger === 'forced', true).filter(
      ({ area, automatic = true }) => automatic && areas.includes(area),
    );
    const trials = found.map((proposal) => ({ proposal, record: this.#record(proposal, runId, trigger, timestamp) }));
    const report = { runId, timestamp, trigger, actions: trials.map(({ record }) => record) };
    const done = this.#tryAll(trials).then(() => {
      this.#running = undefined;
      const finished = { ...report, duration: this.#clock.now() - timestamp };
      this.emit('run', finished);
      return finished;
    });
    return { report, done };
  }

  /** @param {boolean} forced @param {boolean} advance whether the next look compares with this one */
  #look(forced, advance) {
    const { resident, memoryLimit, processCpu, threadCpu } = native.monitorSystem(FRESH_MS);
    const { used_heap_size: heapUsed, heap_size_limit: heapLimit } = v8.getHeapStatistics();
    const usage = Math.max(heapUsed / heapLimit, memoryLimit > 0 ? resident / memoryLimit : 0);
    const limit = memoryLimit > 0 ? memoryLimit : Number.MAX_SAFE_INTEGER;
    /** @type {Map<string, any>} */
    const seen = new Map();
    const found = proposals({
      services: this.#services,
      config: this.#config,
      memory: { rss: resident, limit, heapUsed, heapLimit, usage },
      cpu: Math.max(processCpu, threadCpu),
      forced,
      state: (name, make) => {
        if (!this.#memory.has(name)) this.#memory.set(name, make());
        return this.#memory.get(name);
      },
      earlier: (target, stats) => {
        seen.set(target, stats);
        return this.#looked.get(target);
      },
    });
    if (advance) for (const [target, stats] of seen) this.#looked.set(target, stats);
    return /** @type {(import('./optimization-trial.js').Proposal & { automatic?: boolean })[]} */ (found);
  }

  /**
   * @param {import('./optimization-trial.js').Proposal} proposal
   * @param {string} runId
   * @param {string} trigger
   * @param {number} timestamp
   */
  #record({ area, action, target, reason, change, measured, unit }, runId, trigger, timestamp) {
    this.#records += 1;
    const record = {
      ...{
        id: `opt_${this.#records}`,
        runId,
        timestamp,
        trigger,
        area,
        action,
        target,
        reason,
        change,
        measured,
        unit,
      },
      ...{ before: null, after: null, pValue: null, status: 'measuring', verdict: null, error: null },
    };
    this.#history.unshift(record);
    this.#history.length = Math.min(this.#history.length, KEPT);
    this.emit('action', { ...record });
    return record;
  }

  /** @param {{ proposal: import('./optimization-trial.js').Proposal, record: any }[]} trials */
  async #tryAll(trials) {
    /** @type {Map<string, typeof trials>} */
    const byTarget = new Map();
    for (const trial of trials) {
      const { target } = trial.proposal;
      byTarget.set(target, [...(byTarget.get(target) ?? []), trial]);
    }
    await Promise.all(
      [...byTarget.values()].map(async (ofTarget) => {
        for (const { proposal, record } of ofTarget) await this.#try(proposal, record);
      }),
    );
  }

  /** @param {import('./optimization-trial.js').Proposal} proposal @param {any} record */
  async #try(proposal, record) {
    try {
      const settings = { clock: this.#clock, config: this.#config, signal: this.#closing.signal };
      await runTrial(proposal, record, settings);
    } catch (error) {
      // The engine closed meanwhile, or refused: what can be put back is.
      await Promise.resolve(told(() => proposal.undo())).catch(() => {});
      Object.assign(record, { status: 'failed', error: error instanceof Error ? error.message : String(error) });
    }
    this.emit('action', { ...record });
  }

  /** What could be made better, without doing it. */
  getRecommendations() {
    this.#checkOpen();
    const { auto } = this.#config;
    const due = this.#look(false, false).map(
      ({ area, severity, action, target, advice, evidence, automatic = true }) => ({
        ...{
          id: `${action}:${target}`,
          area,
          severity,
          message: advice,
          action,
          evidence,
          automatic: auto && automatic,
        },
      }),
    );
    return [...due, ...this.#queryAdvice(), ...this.#lessons()];
  }

  #queryAdvice() {
    const { resultCaching } = this.#config.queryOptimization;
    return this.#queries.list(NAMED_QUERIES).map(({ query, count, slow, avgMs, maxMs }) => ({
      id: `slow-query:${hashOf(query).slice(0, 12)}`,
      area: 'queries',
      severity: /** @type {const} */ ('medium'),
      message: `${slow} of ${count} runs were slow (${avgMs.toFixed(0)} ms on average): ${query.slice(0, 200)}. Look at its plan and indexes${resultCaching ? '' : ', or cache its results'}`,
      action: null,
      evidence: { count, slow, avgMs, maxMs },
      automatic: false,
    }));
  }

  /** What trials that brought nothing have taught. */
  #lessons() {
    const last = this.#history.find(({ action, status }) => action === 'grow-cache' && status !== 'measuring');
    if (last?.verdict !== 'no difference') return [];
    return [
      {
        ...{ id: `ttl-or-keys:${last.target}`, area: 'cache', severity: /** @type {const} */ ('low'), action: null },
        message: `More memory did not help ${last.target}: look at how long entries live, and whether keys are asked for twice at all`,
        evidence: { before: last.before?.value ?? 0, after: last.after?.value ?? 0 },
        automatic: false,
      },
    ];
  }

  /** The newest first. @param {number} [limit] */
  getHistory(limit = 50) {
    return this.#history.slice(0, check.positiveInteger(limit, 'limit')).map((record) => ({ ...record }));
  }

  getConfig() {
    return copyOf(this.#config);
  }

  /** @param {unknown} changes */
  updateConfig(changes) {
    this.#checkOpen();
    this.#config = changed(this.#config, changes, 'config');
    const config = this.getConfig();
    this.emit('config', config);
    return config;
  }

  /** @param {boolean} enabled whether runs are made by schedule */
  setAuto(enabled) {
    return this.updateConfig({ auto: check.boolean(enabled, 'enabled') });
  }

  /** Everything that a dashboard shows. */
  getDashboard() {
    return {
      auto: this.#config.auto,
      running: this.running,
      config: this.getConfig(),
      recommendations: this.getRecommendations(),
      history: this.getHistory(50),
    };
  }

  /** Counts a query. @param {string} query @param {number} durationMs */
  recordQuery(query, durationMs) {
    check.nonEmptyString(query, 'query');
    check.nonNegativeNumber(check.finiteNumber(durationMs, 'duration'), 'duration');
    this.#checkOpen();
    this.#queries.record(query, durationMs, this.#config.queryOptimization.slowMs);
    (this.#services.metrics ?? metricsService).recordDatabaseQuery(durationMs);
  }

  /**
   * Runs a query, times it, and, where result caching is on, remembers what it gave.
   * @param {string} query
   * @param {readonly unknown[]} parameters
   * @param {() => any} run
   */
  async query(query, parameters, run) {
    check.nonEmptyString(query, 'query');
    if (!Array.isArray(parameters)) throw invalidArgType('an array', 'parameters', parameters);
    check.function_(run, 'run');
    this.#checkOpen();
    const { resultCaching, resultTtlMs } = this.#config.queryOptimization;
    const { cache } = this.#services;
    if (!resultCaching || cache === undefined) return this.#timed(query, run);
    const key = `query:${hashOf(JSON.stringify([query, parameters]))}`;
    const known = await cache.get(key);
    if (known !== undefined && known !== null) {
      this.#queries.recordCached(query);
      return known.rows;
    }
    const rows = await this.#timed(query, run);
    // In a wrapping, so that an answer of nothing is an answer, too.
    await cache.set(key, { rows }, lifeOptions(cache, resultTtlMs));
    return rows;
  }

  /** @param {string} query @param {() => any} run */
  async #timed(query, run) {
    const begin = performance.now();
    try {
      return await run();
    } finally {
      if (!this.#closed) this.recordQuery(query, performance.now() - begin);
    }
  }

  /** Groups of slow queries, those first that take the most time. @param {number} [limit] */
  getSlowQueries(limit = 20) {
    return this.#queries.list(check.positiveInteger(limit, 'limit'));
  }

  /** Runs two variants in turn and says whether they differ. @param {unknown} variantA @param {unknown} variantB @param {unknown} [options] */
  async compare(variantA, variantB, options) {
    this.#checkOpen();
    return compareVariants(variantA, variantB, options);
  }

  get stats() {
    const count = (/** @type {string} */ status) => this.#history.filter((record) => record.status === status).length;
    return {
      ...{ runs: this.#runs, running: this.running, actions: this.#records },
      ...{ kept: count('kept'), undone: count('undone'), done: count('done'), failed: count('failed') },
    };
  }

  #checkOpen() {
    if (this.#closed) throw new HotpathClosedError('The optimization service is closed');
  }

  /** Ends a run that is under way: what was not decided is undone. Settings that were kept stay. */
  async close() {
    this.#closed = true;
    this.#closing.abort();
    await this.#running?.done;
    for (const [name, value] of this.#memory) if (name.startsWith('ttl ')) value.extension?.end();
    this.#memory.clear();
  }

  [Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose')]() {
    return this.close();
  }
}

/** @param {unknown} areas @returns {readonly string[]} */
function areasOf(areas) {
  if (!Array.isArray(areas)) throw invalidArgType('an array', 'options.areas', areas);
  return areas.map((area, index) => check.oneOf(area, `options.areas[${index}]`, AREAS));
}

/** @param {string} text */
function hashOf(text) {
  return createHash('sha256').update(text).digest('hex');
}

module.exports = { OptimizationService };
