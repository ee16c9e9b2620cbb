const { inFlightMeasures } = require('../harness/in-flight.js');
const { user } = require('../workload/users.js');
const { asking } = require('./redis-asking.js');
const { hotpath, ioredis, nodeRedis } = require('./redis-contenders.js');

/** @type {import('../harness/types.js').Trial} */
module.exports = {
  name: 'redis-set',
  title: 'Redis: writes of objects, 128 in flight',
  description:
    'One of 10,000 users is made and written, with 128 writes always under way; the peers store JSON. Each process has a ' +
    'server of its own.',
  settings: {
    smoke: { rounds: 1, entries: 500, operations: 2_000, inFlight: 16 },
    quick: { rounds: 5, entries: 10_000, operations: 100_000, inFlight: 128 },
    full: { rounds: 11, entries: 10_000, operations: 500_000, inFlight: 128 },
  },
  cases: { native: { title: 'native format' } },
  measures: inFlightMeasures('set'),
  floors: [
    { measure: 'time', against: 'node-redis', atLeast: 1.2 },
    { measure: 'time', against: 'ioredis', atLeast: 1.4 },
    { measure: 'mainThread', against: 'node-redis', atMost: 0.7 },
    { measure: 'mainThread', against: 'ioredis', atMost: 0.7 },
  ],
  contenders: { hotpath, 'node-redis': nodeRedis, ioredis },
  ...asking(async (cache, keys, id) => {
    await cache.set(keys[id], user(id));
    return id;
  }),
};
