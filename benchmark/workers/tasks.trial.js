const { user } = require('../workload/users.js');
const { hotpath, piscina, tinypool } = require('./contenders.js');
const { digestOfAnswers, inFlightOf, taskMeasures, timedTasks, withPool } = require('./running.js');

/** @param {import('../harness/types.js').Settings} settings */
function dataOf({ payload }) {
  return payload === 'users'
    ? (/** @type {number} */ index) => user(index & 1023)
    : (/** @type {number} */ index) => index;
}

/** @type {import('../harness/types.js').Trial} */
module.exports = {
  name: 'tasks',
  title: 'Tasks that do nothing',
  description:
    'A function that returns its argument, in two worker threads: what is left is the cost of the pool. With 64 in flight ' +
    'a new task begins whenever one is answered; one at a time, the next begins when the last was answered.',
  settings: {
    smoke: { rounds: 1, operations: 500, workers: 2, work: 'identity' },
    quick: { rounds: 5, operations: 100_000, workers: 2, work: 'identity' },
    full: { rounds: 11, operations: 400_000, workers: 2, work: 'identity' },
  },
  cases: {
    flight: { title: '64 in flight, numbers', settings: { inFlight: 64, payload: 'numbers' } },
    objects: { title: '64 in flight, objects of 93 bytes', settings: { inFlight: 64, payload: 'users' } },
    serial: { title: 'one at a time, numbers', settings: { inFlight: 1, payload: 'numbers' } },
  },
  measures: taskMeasures,
  floors: [
    {
      measure: 'time',
      case: 'flight',
      against: 'piscina',
      atLeast: 5,
      moonshot: 10,
      headline: 'worker tasks, 64 in flight',
    },
    { measure: 'time', case: 'flight', against: 'tinypool', atLeast: 4, moonshot: 10 },
    { measure: 'time', case: 'serial', against: 'piscina', atLeast: 1.4, headline: 'worker tasks, one at a time' },
    { measure: 'main', case: 'flight', against: 'piscina', atLeast: 3 },
  ],
  contenders: { hotpath, piscina, tinypool },

  check: (context) =>
    withPool(context, async (pool) => {
      const data = dataOf(context.settings);
      return digestOfAnswers(await inFlightOf(500, context.settings.inFlight, (index) => pool.run(data(index))));
    }),

  run: (context) =>
    withPool(context, async (pool) => {
      const data = dataOf(context.settings);
      const { measures, answers } = await timedTasks(context.settings, (index) => pool.run(data(index)));
      return { measures, checksum: answers.length };
    }),
};
