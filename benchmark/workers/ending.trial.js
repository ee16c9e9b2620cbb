const { fork } = require('node:child_process');
const { once } = require('node:events');
const path = require('node:path');
const { hotpath, piscina, tinypool } = require('./contenders.js');
const { digestOfAnswers, withPool } = require('./running.js');

const CHILD = path.join(__dirname, 'ending.child.js');

/** How long a process takes to exit. @param {import('../harness/types.js').Job} job */
async function exitTime(job) {
  const child = fork(CHILD, [JSON.stringify(job)]);
  const gone = once(child, 'exit');
  await once(child, 'message');
  const before = process.hrtime.bigint();
  await gone;
  return Number(process.hrtime.bigint() - before) / 1e6;
}

/** @type {import('../harness/types.js').Trial} */
module.exports = {
  name: 'ending',
  title: 'The end of a pool',
  description:
    'How long `terminate` takes, and how long a process takes to exit that calls `process.exit()`, with two workers that ' +
    'have nothing to do, that compute for ever, or that wait for ever.',
  settings: {
    smoke: { rounds: 1, workers: 2, work: 'work' },
    quick: { rounds: 5, workers: 2, work: 'work' },
    full: { rounds: 15, workers: 2, work: 'work' },
  },
  cases: {
    idle: { title: 'idle workers', settings: { payload: 'idle' } },
    busy: { title: 'workers that compute', settings: { payload: 'busy' } },
    waiting: { title: 'workers that wait', settings: { payload: 'waiting' } },
  },
  measures: {
    terminate: { label: 'time to terminate', unit: 'milliseconds', better: 'lower', chart: true },
    exit: { label: 'time to exit', unit: 'milliseconds', better: 'lower' },
  },
  floors: [
    { measure: 'terminate', atMost: 250 },
    { measure: 'exit', atMost: 250 },
  ],
  contenders: { hotpath, piscina, tinypool },

  check: (context) => withPool(context, async (pool) => digestOfAnswers([await pool.run('idle')])),

  async run({ open, settings, job }) {
    const pool = await open();
    await pool.run('idle');
    if (settings.payload !== 'idle') {
      for (let index = 0; index < settings.workers; index += 1) pool.run(settings.payload).catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const before = process.hrtime.bigint();
    await pool.close();
    const terminate = Number(process.hrtime.bigint() - before) / 1e6;
    return { measures: { terminate, exit: await exitTime(job) } };
  },
};
