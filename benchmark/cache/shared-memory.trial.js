const path = require('node:path');
const { STEADY, collect, settledResidentSet } = require('../harness/memory.js');
const { startThreads, unanimous } = require('../harness/threads.js');
const { hotpath, lruCache } = require('./contenders.js');

const WORKER = path.join(__dirname, 'shared-memory.worker.js');

/**
 * @template T
 * @param {import('../harness/types.js').Context} context
 * @param {(threads: Awaited<ReturnType<typeof startThreads>>) => Promise<T>} use
 */
async function withThreads({ contender, job }, use) {
  const threads = await startThreads(WORKER, contender.threads, job);
  try {
    return await use(threads);
  } finally {
    await threads.stop();
  }
}

/** @type {import('../harness/types.js').Trial} */
module.exports = {
  name: 'shared-memory',
  title: 'Four workers, one copy',
  description:
    'Worker threads read 100,000 pages of 2 KiB, 200 MB together, through a cache: a page that is missing is made and ' +
    'put in. The workers first read and write a few pages as often, so that compiled code and all ' +
    'else that an empty worker has is there (V8’s nursery is held at 1 MB, or its growth would count as data); then the ' +
    'resident set is read, all pages are read through by every worker, garbage is collected, and the resident set is ' +
    'read again. The growth is the data: once for hotpath’s named cache (near cache off), once per worker for lru-cache.',
  settings: {
    smoke: { rounds: 1, pages: 500, capacity: 1_000 },
    quick: { rounds: 5, pages: 100_000, capacity: 125_000 },
    full: { rounds: 7, pages: 100_000, capacity: 125_000 },
  },
  cases: { pages: { title: '200 MB of pages', settings: { name: 'benchmark-pages', nearCache: false } } },
  measures: {
    growth: { label: 'growth of the resident set', unit: 'bytes', better: 'lower', chart: true },
  },
  floors: [{ measure: 'growth', against: 'hotpath, one worker', atMost: 1.05 }],
  contenders: {
    'hotpath, four workers': { ...hotpath, threads: 4 },
    'hotpath, one worker': { ...hotpath, threads: 1 },
    'lru-cache, four workers': { ...lruCache, threads: 4 },
  },
  nodeOptions: STEADY,

  check: (context) => withThreads(context, async (threads) => unanimous(await threads.phase('answers'))),

  run: (context) =>
    withThreads(context, async (threads) => {
      await threads.phase('warm');
      collect();
      const before = await settledResidentSet();
      const checksum = unanimous(await threads.phase('read'));
      collect();
      const growth = (await settledResidentSet()) - before;
      return { measures: { growth }, checksum };
    }),
};
