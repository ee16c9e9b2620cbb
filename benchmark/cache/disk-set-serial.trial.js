const { inFlightMeasures } = require('../harness/in-flight.js');
const { askingDisk } = require('./disk-asking.js');
const { hotpath, keyvSqlite, lmdbJs, bytesFor } = require('./disk-contenders.js');

/** @type {import('../harness/types.js').Trial} */
module.exports = {
  name: 'disk-set-serial',
  title: 'Disk: writes, one after the other',
  description:
    'One of the keys is overwritten and waited for. lmdb-js has no time to live, no limit and no checksums. hotpath survives kill -9, and loses at most the last ' +
    'moments to a power failure.',
  settings: {
    smoke: { rounds: 1, entries: 500, operations: 200, inFlight: 1 },
    quick: { rounds: 5, entries: 20_000, operations: 2_000, inFlight: 1 },
    full: { rounds: 11, entries: 100_000, operations: 20_000, inFlight: 1 },
  },
  cases: { bytes: { title: '1 KB of bytes' } },
  measures: inFlightMeasures('set'),
  floors: [{ measure: 'time', against: 'keyv + SQLite', atLeast: 5 }],
  contenders: { hotpath, 'lmdb-js': lmdbJs, 'keyv + SQLite': keyvSqlite },
  ...askingDisk(async (cache, keys, id) => {
    await cache.set(keys[id], bytesFor(id));
    return id;
  }),
};
