const { inFlightMeasures } = require('../harness/in-flight.js');
const { askingDisk } = require('./disk-asking.js');
const { hotpath, keyvSqlite, lmdbJs, bytesFor } = require('./disk-contenders.js');

/** @type {import('../harness/types.js').Trial} */
module.exports = {
  name: 'disk-set',
  title: 'Disk: writes, 64 in flight',
  description:
    'One of the keys is overwritten, with 64 writes always under way. lmdb-js has no time to live, no limit and no checksums. hotpath survives kill -9, and loses at most the last ' +
    'moments to a power failure.',
  settings: {
    smoke: { rounds: 1, entries: 500, operations: 1_000, inFlight: 64 },
    quick: { rounds: 5, entries: 20_000, operations: 20_000, inFlight: 64 },
    full: { rounds: 11, entries: 100_000, operations: 200_000, inFlight: 64 },
  },
  cases: { bytes: { title: '1 KB of bytes' } },
  measures: inFlightMeasures('set'),
  floors: [
    { measure: 'time', against: 'lmdb-js', atLeast: 0.6 },
    { measure: 'time', against: 'keyv + SQLite', atLeast: 4 },
  ],
  contenders: { hotpath, 'lmdb-js': lmdbJs, 'keyv + SQLite': keyvSqlite },
  ...askingDisk(async (cache, keys, id) => {
    await cache.set(keys[id], bytesFor(id));
    return id;
  }),
};
