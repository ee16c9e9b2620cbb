'use strict';

// Figures of a job queue, in the forms that they are asked for.

/** @param {number} part @param {number} whole */
function percent(part, whole) {
  return `${(whole === 0 ? 0 : (part / whole) * 100).toFixed(2)}%`;
}

/** Words as in the documents' other statistics. @param {any} native */
function documentStats(native) {
  // A process may work off what others have submitted.
  const total = Math.max(native.submitted, native.completed + native.failed + native.cancelled);
  return {
    backend: native.backend,
    paused: native.paused,
    concurrency: { max: native.maxConcurrent, running: native.running },
    queue: {
      pending: native.queued + native.delayed,
      queued: native.queued,
      delayed: native.delayed,
      active: native.active,
      deadLetters: native.dead,
    },
    jobs: {
      total: native.submitted,
      completed: native.completed,
      failed: native.failed,
      cancelled: native.cancelled,
      retried: native.retried,
      timeouts: native.timeouts,
      interrupted: native.interrupted,
      revived: native.revived,
      successRate: percent(native.completed, total),
    },
    performance: { avgProcessingTime: native.runMs.mean, avgWaitTime: native.waitMs.mean },
    runMs: native.runMs,
    waitMs: native.waitMs,
    eventsDropped: native.eventsDropped,
  };
}

/** @param {any} native */
function plainStats(native) {
  const { maxConcurrent, queued, delayed, dead, rememberedCompleted, rememberedCancelled, ...figures } = native;
  return {
    ...figures,
    maxConcurrentJobs: maxConcurrent,
    pending: queued + delayed,
    queued,
    delayed,
    deadLetters: dead,
  };
}

/** What a monitor is told: plain numbers. @param {any} native */
function serviceFigures(native) {
  return {
    queueDepth: native.queued + native.delayed,
    active: native.active,
    running: native.running,
    deadLetters: native.dead,
    submitted: native.submitted,
    completed: native.completed,
    failed: native.failed,
    cancelled: native.cancelled,
    retried: native.retried,
    waitP95Ms: native.waitMs.p95,
    runP95Ms: native.runMs.p95,
  };
}

/** Nobody works for a queue that was closed, whatever was counted last. @param {any} native */
function afterwards(native) {
  return { ...native, running: 0 };
}

module.exports = { documentStats, plainStats, serviceFigures, afterwards };
