const { inFlightMeasures } = require('../harness/in-flight.js');
const { asking } = require('./redis-asking.js');
const { hotpath, ioredis, nodeRedis } = require('./redis-contenders.js');

const BATCH = 100;

/** @type {import('../harness/types.js').Trial} */
module.exports = {
  name: 'redis-get-many',
  title: 'Redis: a hundred keys at once',
  description:
    '`getMany` of 100 users in a row, eight at a time, against `mget` of node-redis and ioredis with the JSON parsed. ' +
    'Each process has a server of its own.',
  settings: {
    smoke: { rounds: 1, entries: 500, operations: 100, inFlight: 8 },
    quick: { rounds: 5, entries: 10_000, operations: 4_000, inFlight: 8 },
    full: { rounds: 11, entries: 10_000, operations: 20_000, inFlight: 8 },
  },
  cases: { native: { title: 'native format' } },
  measures: inFlightMeasures('100 keys'),
  floors: [{ measure: 'time', against: 'ioredis', atLeast: 1.5, headline: 'Redis, 100 keys at once' }],
  contenders: { hotpath, 'node-redis': nodeRedis, ioredis },
  ...asking(async (cache, keys, id) => {
    const from = Math.min(id, keys.length - BATCH);
    let sum = 0;
    for (const found of await cache.getMany(keys.slice(from, from + BATCH))) sum += found.visits;
    return sum;
  }),
};
