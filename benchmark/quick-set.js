// The trials of `npm run bench`: one for what each area is for, chosen so that all of them take less than five minutes
// on two cores. Everything else is in `--full`, or runs by its name.

module.exports = [
  // memory
  'near-hot-get',
  'native-get',
  'zipf-get',
  'set',
  'hit-ratio',
  // tiers
  'disk-get',
  'redis-get',
  // adapters
  'node-cache-get',
  'keyv-get',
  // workers and jobs
  'jobs-memory',
  'jobs-durable',
  // batching and compute
  'load',
  'intents',
  'matrix-multiply',
  'pearson',
  // monitoring
  'record',
  'record-labelled',
  'scrape',
  // http
  'http-front',
];
