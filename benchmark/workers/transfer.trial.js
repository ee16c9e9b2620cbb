const { hotpath, piscina, tinypool } = require('./contenders.js');
const { digestOfAnswers, inFlightOf, taskMeasures, timedTasks, withPool } = require('./running.js');

const BYTES = 1024 * 1024;

/** @param {import('../harness/types.js').Pool} pool */
function transferred(pool) {
  const buffer = new ArrayBuffer(BYTES);
  return pool.run(buffer, [buffer]);
}

/** @type {import('../harness/types.js').Trial} */
module.exports = {
  name: 'transfer',
  title: 'A megabyte by transfer',
  description:
    'A fresh ArrayBuffer of 1 MiB is moved to one of two worker threads, which answers with its length. Eight in flight.',
  settings: {
    smoke: { rounds: 1, operations: 20, inFlight: 8, workers: 2, work: 'length' },
    quick: { rounds: 5, operations: 4_000, inFlight: 8, workers: 2, work: 'length' },
    full: { rounds: 11, operations: 20_000, inFlight: 8, workers: 2, work: 'length' },
  },
  cases: { megabyte: { title: '1 MiB' } },
  measures: taskMeasures,
  floors: [{ measure: 'time', against: 'piscina', atLeast: 1 }],
  contenders: { hotpath, piscina, tinypool },

  check: (context) =>
    withPool(context, async (pool) => digestOfAnswers(await inFlightOf(20, 8, () => transferred(pool)))),

  run: (context) =>
    withPool(context, async (pool) => {
      const { measures, answers } = await timedTasks(context.settings, () => transferred(pool));
      return { measures, checksum: answers.reduce((sum, length) => sum + length, 0) };
    }),
};
