'use strict';

// Figures of a pool in two forms: as document 003 shows them, and as plain numbers.

/** @param {number} part @param {number} whole */
function percent(part, whole) {
  return `${(whole === 0 ? 0 : (part / whole) * 100).toFixed(2)}%`;
}

/** @param {any} native */
function documentStats(native) {
  const { completed } = native;
  // Workers that are being started have nothing to do yet.
  const idle = native.idle + native.starting;
  return {
    workers: {
      max: native.maxWorkers,
      min: native.minWorkers,
      idle,
      busy: native.busy,
      total: idle + native.busy,
    },
    queue: {
      pending: native.ready + native.delayed,
      byPriority: { high: native.high, normal: native.normal, low: native.low },
    },
    jobs: {
      total: native.submitted,
      completed,
      failed: native.failed,
      retried: native.retried,
      successRate: percent(completed, native.submitted),
    },
    performance: {
      avgExecutionTime: completed === 0 ? 0 : Math.round((native.runTotalMs / completed) * 100) / 100,
      workerReuses: native.reuses,
      reuseRate: percent(Math.min(native.reuses, completed), completed),
    },
  };
}

/** @param {any} native */
function plainStats(native) {
  const { completed, submitted, reuses } = native;
  return {
    workers: {
      max: native.maxWorkers,
      min: native.minWorkers,
      starting: native.starting,
      idle: native.idle,
      busy: native.busy,
      total: native.starting + native.idle + native.busy,
      created: native.created,
      exited: native.exited,
      died: native.died,
    },
    queue: {
      pending: native.ready + native.delayed,
      ready: native.ready,
      delayed: native.delayed,
      byPriority: { high: native.high, normal: native.normal, low: native.low },
    },
    jobs: {
      total: submitted,
      running: native.running,
      completed,
      failed: native.failed,
      cancelled: native.cancelled,
      retried: native.retried,
      refused: native.refused,
      timeouts: native.timeouts,
      successRatio: submitted === 0 ? 0 : completed / submitted,
    },
    performance: {
      avgExecutionMs: completed === 0 ? 0 : native.runTotalMs / completed,
      workerReuses: reuses,
      reuseRatio: completed === 0 ? 0 : Math.min(reuses, completed) / completed,
    },
    runMs: native.runMs,
    waitMs: native.waitMs,
    eventsDropped: native.eventsDropped,
  };
}

/** The workers of a pool that has ended have gone, whatever was counted last. @param {any} native */
function afterwards(native) {
  return { ...native, starting: 0, idle: 0, busy: 0, running: 0, ready: 0, delayed: 0, high: 0, normal: 0, low: 0 };
}

module.exports = { documentStats, plainStats, afterwards };
