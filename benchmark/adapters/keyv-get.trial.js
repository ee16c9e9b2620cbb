const { inFlightMeasures } = require('../harness/in-flight.js');
const { userKey } = require('../workload/users.js');
const { createKeyv, keyv, keyvStore } = require('./contenders.js');
const { askingKeyv } = require('./keyv-trials.js');

/** @type {import('../harness/types.js').Trial} */
module.exports = {
  name: 'keyv-get',
  title: 'Keyv: reads of objects',
  description:
    'Users, read one after the other: a Keyv over KeyvStore, the same made by createKeyv, which does without JSON, and a ' +
    'Keyv as it comes, over a Map.',
  settings: {
    smoke: { rounds: 1, entries: 500, operations: 2_000 },
    quick: { rounds: 5, entries: 20_000, operations: 100_000 },
    full: { rounds: 11, entries: 20_000, operations: 500_000 },
  },
  cases: {
    hot: { title: '2,000 hot users', settings: { hot: 2_000 } },
    even: { title: '20,000 users evenly' },
  },
  measures: inFlightMeasures('get'),
  floors: [
    { measure: 'time', case: 'hot', against: 'keyv', atLeast: 2, moonshot: 4, headline: 'Keyv over KeyvStore, `get`' },
    { measure: 'time', case: 'even', against: 'keyv', atLeast: 1.5 },
  ],
  contenders: { hotpath: keyvStore, createKeyv, keyv },
  ...askingKeyv(async (cache, ids, index) => (await cache.get(userKey(ids[index]))).visits),
};
