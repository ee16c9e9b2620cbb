const { inFlightMeasures } = require('../harness/in-flight.js');
const { userKey, user } = require('../workload/users.js');
const { createKeyv, keyv, keyvStore } = require('./contenders.js');
const { askingKeyv } = require('./keyv-trials.js');

/** @type {import('../harness/types.js').Trial} */
module.exports = {
  name: 'keyv-set',
  title: 'Keyv: writes of objects',
  description:
    'Users are made and written one after the other. Keyv turns each into JSON before its store sees it, whichever that ' +
    'is; createKeyv does without.',
  settings: {
    smoke: { rounds: 1, entries: 500, operations: 2_000 },
    quick: { rounds: 5, entries: 20_000, operations: 100_000 },
    full: { rounds: 11, entries: 20_000, operations: 500_000 },
  },
  cases: {
    hot: { title: '2,000 hot users', settings: { hot: 2_000 } },
    even: { title: '20,000 users evenly' },
  },
  measures: inFlightMeasures('set'),
  floors: [],
  contenders: { hotpath: keyvStore, createKeyv, keyv },
  ...askingKeyv(async (cache, ids, index) => {
    await cache.set(userKey(ids[index]), user(ids[index]));
    return ids[index];
  }),
};
