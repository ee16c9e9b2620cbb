const { inFlightMeasures } = require('../harness/in-flight.js');
const { askingDisk } = require('./disk-asking.js');
const { hotpath, keyvSqlite, lmdbJs } = require('./disk-contenders.js');

/** @type {import('../harness/types.js').Trial} */
module.exports = {
  name: 'disk-get',
  title: 'Disk: reads, 64 in flight',
  description:
    'One of the keys is read, with 64 reads always under way. lmdb-js has no time to live, no limit and no checksums. hotpath survives kill -9, and loses at most the last ' +
    'moments to a power failure.',
  settings: {
    smoke: { rounds: 1, entries: 500, operations: 2_000, inFlight: 64 },
    quick: { rounds: 5, entries: 20_000, operations: 50_000, inFlight: 64 },
    full: { rounds: 11, entries: 100_000, operations: 500_000, inFlight: 64 },
  },
  cases: { bytes: { title: '1 KB of bytes' } },
  measures: inFlightMeasures('get'),
  floors: [
    { measure: 'time', against: 'lmdb-js', atLeast: 0.5 },
    { measure: 'time', against: 'keyv + SQLite', atLeast: 5 },
  ],
  contenders: { hotpath, 'lmdb-js': lmdbJs, 'keyv + SQLite': keyvSqlite },
  ...askingDisk(async (cache, keys, id) => {
    await cache.get(keys[id]);
    return id;
  }),
};
