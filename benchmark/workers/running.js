const { performance } = require('node:perf_hooks');
const { digestOf } = require('../harness/digest.js');

/** @typedef {import('../harness/types.js').Context} Context */

/**
 * Opens the contender's pool for as long as it is used.
 *
 * @template T
 * @param {Context} context
 * @param {(pool: import('../harness/types.js').Pool) => Promise<T>} use
 */
async function withPool({ open }, use) {
  const pool = await open();
  try {
    return await use(pool);
  } finally {
    await pool.close();
  }
}

/**
 * Runs tasks with so many in flight: whenever one is answered, the next begins.
 *
 * @param {number} tasks
 * @param {number} inFlight
 * @param {(index: number) => Promise<any>} run
 * @returns {Promise<any[]>} the answers in order
 */
async function inFlightOf(tasks, inFlight, run) {
  const answers = new Array(tasks);
  let next = 0;
  const lane = async () => {
    while (next < tasks) {
      const index = next++;
      answers[index] = await run(index);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  return answers;
}

/**
 * Times tasks after a warm-up of a fifth of them. The time of the main thread is what its event loop did not idle.
 *
 * @param {{ operations: number, inFlight: number }} size
 * @param {(index: number) => Promise<any>} run
 */
async function timedTasks({ operations, inFlight }, run) {
  await inFlightOf(Math.ceil(operations / 5), inFlight, run);
  const loop = performance.eventLoopUtilization();
  const processorBefore = process.cpuUsage();
  const before = process.hrtime.bigint();
  const answers = await inFlightOf(operations, inFlight, run);
  const elapsed = Number(process.hrtime.bigint() - before);
  const processor = process.cpuUsage(processorBefore);
  const { active } = performance.eventLoopUtilization(loop);
  return {
    measures: {
      time: elapsed / operations,
      main: (active * 1e6) / operations,
      processor: ((processor.user + processor.system) * 1000) / operations,
    },
    answers,
  };
}

/** The measures that `timedTasks` fills. @type {Record<string, import('../harness/types.js').Measure>} */
const taskMeasures = {
  time: { label: 'time per task', unit: 'nanoseconds', better: 'lower', chart: true },
  main: { label: 'time of the main thread per task', unit: 'nanoseconds', better: 'lower' },
  processor: { label: 'processor time per task, all threads', unit: 'nanoseconds', better: 'lower', detail: true },
};

/** @param {any[]} answers */
const digestOfAnswers = (answers) => digestOf(answers.map((answer) => JSON.stringify(answer)));

module.exports = { withPool, inFlightOf, timedTasks, taskMeasures, digestOfAnswers };
