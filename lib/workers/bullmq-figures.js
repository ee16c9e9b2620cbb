'use strict';

// What this process counts of a queue in Redis.

const { createHistogram } = require('node:perf_hooks');

/** Histograms hold whole numbers: microseconds. */
const PER_MS = 1_000;

class Durations {
  #histogram = createHistogram();

  /** @param {number} ms */
  record(ms) {
    this.#histogram.record(Math.max(1, Math.round(ms * PER_MS)));
  }

  summary() {
    const histogram = this.#histogram;
    const { count } = histogram;
    if (count === 0) return { count: 0, min: 0, max: 0, mean: 0, p50: 0, p90: 0, p95: 0, p99: 0 };
    const part = (/** @type {number} */ percent) => histogram.percentile(percent) / PER_MS;
    return {
      count,
      min: histogram.min / PER_MS,
      max: histogram.max / PER_MS,
      mean: histogram.mean / PER_MS,
      p50: part(50),
      p90: part(90),
      p95: part(95),
      p99: part(99),
    };
  }
}

class LocalFigures {
  submitted = 0;
  completed = 0;
  failed = 0;
  cancelled = 0;
  retried = 0;
  timeouts = 0;
  revived = 0;
  run = new Durations();
  wait = new Durations();
  /** What Redis said last of all processes. */
  seen = { queued: 0, delayed: 0, active: 0, dead: 0 };

  /** @param {{ maxConcurrent: number, running: number, paused: boolean }} now */
  snapshot(now) {
    const { submitted, completed, failed, cancelled, retried, timeouts, revived } = this;
    return {
      ...now,
      ...this.seen,
      submitted,
      completed,
      failed,
      cancelled,
      retried,
      timeouts,
      revived,
      interrupted: 0,
      eventsDropped: 0,
      runMs: this.run.summary(),
      waitMs: this.wait.summary(),
      backend: 'bullmq',
    };
  }
}

module.exports = { LocalFigures };
