const { hotpath } = require('./contenders.js');
const { digestOfAnswers, inFlightOf, taskMeasures, timedTasks, withPool } = require('./running.js');

/** @type {import('../harness/types.js').Contender} */
const fresh = {
  ...hotpath,
  options: (settings) => hotpath.options({ ...settings, reuseWorkers: false }),
};

/** @type {import('../harness/types.js').Trial} */
module.exports = {
  name: 'worker-reuse',
  title: 'A reused worker against a new one',
  description:
    'Tasks that return their argument, one at a time, in a worker that is kept, and in a worker of their own that is ' +
    'started for each (`reuseWorkers: false`). Document 003 speaks of 5 ms against 50 ms.',
  settings: {
    smoke: { rounds: 1, operations: 3, inFlight: 1, workers: 1, work: 'identity' },
    quick: { rounds: 5, operations: 40, inFlight: 1, workers: 1, work: 'identity' },
    full: { rounds: 11, operations: 200, inFlight: 1, workers: 1, work: 'identity' },
  },
  cases: { serial: { title: 'one at a time' } },
  measures: taskMeasures,
  floors: [{ measure: 'time', against: 'a new worker', atLeast: 20 }],
  contenders: { 'a reused worker': hotpath, 'a new worker': fresh },

  check: (context) =>
    withPool(context, async (pool) => digestOfAnswers(await inFlightOf(3, 1, (index) => pool.run(index)))),

  run: (context) =>
    withPool(context, async (pool) => {
      const { measures, answers } = await timedTasks(context.settings, (index) => pool.run(index));
      return { measures, checksum: answers.length };
    }),
};
