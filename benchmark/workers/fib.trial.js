const { hotpath, piscina, tinypool } = require('./contenders.js');
const { digestOfAnswers, inFlightOf, taskMeasures, timedTasks, withPool } = require('./running.js');

const N = 22;

/** @type {import('../harness/types.js').Trial} */
module.exports = {
  name: 'fib',
  title: 'Tasks that compute',
  description: `The ${N}nd Fibonacci number, recursively, in two worker threads: some hundred microseconds a task, so the pool hardly matters.`,
  settings: {
    smoke: { rounds: 1, operations: 20, inFlight: 8, workers: 2, work: 'fib' },
    quick: { rounds: 5, operations: 8_000, inFlight: 8, workers: 2, work: 'fib' },
    full: { rounds: 11, operations: 40_000, inFlight: 8, workers: 2, work: 'fib' },
  },
  cases: { recursive: { title: `fib(${N})` } },
  measures: taskMeasures,
  floors: [{ measure: 'time', against: 'piscina', atLeast: 1 }],
  contenders: { hotpath, piscina, tinypool },

  check: (context) => withPool(context, async (pool) => digestOfAnswers(await inFlightOf(10, 8, () => pool.run(N)))),

  run: (context) =>
    withPool(context, async (pool) => {
      const { measures, answers } = await timedTasks(context.settings, () => pool.run(N));
      return { measures, checksum: answers.reduce((sum, value) => sum + value, 0) };
    }),
};
