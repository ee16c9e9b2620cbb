const { hotpath, piscina, tinypool } = require('./contenders.js');
const { digestOfAnswers, withPool } = require('./running.js');

/** @type {import('../harness/types.js').Trial} */
module.exports = {
  name: 'cold-start',
  title: 'Cold start',
  description:
    'From loading the package to the first answer, in a process that has done nothing before, with one worker thread.',
  settings: {
    smoke: { rounds: 1, workers: 1, work: 'identity' },
    quick: { rounds: 9, workers: 1, work: 'identity' },
    full: { rounds: 31, workers: 1, work: 'identity' },
  },
  cases: { first: { title: 'the first answer' } },
  measures: { start: { label: 'time to the first answer', unit: 'milliseconds', better: 'lower', chart: true } },
  floors: [{ measure: 'start', against: 'piscina', atLeast: 1 }],
  contenders: { hotpath, piscina, tinypool },

  check: (context) => withPool(context, async (pool) => digestOfAnswers([await pool.run(7)])),

  async run(context) {
    const before = process.hrtime.bigint();
    return withPool(context, async (pool) => {
      const answer = await pool.run(7);
      const start = Number(process.hrtime.bigint() - before) / 1e6;
      return { measures: { start }, checksum: answer };
    });
  },
};
