const { inFlightMeasures } = require('../harness/in-flight.js');
const { askingDisk } = require('./disk-asking.js');
const { hotpath, lmdbJs } = require('./disk-contenders.js');

/** @type {import('../harness/types.js').Trial} */
module.exports = {
  name: 'disk-get-sync',
  title: 'Disk: synchronous reads',
  description:
    'One of the keys is read at once. lmdb-js has no time to live, no limit and no checksums. hotpath survives kill -9, and loses at most the last ' +
    'moments to a power failure.',
  settings: {
    smoke: { rounds: 1, entries: 500, operations: 2_000, inFlight: 1 },
    quick: { rounds: 5, entries: 20_000, operations: 100_000, inFlight: 1 },
    full: { rounds: 11, entries: 100_000, operations: 1_000_000, inFlight: 1 },
  },
  cases: { bytes: { title: '1 KB of bytes' } },
  measures: inFlightMeasures('getSync'),
  floors: [{ measure: 'time', against: 'lmdb-js', atLeast: 0.7 }],
  contenders: { hotpath, 'lmdb-js': lmdbJs },
  ...askingDisk(async (cache, keys, id) => {
    cache.getSync(keys[id]);
    return id;
  }),
};
