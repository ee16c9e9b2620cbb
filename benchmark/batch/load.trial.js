const { digestOf } = require('../harness/digest.js');
const { STEADY, collect } = require('../harness/memory.js');

/** Loads that are waited for together: one batch. */
const BATCH = 100;

/** What both stand on: answers at once, as a warm database pool nearly does. @param {readonly string[]} ids */
async function readMany(ids) {
  return ids.map((id) => ({ id }));
}

/** @typedef {{ load(id: string): Promise<any> }} Loader */

/** @type {any} */
const hotpath = {
  package: 'hotpath',
  options: () => ({ batchSize: BATCH, loadTtlMs: 60_000 }),
  open(/** @type {any} */ options) {
    const { OptimizedDataService } = require('../..');
    const provider = {
      add: () => undefined,
      find: () => [],
      getByUuid: () => undefined,
      getMany: (/** @type {string} */ _container, /** @type {string[]} */ ids) => readMany(ids),
    };
    const service = new OptimizedDataService(provider, options);
    return { load: (/** @type {string} */ id) => service.load('users', id) };
  },
};

/** @type {any} */
const dataloader = {
  package: 'dataloader',
  options: () => ({ maxBatchSize: BATCH, cache: true }),
  open(/** @type {any} */ options) {
    const DataLoader = require('dataloader');
    // It remembers without a bound; a new one now and then is what its users do, one for each request.
    let loader = new DataLoader(readMany, options);
    let loads = 0;
    return {
      load(/** @type {string} */ id) {
        loads += 1;
        if (loads % 10_000 === 0) loader = new DataLoader(readMany, options);
        return loader.load(id);
      },
    };
  },
};

/** @param {Loader} loader @param {number} from */
function loadBatch(loader, from) {
  const loads = new Array(BATCH);
  for (let index = 0; index < BATCH; index += 1) loads[index] = loader.load(`user:${from + index}`);
  return Promise.all(loads);
}

/** @param {Loader} loader @param {number} operations */
async function loadAll(loader, operations) {
  for (let from = 0; from < operations; from += BATCH) await loadBatch(loader, from);
}

/** Bytes that were allocated on the heap while a small piece of work ran, with nothing collected in between. @param {Loader} loader */
async function churn(loader) {
  const samples = [];
  for (let round = 0; round < 21; round += 1) {
    collect();
    const before = process.memoryUsage().heapUsed;
    for (let batch = 0; batch < 5; batch += 1) await loadBatch(loader, 1e9 + (round * 5 + batch) * BATCH);
    samples.push((process.memoryUsage().heapUsed - before) / (5 * BATCH));
  }
  return samples.sort((a, b) => a - b)[10];
}

/** @type {import('../harness/types.js').Trial} */
module.exports = {
  name: 'load',
  title: 'Single loads that become batches',
  description:
    'One hundred different objects are loaded at once and waited for together; the source answers at once. Both remember ' +
    'what they have loaded. The heap is what a load allocates, its key and the object included.',
  settings: {
    smoke: { rounds: 1, operations: 2_000 },
    quick: { rounds: 5, operations: 400_000 },
    full: { rounds: 11, operations: 2_000_000 },
  },
  cases: { batches: { title: 'batches of 100' } },
  measures: {
    time: { label: 'time per load', unit: 'nanoseconds', better: 'lower', chart: true },
    heap: { label: 'heap allocated per load', unit: 'bytes', better: 'lower', chart: true },
  },
  floors: [
    { measure: 'time', against: 'dataloader', atLeast: 1.5, headline: '`load` in batches of 100' },
    { measure: 'heap', against: 'dataloader', atLeast: 2, headline: '`load`: heap allocated' },
  ],
  contenders: { hotpath, dataloader },
  nodeOptions: [...STEADY.filter((flag) => flag === '--expose-gc'), '--max-semi-space-size=16'],

  async check({ open }) {
    const loader = /** @type {any} */ (open());
    return digestOf([await loadBatch(loader, 0), await loadBatch(loader, 50)]);
  },

  async run({ open, settings }) {
    const loader = /** @type {any} */ (open());
    await loadAll(loader, settings.operations / 5);
    const before = process.hrtime.bigint();
    await loadAll(loader, settings.operations);
    const time = Number(process.hrtime.bigint() - before) / settings.operations;
    return { measures: { time, heap: await churn(loader) } };
  },
};
