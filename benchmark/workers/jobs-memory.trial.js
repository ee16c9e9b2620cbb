const { digestOf } = require('../harness/digest.js');
const { user } = require('../workload/users.js');
const { hotpath, pQueue } = require('./job-contenders.js');

/** Priorities so far apart that waiting does not make up for them: p-queue knows no ageing. */
const APART = 1_000;

/** @param {number} index */
const dataOf = (index) => ({ ...user(index & 1023), id: index });

/**
 * Adds all jobs at once while nothing is worked on, then works on all of them.
 *
 * @param {import('../harness/types.js').Context} context
 */
async function work({ open, settings: { operations } }) {
  const queue = await open();
  /** @type {number[]} */
  const order = [];
  let finish = () => {};
  const finished = /** @type {Promise<void>} */ (
    new Promise((resolve) => {
      finish = resolve;
    })
  );
  queue.process(async (/** @type {any} */ data) => {
    await null;
    order.push(data.id);
    if (order.length === operations) finish();
  });
  await queue.pause();
  const before = process.hrtime.bigint();
  for (let index = 0; index < operations; index += 1) queue.add(dataOf(index), (index % 3) * APART);
  const added = process.hrtime.bigint();
  await queue.resume();
  await finished;
  const after = process.hrtime.bigint();
  await queue.close();
  return { order, time: Number(after - before) / operations, add: Number(added - before) / operations };
}

/** @type {import('../harness/types.js').Trial} */
module.exports = {
  name: 'jobs-memory',
  title: 'Jobs in memory',
  description:
    'Jobs with three priorities and an object of 93 bytes are added while the queue pauses, and then worked on, ten at a ' +
    'time, by an asynchronous function that does nothing. p-queue keeps the objects where they are and knows no retries, ' +
    'no timeouts by type, no progress and no cancellation of what runs; hotpath encodes them off the heap.',
  settings: {
    smoke: { rounds: 1, operations: 500, workers: 10 },
    quick: { rounds: 5, operations: 100_000, workers: 10 },
    full: { rounds: 11, operations: 300_000, workers: 10 },
  },
  cases: { prioritized: { title: 'three priorities' } },
  measures: {
    time: { label: 'time per job, added and done', unit: 'nanoseconds', better: 'lower', chart: true },
    add: { label: 'time to add a job', unit: 'nanoseconds', better: 'lower', detail: true },
  },
  floors: [{ measure: 'time', against: 'p-queue', atLeast: 1, headline: 'background jobs in memory, prioritized' }],
  contenders: { hotpath, 'p-queue': pQueue },

  /** Larger priorities first, each in the order in which they were added. */
  check: async (context) => digestOf((await work(context)).order),

  async run(context) {
    const { order, time, add } = await work(context);
    return { measures: { time, add }, checksum: order.length };
  },
};
