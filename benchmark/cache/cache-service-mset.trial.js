const { inFlightMeasures } = require('../harness/in-flight.js');
const { asking } = require('./redis-asking.js');
const { bareIoredis, cacheService } = require('./cache-service-contenders.js');
const { user } = require('../workload/users.js');

const BATCH = 100;

/** @type {import('../harness/types.js').Trial} */
module.exports = {
  name: 'cache-service-mset',
  title: 'CacheService on Redis: `mset` of a hundred keys',
  description:
    'Writes of 100 users in a row, eight at a time, against `mset` of ioredis with JSON. Each process has a server of its own.',
  settings: {
    smoke: { rounds: 1, entries: 500, operations: 100, inFlight: 8 },
    quick: { rounds: 5, entries: 10_000, operations: 4_000, inFlight: 8 },
    full: { rounds: 11, entries: 10_000, operations: 20_000, inFlight: 8 },
  },
  cases: { objects: { title: 'objects of 93 bytes' } },
  measures: inFlightMeasures('100 keys'),
  floors: [{ measure: 'time', against: 'ioredis', atLeast: 1.5, headline: 'CacheService, `mset` of 100' }],
  contenders: { hotpath: cacheService, ioredis: bareIoredis },
  ...asking(async (cache, keys, id) => {
    const from = Math.min(id, keys.length - BATCH);
    /** @type {Record<string, unknown>} */
    const entries = {};
    for (let at = from; at < from + BATCH; at++) entries[keys[at]] = user(at);
    await cache.mset(entries);
    return from;
  }),
};
