/** The area's trials, in the order in which they are run and read. */
module.exports = [
  'near-hot-get',
  'zipf-get',
  'native-get',
  'set',
  'get-many',
  'million',
  'threads',
  'shared-memory',
  'churn',
  'hit-ratio',
  'redis-get',
  'redis-set',
  'redis-get-many',
];
