const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { digestOf } = require('../harness/digest.js');
const { fullCollection } = require('../harness/memory.js');
const { user } = require('../workload/users.js');
const { hotpath } = require('./job-contenders.js');

/** Submissions that are under way at a time. */
const BURST = 2_000;

/** @param {string} [store] */
function variant(store) {
  return { ...hotpath, options: () => (store === undefined ? {} : { store }) };
}

/**
 * @param {import('../harness/types.js').Context} context
 * @param {(queue: any) => Promise<any>} use
 */
async function withQueue({ contender, settings }, use) {
  const { store, ...options } = contender.options(settings);
  const place = store === undefined ? undefined : fs.mkdtempSync(path.join(os.tmpdir(), 'hotpath-jobs-'));
  const queue = contender.open(place === undefined ? options : { ...options, store: place });
  try {
    return await use(queue);
  } finally {
    await queue.close();
    if (place !== undefined) fs.rmSync(place, { recursive: true, force: true });
  }
}

/** @param {any} queue @param {number} entries */
async function fill(queue, entries) {
  const ids = [];
  for (let from = 0; from < entries; from += BURST) {
    const burst = Array.from({ length: Math.min(BURST, entries - from) }, (_, index) =>
      queue.add(user(from + index), 0),
    );
    const jobs = await Promise.all(burst);
    if (from === 0) ids.push(...jobs.slice(0, 10));
  }
  return ids;
}

/** @type {import('../harness/types.js').Trial} */
module.exports = {
  name: 'jobs-million',
  title: 'A million queued jobs',
  description:
    'As many jobs with an object of 93 bytes wait in the queue. Heap is what JavaScript uses more than before, after a ' +
    'full collection; the resident set is that of the process, with what the system maps of the store.',
  settings: {
    smoke: { rounds: 1, entries: 2_000 },
    quick: { rounds: 1, entries: 1_000_000 },
    full: { rounds: 3, entries: 1_000_000 },
  },
  cases: { users: { title: '1,000,000 jobs' } },
  measures: {
    heap: { label: 'growth of the JavaScript heap', unit: 'bytes', better: 'lower', chart: true },
    residentSet: { label: 'resident set', unit: 'bytes', better: 'lower', chart: true },
    time: { label: 'time to add a job', unit: 'nanoseconds', better: 'lower' },
  },
  floors: [
    { measure: 'heap', atMost: 100 * 2 ** 20, headline: '1,000,000 queued jobs on disk: JavaScript heap' },
    { measure: 'residentSet', atMost: 300 * 2 ** 20, headline: '1,000,000 queued jobs on disk: resident set' },
  ],
  contenders: { store: variant('store'), memory: variant() },
  nodeOptions: ['--expose-gc'],

  check: (context) =>
    withQueue(context, async (queue) => {
      const ids = await fill(queue, Math.min(context.settings.entries, 2_000));
      return digestOf(ids.map(({ status }) => status));
    }),

  run: (context) =>
    withQueue(context, async (queue) => {
      fullCollection();
      const heapBefore = process.memoryUsage().heapUsed;
      const before = process.hrtime.bigint();
      await fill(queue, context.settings.entries);
      const time = Number(process.hrtime.bigint() - before) / context.settings.entries;
      fullCollection();
      const { heapUsed, rss } = process.memoryUsage();
      return { measures: { heap: Math.max(0, heapUsed - heapBefore), residentSet: rss, time } };
    }),
};
