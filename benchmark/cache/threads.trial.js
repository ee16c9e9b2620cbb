const path = require('node:path');
const { startThreads, unanimous } = require('../harness/threads.js');
const { userKeys } = require('../workload/users.js');
const { hotpath } = require('./contenders.js');
const { fill } = require('./reading.js');

const WORKER = path.join(__dirname, 'threads.worker.js');

/**
 * Fills the named cache here and hands it to worker threads.
 *
 * @template T
 * @param {import('../harness/types.js').Context} context
 * @param {(threads: Awaited<ReturnType<typeof startThreads>>) => Promise<T>} use
 */
async function withThreads({ open, contender, settings, job }, use) {
  const cache = open();
  fill(cache, userKeys(settings.entries));
  const threads = await startThreads(WORKER, contender.threads, job);
  try {
    return await use(threads);
  } finally {
    await threads.stop();
    cache.close?.();
  }
}

/** @type {import('../harness/types.js').Trial} */
module.exports = {
  name: 'threads',
  title: 'Threads on one cache',
  description:
    'Worker threads open one named cache of 100,000 users and read it evenly with the near cache off, each the same number ' +
    'of times, released at the same moment. Throughput is that of all threads together. No peer can share a cache ' +
    'between threads, so hotpath is compared with itself.',
  settings: {
    smoke: { rounds: 1, entries: 2_000, capacity: 2_500, operations: 5_000 },
    quick: { rounds: 5, entries: 100_000, capacity: 125_000, operations: 400_000 },
    full: { rounds: 11, entries: 100_000, capacity: 125_000, operations: 2_000_000 },
  },
  cases: { native: { title: 'near cache off', settings: { name: 'benchmark-threads', nearCache: false } } },
  measures: {
    throughput: { label: 'gets per second, all threads', unit: 'perSecond', better: 'higher', chart: true },
  },
  floors: [{ measure: 'throughput', against: 'one thread', atLeast: 1.4, headline: 'two threads on one cache' }],
  contenders: {
    'two threads': { ...hotpath, threads: 2 },
    'one thread': { ...hotpath, threads: 1 },
  },

  check: (context) => withThreads(context, async (threads) => unanimous(await threads.phase('answers'))),

  run: (context) =>
    withThreads(context, async (threads) => {
      await threads.phase('warm');
      const runs = await threads.phase('read');
      const from = Math.min(...runs.map((run) => run.from));
      const to = Math.max(...runs.map((run) => run.to));
      const operations = runs.length * context.settings.operations;
      return {
        measures: { throughput: operations / ((to - from) / 1e9) },
        checksum: unanimous(runs.map((run) => run.sum)),
      };
    }),
};
