const { digestOf } = require('../harness/digest.js');

/** @type {any} */
const hotpath = {
  package: 'hotpath',
  options: ({ entries }) => ({ capacity: entries, falsePositiveRate: 0.01 }),
  open({ capacity, falsePositiveRate }) {
    const { BloomFilter } = require('../..');
    const filter = new BloomFilter(capacity, falsePositiveRate);
    return {
      add: (item) => filter.add(item),
      has: (item) => filter.has(item),
      addMany: (items) => filter.addMany(items),
      hasMany: (items) => filter.hasMany(items),
    };
  },
};

/** @type {any} */
const bloomFilters = {
  package: 'bloom-filters',
  options: hotpath.options,
  open({ capacity, falsePositiveRate }) {
    const { BloomFilter } = require('bloom-filters');
    const filter = BloomFilter.create(capacity, falsePositiveRate);
    return {
      add: (item) => filter.add(item),
      has: (item) => filter.has(item),
      addMany: (items) => items.forEach((item) => filter.add(item)),
      hasMany: (items) => items.map((item) => filter.has(item)),
    };
  },
};

/** @param {number} count */
const itemsOf = (count) => Array.from({ length: count }, (_, index) => `user:${index}`);

/** Nanoseconds an item. @param {number} count @param {() => void} work */
function timed(count, work) {
  const started = process.hrtime.bigint();
  work();
  return Number(process.hrtime.bigint() - started) / count;
}

const measure = (label) => ({ label, unit: 'nanoseconds', better: 'lower', chart: true });

/** @type {any} */
module.exports = {
  name: 'bloom-filter',
  title: 'Bloom filters',
  description: 'Filters for so many items at 1 % false positives: adding and asking, one by one and in one call.',
  settings: {
    smoke: { rounds: 1, entries: 500 },
    quick: { rounds: 5, entries: 50_000 },
    full: { rounds: 11, entries: 200_000 },
  },
  cases: { strings: { title: 'strings' } },
  measures: {
    add: measure('add'),
    has: measure('has'),
    addMany: measure('addMany, per item'),
    hasMany: measure('hasMany, per item'),
  },
  floors: ['add', 'has', 'addMany', 'hasMany'].map((name) => ({
    measure: name,
    against: 'bloom-filters',
    atLeast: 60,
  })),
  contenders: { hotpath, 'bloom-filters': bloomFilters },

  check({ open, settings }) {
    const filter = open();
    const items = itemsOf(settings.entries);
    filter.addMany(items);
    return digestOf(items.map((item) => filter.has(item)));
  },

  run({ open, settings }) {
    const items = itemsOf(settings.entries);
    open().addMany(items.slice(0, 1000));
    const [one, many] = [open(), open()];
    const addMany = () => many.addMany(items);
    const hasMany = () => many.hasMany(items);
    return {
      measures: {
        add: timed(items.length, () => items.forEach((item) => one.add(item))),
        has: timed(items.length, () => items.forEach((item) => one.has(item))),
        addMany: timed(items.length, addMany),
        hasMany: timed(items.length, hasMany),
      },
    };
  },
};
