const { monitorEventLoopDelay } = require('node:perf_hooks');
const { digestOf } = require('../harness/digest.js');
const { runNumpy } = require('./numpy.js');
const { rounded, sampled } = require('./workload.js');

/** Answers that are compared, of all of them. */
const STRIDE = 997;

/** @type {Record<string, import('../harness/types.js').Measure>} */
const measures = {
  time: { label: 'time', unit: 'milliseconds', better: 'lower', chart: true },
  blocked: { label: 'longest pause of the event loop', unit: 'milliseconds', better: 'lower', detail: true },
};

/**
 * A digest of a sample of a contender's answers.
 *
 * @param {import('../harness/types.js').Context} context
 * @param {string} task
 */
async function digest({ open, settings }, task) {
  const contender = /** @type {any} */ (open());
  const { rows, columns } = /** @type {any} */ (settings);
  if (contender.numpy) {
    const { sample } = runNumpy({ task, rows, columns, operations: 1, stride: STRIDE });
    return digestOf(sample.map(rounded));
  }
  const work = contender[task](rows, columns);
  return digestOf(sampled(await work(), STRIDE));
}

/**
 * The average time of a task after a warm-up.
 *
 * @param {import('../harness/types.js').Context} context
 * @param {string} task
 */
async function time({ open, settings }, task) {
  const contender = /** @type {any} */ (open());
  const { rows, columns, operations } = /** @type {any} */ (settings);
  if (contender.numpy) {
    const { milliseconds } = runNumpy({ task, rows, columns, operations, stride: STRIDE });
    return { measures: { time: milliseconds, blocked: 0 } };
  }
  const work = contender[task](rows, columns);
  await work();
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  // The histogram's own timer has to have fired before it sees anything.
  await new Promise((resolve) => setTimeout(resolve, 5));
  delay.reset();
  const started = process.hrtime.bigint();
  for (let round = 0; round < operations; round += 1) await work();
  const elapsed = Number(process.hrtime.bigint() - started) / 1e6;
  await new Promise((resolve) => setTimeout(resolve, 5));
  delay.disable();
  return { measures: { time: elapsed / operations, blocked: delay.max / 1e6 } };
}

module.exports = { digest, measures, time };
