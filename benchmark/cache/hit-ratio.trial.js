const { digestOf } = require('../harness/digest.js');
const { hitRatio, readTrace } = require('../workload/traces.js');
const { hotpath, lruCache } = require('./contenders.js');

/** Real traces, and the capacities at which policies differ on them. */
const CASES = /** @type {const} */ ([
  ['web07', 75],
  ['web07', 300],
  ['web07', 1200],
  ['multi2', 600],
  ['multi2', 1200],
  ['sprite', 200],
  ['sprite', 800],
]);

const TRACES = {
  web07: 'product pages of a shop',
  multi2: 'programs with scans and loops',
  sprite: 'a network file system',
};

/** The capacity whose figure stands in the README, for each trace. */
const HEADLINES = { web07: 300, multi2: 600, sprite: 200 };

/** @param {'adaptive' | 'tinylfu' | 'lru'} evictionPolicy @returns {import('../harness/types.js').Contender} */
const policy = (evictionPolicy) => ({
  ...hotpath,
  options: ({ capacity }) => ({ maxEntries: capacity, evictionPolicy }),
});

/** @type {import('../harness/types.js').Trial} */
module.exports = {
  name: 'hit-ratio',
  title: 'Hits on real traces',
  description:
    'Three published traces of real programs, read through caches of fixed numbers of entries: what is not there is ' +
    'written. All caches hold exactly as many entries as they are allowed to. Hashes are seeded anew in every process, ' +
    'so the ratios of the policies that sample differ a little from round to round.',
  settings: {
    smoke: { rounds: 1 },
    quick: { rounds: 3 },
    full: { rounds: 11 },
  },
  cases: Object.fromEntries(
    CASES.map(([trace, capacity]) => [
      `${trace}-${capacity}`,
      { title: `${TRACES[trace]}, ${capacity} entries`, settings: { trace, capacity } },
    ]),
  ),
  measures: { hitRatio: { label: 'hits', unit: 'percent', better: 'higher', chart: true } },
  floors: CASES.map(([trace, capacity]) => ({
    case: `${trace}-${capacity}`,
    measure: 'hitRatio',
    against: 'lru-cache',
    atLeast: 0.99,
    ...(capacity === HEADLINES[trace] && { headline: `hits of ${TRACES[trace]}` }),
  })),
  contenders: {
    hotpath: policy('adaptive'),
    'hotpath tinylfu': policy('tinylfu'),
    'hotpath lru': policy('lru'),
    'lru-cache': lruCache,
  },

  /** Caches differ in what they evict, so answers are compared where everything fits. */
  check({ open, settings }) {
    const cache = open();
    const keys = Math.floor(settings.capacity / 2);
    hitRatio(
      cache,
      Array.from({ length: 4 * keys }, (_, index) => (index * 7) % keys),
    );
    return digestOf(Array.from({ length: keys }, (_, number) => cache.get(`key:${number}`)));
  },

  async run({ open, settings }) {
    return { measures: { hitRatio: hitRatio(open(), readTrace(settings.trace)) } };
  },
};
