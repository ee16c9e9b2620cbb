const { inFlightMeasures } = require('../harness/in-flight.js');
const { asking } = require('./redis-asking.js');
const { bareIoredis, cacheService } = require('./cache-service-contenders.js');

const BATCH = 100;

/** @type {import('../harness/types.js').Trial} */
module.exports = {
  name: 'cache-service-mget',
  title: 'CacheService on Redis: `mget` of a hundred keys',
  description:
    'Reads of 100 users in a row, eight at a time, against `mget` of ioredis with JSON. Each process has a server of its own.',
  settings: {
    smoke: { rounds: 1, entries: 500, operations: 100, inFlight: 8 },
    quick: { rounds: 5, entries: 10_000, operations: 4_000, inFlight: 8 },
    full: { rounds: 11, entries: 10_000, operations: 20_000, inFlight: 8 },
  },
  cases: { objects: { title: 'objects of 93 bytes' } },
  measures: inFlightMeasures('100 keys'),
  floors: [{ measure: 'time', against: 'ioredis', atLeast: 1.5, headline: 'CacheService, `mget` of 100' }],
  contenders: { hotpath: cacheService, ioredis: bareIoredis },
  ...asking(async (cache, keys, id) => {
    const from = Math.min(id, keys.length - BATCH);
    let sum = 0;
    const hits = await cache.mget(keys.slice(from, from + BATCH));
    for (const key in hits) sum += hits[key].visits;
    return sum;
  }),
};
