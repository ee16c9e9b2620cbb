const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { startRedis } = require('../../__test__/support/redis.js');
const { digestOf } = require('../harness/digest.js');
const { user } = require('../workload/users.js');
const { bullmq, hotpath } = require('./job-contenders.js');

/** Redis as its documentation recommends it for data that matter. */
const APPENDING = ['--appendonly', 'yes', '--appendfsync', 'everysec'];

/**
 * Opens the contender on a place of its own: a directory, or a server.
 *
 * @template T
 * @param {import('../harness/types.js').Context} context
 * @param {(queue: any) => Promise<T>} use
 */
async function withQueue({ job, contender, settings }, use) {
  /** @type {(() => unknown)[]} */
  const ends = [];
  try {
    /** @type {Record<string, unknown>} */
    const options = contender.options(settings);
    if (job.contender === 'bullmq') {
      const server = await startRedis(
        { after: (/** @type {() => unknown} */ end) => ends.push(end) },
        { args: APPENDING },
      );
      options.port = server.port;
    } else {
      const store = fs.mkdtempSync(path.join(os.tmpdir(), 'hotpath-jobs-'));
      ends.push(() => fs.rmSync(store, { recursive: true, force: true }));
      options.store = store;
    }
    const queue = contender.open(options);
    try {
      return await use(queue);
    } finally {
      await queue.close();
    }
  } finally {
    for (const end of ends) await end();
  }
}

/** @param {any} queue @param {{ operations: number, inFlight: number }} size */
async function work(queue, { operations, inFlight }) {
  await queue.pause();
  let next = 0;
  const lane = async () => {
    while (next < operations) {
      const index = next++;
      await queue.add({ ...user(index & 1023), id: index });
    }
  };
  const before = process.hrtime.bigint();
  await Promise.all(Array.from({ length: inFlight }, lane));
  const added = process.hrtime.bigint();
  /** @type {number[]} */
  const done = [];
  const finished = new Promise((resolve) => {
    queue.process(async (/** @type {any} */ data) => {
      await null;
      done.push(data.id);
      if (done.length === operations) resolve(undefined);
    });
  });
  const started = process.hrtime.bigint();
  await queue.resume();
  await finished;
  const ended = process.hrtime.bigint();
  return { done, add: Number(added - before) / operations, time: Number(ended - started) / operations };
}

/** @type {import('../harness/types.js').Trial} */
module.exports = {
  name: 'jobs-durable',
  title: 'Jobs on disk',
  description:
    'Jobs with an object of 93 bytes are added, 128 at a time, and then worked on, 128 at a time, by a function that does ' +
    'nothing. hotpath answers when a job is on the disk, and hands it out when that is on the disk; Redis brings what it ' +
    'has told to the disk once a second (`appendfsync everysec`).',
  settings: {
    smoke: { rounds: 1, operations: 200, workers: 16, inFlight: 16 },
    quick: { rounds: 3, operations: 30_000, workers: 128, inFlight: 128 },
    full: { rounds: 7, operations: 100_000, workers: 128, inFlight: 128 },
  },
  cases: { users: { title: '128 at a time' } },
  measures: {
    time: { label: 'time to do a job', unit: 'nanoseconds', better: 'lower', chart: true },
    add: { label: 'time to add a job', unit: 'nanoseconds', better: 'lower', chart: true },
  },
  floors: [
    { measure: 'time', against: 'bullmq', atLeast: 3, headline: 'durable background jobs' },
    { measure: 'add', against: 'bullmq', atLeast: 1 },
  ],
  contenders: { hotpath, bullmq },

  check: (context) =>
    withQueue(context, async (queue) => {
      const { done } = await work(queue, context.settings);
      return digestOf(done.sort((a, b) => a - b));
    }),

  run: (context) =>
    withQueue(context, async (queue) => {
      const { done, add, time } = await work(queue, context.settings);
      return { measures: { time, add }, checksum: done.length };
    }),
};
