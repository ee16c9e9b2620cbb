const { randomUUID } = require('node:crypto');
const { digestOf } = require('../harness/digest.js');
const { STEADY, collect } = require('../harness/memory.js');

/** @param {number} id */
function makeObject(id) {
  return { id, name: `Object ${id}`, data: { value: id / 7, tags: ['a', `tag ${id % 50}`] } };
}

/** @type {any} */
const hotpath = {
  package: 'hotpath',
  options: () => ({ batchSize: 100 }),
  open(/** @type {any} */ options) {
    const { MemoryDataProvider, OptimizedDataService } = require('../..');
    const provider = new MemoryDataProvider();
    const service = new OptimizedDataService(provider, options);
    return {
      addBatch: (/** @type {any[]} */ objects) => service.addBatch('objects', objects),
      get: (/** @type {string} */ uuid) => provider.getByUuid('objects', uuid),
    };
  },
};

/** A promise for each object, and the objects in a Map: batches as they are usually written. @type {any} */
const promises = {
  package: 'hotpath',
  options: () => ({ batchSize: 100 }),
  open(/** @type {any} */ { batchSize }) {
    /** @type {Map<string, any>} */
    const stored = new Map();
    const add = async (/** @type {any} */ object) => {
      const uuid = randomUUID();
      stored.set(uuid, object);
      return uuid;
    };
    return {
      async addBatch(/** @type {any[]} */ objects) {
        const batches = [];
        for (let from = 0; from < objects.length; from += batchSize)
          batches.push(objects.slice(from, from + batchSize));
        const results = await Promise.all(batches.map((batch) => Promise.all(batch.map(add))));
        return results.flat();
      },
      get: (/** @type {string} */ uuid) => Promise.resolve(stored.get(uuid)),
    };
  },
};

/** @type {import('../harness/types.js').Trial} */
module.exports = {
  name: 'add-batch',
  title: 'Many objects at once',
  description:
    'A hundred thousand objects are added with one `addBatch`, then let go of: the heap is what they take where they are ' +
    'stored. The other side makes a promise for each and keeps the objects in a Map.',
  settings: {
    smoke: { rounds: 1, entries: 1_000 },
    quick: { rounds: 7, entries: 100_000 },
    full: { rounds: 15, entries: 100_000 },
  },
  cases: { objects: { title: '100,000 objects' } },
  measures: {
    time: { label: 'time per object', unit: 'nanoseconds', better: 'lower', chart: true },
    heap: { label: 'JavaScript heap of what is stored', unit: 'bytes', better: 'lower', chart: true },
  },
  floors: [
    { measure: 'time', against: 'a promise each', atLeast: 1, headline: '`addBatch` of 100,000 objects' },
    { measure: 'heap', against: 'a promise each', atLeast: 5 },
  ],
  contenders: { hotpath, 'a promise each': promises },
  nodeOptions: STEADY.filter((flag) => flag === '--expose-gc'),

  async check({ open, settings }) {
    const store = /** @type {any} */ (open());
    const objects = Array.from({ length: Math.min(settings.entries, 1_000) }, (_, id) => makeObject(id));
    const uuids = await store.addBatch(objects);
    return digestOf(await Promise.all(uuids.map(store.get)));
  },

  async run({ open, settings }) {
    const warm = /** @type {any} */ (open());
    await warm.addBatch(Array.from({ length: settings.entries / 10 }, (_, id) => makeObject(id)));
    const store = /** @type {any} */ (open());
    collect();
    const heapBefore = process.memoryUsage().heapUsed;
    const time = await timedAddition(store, settings.entries);
    collect();
    const heap = Math.max(1, process.memoryUsage().heapUsed - heapBefore);
    if ((await store.get('none')) !== undefined) throw new Error('The store must still be there');
    return { measures: { time, heap } };
  },
};

/** In a function of its own, so that nothing here holds on to the objects. @param {any} store @param {number} entries */
async function timedAddition(store, entries) {
  const objects = Array.from({ length: entries }, (_, id) => makeObject(id));
  const before = process.hrtime.bigint();
  await store.addBatch(objects);
  return Number(process.hrtime.bigint() - before) / entries;
}
