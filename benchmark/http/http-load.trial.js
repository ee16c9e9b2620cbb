const { digestOf } = require('../harness/digest.js');
const generators = require('./generators.js');
const { startNginx } = require('./nginx.js');

const options = () => ({});

/** @param {keyof typeof generators} name */
const contender = (name) => ({ package: name, options, open: () => generators[name] });

/** @param {any} context @param {number} seconds */
async function loaded({ open, settings }, seconds) {
  const server = await startNginx();
  try {
    const result = await open()({ url: server.url, seconds, connections: settings.inFlight });
    if (result.failures > 0) throw new Error(`${result.failures} requests failed`);
    return result;
  } finally {
    await server.stop();
  }
}

/** @type {import('../harness/types.js').Trial} */
module.exports = {
  name: 'http-load',
  title: 'Making load',
  description:
    'A closed loop of requests from one thread against nginx, which answers 17 bytes: what a load generator itself costs ' +
    'per request, in processor time of all its threads, and how many requests it makes. wrk and nginx are the programs of ' +
    'the distribution.',
  settings: {
    smoke: { rounds: 1, inFlight: 8 },
    quick: { rounds: 3, inFlight: 16 },
    full: { rounds: 7, inFlight: 16 },
  },
  cases: { closed: { title: 'closed loop' } },
  measures: {
    processor: { label: 'processor time per request', unit: 'nanoseconds', better: 'lower', chart: true },
    rate: { label: 'requests', unit: 'perSecond', better: 'higher' },
  },
  floors: [
    { measure: 'processor', against: 'wrk', atMost: 1.3, headline: 'a request of a load test, in processor time' },
    { measure: 'processor', against: 'autocannon', atLeast: 1 / 0.6 },
    { measure: 'rate', against: 'wrk', atLeast: 0.8 },
  ],
  contenders: /** @type {any} */ ({
    hotpath: contender('hotpath'),
    wrk: contender('wrk'),
    autocannon: contender('autocannon'),
  }),

  async check(context) {
    const { requests, failures } = await loaded(context, 1);
    return digestOf([requests > 0, failures]);
  },

  async run(context) {
    const seconds = context.job.mode === 'smoke' ? 1 : 4;
    const { requests, seconds: took, processorSeconds } = await loaded(context, seconds);
    return { measures: { processor: (processorSeconds * 1e9) / requests, rate: requests / took } };
  },
};
