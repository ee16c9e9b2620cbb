const { inFlightMeasures } = require('../harness/in-flight.js');
const { asking } = require('./redis-asking.js');
const { hotpath, ioredis, nodeRedis } = require('./redis-contenders.js');

/** @type {import('../harness/types.js').Trial} */
module.exports = {
  name: 'redis-get',
  title: 'Redis: reads of objects, 128 in flight',
  description:
    'One of 10,000 users is read evenly, with 128 reads always under way. The peers parse the JSON that they stored; ' +
    'ioredis with autopipelining, its quickest way. Each process has a server of its own on the same machine, which ' +
    'takes its share of the two cores.',
  settings: {
    smoke: { rounds: 1, entries: 500, operations: 2_000, inFlight: 16 },
    quick: { rounds: 5, entries: 10_000, operations: 100_000, inFlight: 128 },
    full: { rounds: 11, entries: 10_000, operations: 500_000, inFlight: 128 },
  },
  cases: { native: { title: 'native format' }, json: { title: 'JSON', settings: { format: 'json' } } },
  measures: inFlightMeasures('get'),
  floors: [
    { case: 'native', measure: 'time', against: 'node-redis', atLeast: 1.2, headline: 'Redis `get`, 128 in flight' },
    { case: 'native', measure: 'time', against: 'ioredis', atLeast: 1.4 },
    { case: 'native', measure: 'mainThread', against: 'node-redis', atMost: 0.7 },
    { case: 'native', measure: 'mainThread', against: 'ioredis', atMost: 0.7 },
  ],
  contenders: { hotpath, 'node-redis': nodeRedis, ioredis },
  ...asking(async (cache, keys, id) => (await cache.get(keys[id])).visits),
};
