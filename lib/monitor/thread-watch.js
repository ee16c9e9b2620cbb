'use strict';

// What only this thread can see of itself: its heap, its collections, how busy its event loop is, what it holds open.
// Native code cannot; it asks how late the loop is instead (src/engine/monitor/loop_probe.rs).
//
// Started by the first who monitors, and stopped with the last. Its timer keeps no process alive.

const { PerformanceObserver, constants, performance } = require('node:perf_hooks');
const v8 = require('node:v8');
const { threadId } = require('node:worker_threads');
const native = require('../native.js');
const { subscribers } = require('../environment.js');
const { Gauge, Histogram } = require('./metric.js');

/** How often the heap and the handles are looked at. */
const EVERY_MS = 5_000;

const GC_KINDS = new Map([
  [constants.NODE_PERFORMANCE_GC_MINOR, 'minor'],
  [constants.NODE_PERFORMANCE_GC_MAJOR, 'major'],
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL, 'incremental'],
  [constants.NODE_PERFORMANCE_GC_WEAKCB, 'weakcb'],
]);

const GAUGES = Object.freeze({
  heapUsed: ['nodejs_heap_used_bytes', 'JavaScript heap in use'],
  heapTotal: ['nodejs_heap_total_bytes', 'JavaScript heap that is reserved'],
  heapLimit: ['nodejs_heap_limit_bytes', 'Most that the JavaScript heap may grow to'],
  external: ['nodejs_external_memory_bytes', 'Memory outside the heap that JavaScript objects hold'],
  arrayBuffers: ['nodejs_array_buffers_bytes', 'Memory of ArrayBuffers and Buffers'],
  utilization: ['nodejs_eventloop_utilization_ratio', 'Share of the last interval in which the event loop was busy'],
  resources: ['nodejs_active_resources', 'Handles and requests that keep the event loop alive'],
});

class ThreadWatch {
  #users = 0;
  /** @type {NodeJS.Timeout | undefined} */
  #timer;
  /** @type {PerformanceObserver | undefined} */
  #observer;
  #utilization = performance.eventLoopUtilization();
  /** @type {Map<string, { family: Gauge, series: import('./series.js').GaugeSeries }>} */
  #gauges = new Map();
  /** @type {import('./series.js').HistogramSeries | undefined} */
  #delays;
  /** @type {Map<string, { count: number, seconds: number }>} */
  #collections = new Map();
  #latest = sampleHeap();
  /** The latest delays: a question each 200 ms, so that these are a minute's. */
  #answers = new Float64Array(300);
  #answered = 0;

  /** Counts one more who watches. */
  start() {
    this.#users += 1;
    if (this.#users > 1) return;
    this.#define();
    subscribers.set(native.monitorWatch(), /** @type {any} */ (new WeakRef(this)));
    this.#observer = new PerformanceObserver((list) => this.#collected(/** @type {any[]} */ (list.getEntries())));
    this.#observer.observe({ entryTypes: ['gc'] });
    this.#timer = setInterval(() => this.sample(), EVERY_MS);
    this.#timer.unref();
    this.sample();
  }

  /** Counts one less. */
  stop() {
    this.#users -= 1;
    if (this.#users > 0) return;
    this.#observer?.disconnect();
    clearInterval(this.#timer);
    native.monitorUnwatch();
  }

  #define() {
    if (this.#gauges.size > 0) return;
    const thread = String(threadId);
    for (const [key, [name, help]] of Object.entries(GAUGES)) {
      const family = new Gauge(name, { help, labelNames: ['thread'] });
      this.#gauges.set(key, { family, series: family.labels({ thread }) });
    }
    const help = 'How late the event loop comes to what is waiting for it';
    const delays = new Histogram('nodejs_eventloop_delay_seconds', { help, labelNames: ['thread'] });
    this.#delays = delays.labels({ thread });
    // A thread that has ended has no heap any more; what it counted stays.
    process.once('exit', () => {
      for (const { family } of this.#gauges.values()) family.remove({ thread });
    });
  }

  /** The event loop has come to the question how late it is. Called on wake-ups. */
  deliver() {
    const delay = native.monitorAnswer();
    if (delay < 0) return;
    this.#delays?.record(delay / 1000);
    this.#answers[this.#answered % this.#answers.length] = delay;
    this.#answered += 1;
  }

  /** How late the loop was in the last minute, in milliseconds. What it is late now counts, too. */
  get recentDelays() {
    const pending = native.monitorDelays()?.pending ?? 0;
    const delays = this.#answers.slice(0, this.#answered).sort();
    const at = (/** @type {number} */ share) => delays[Math.floor(delays.length * share)] ?? 0;
    return { p50: at(0.5), p99: Math.max(at(0.99), pending), max: Math.max(delays.at(-1) ?? 0, pending) };
  }

  /** @param {any[]} entries */
  #collected(entries) {
    for (const { duration, detail } of entries) {
      const kind = GC_KINDS.get(detail?.kind) ?? 'other';
      const collections = this.#collections.get(kind) ?? { count: 0, seconds: 0 };
      collections.count += 1;
      collections.seconds += duration / 1000;
      this.#collections.set(kind, collections);
      gcDurations()
        .labels({ kind, thread: String(threadId) })
        .record(duration / 1000);
    }
  }

  /** Looks at the heap and the loop now. */
  sample() {
    const heap = sampleHeap();
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, this.#utilization);
    this.#utilization = now;
    this.#latest = { ...heap, utilization: Number.isFinite(utilization) ? utilization : 0 };
    for (const [key, { series }] of this.#gauges) series.set(/** @type {any} */ (this.#latest)[key]);
    return this.#latest;
  }

  /** The latest look, the delays of the loop in milliseconds, and the collections since the start. */
  get latest() {
    return {
      ...this.#latest,
      delays: native.monitorDelays() ?? { count: 0, mean: 0, p50: 0, p99: 0, max: 0, pending: 0 },
      gc: Object.fromEntries(this.#collections),
    };
  }
}

function sampleHeap() {
  const { heapUsed, heapTotal, external, arrayBuffers } = process.memoryUsage();
  return {
    heapUsed,
    heapTotal,
    heapLimit: v8.getHeapStatistics().heap_size_limit,
    external,
    arrayBuffers,
    utilization: 0,
    resources: process.getActiveResourcesInfo().length,
  };
}

/** @type {Histogram | undefined} */
let durations;

function gcDurations() {
  durations ??= new Histogram('nodejs_gc_duration_seconds', {
    help: 'Garbage collections by kind',
    labelNames: ['kind', 'thread'],
    buckets: [0.001, 0.01, 0.1, 1],
  });
  return durations;
}

/** The watch of this thread. */
const threadWatch = new ThreadWatch();

module.exports = { threadWatch };
