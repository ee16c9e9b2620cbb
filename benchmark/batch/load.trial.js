const { digestOf } = require('../harness/digest.js');
const { STEADY, collect } = require('../harness/memory.js');

/** Loads that are waited for together: one batch. */
const BATCH = 100;

/** Objects that are there before anything is measured: both are given the same ones. */
const OBJECTS = Array.from({ length: 1_000 }, (_, number) => ({ number }));

/** What both stand on: answers at once, as a warm database pool nearly does. @param {readonly string[]} ids */
async function readMany(ids) {
  return ids.map((id) => OBJECTS[Number.parseInt(id.slice(-3), 10)]);
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

/** @param {Loader} loader @param {readonly string[]} ids @param {number} from */
function loadBatch(loader, ids, from) {
  const loads = new Array(BATCH);
  for (let index = 0; index < BATCH; index += 1) loads[index] = loader.load(ids[from + index]);
  return Promise.all(loads);
}

/** With keys that are new, as those of requests are. @param {Loader} loader @param {number} operations */
async function loadFresh(loader, operations) {
  for (let from = 0; from < operations; from += BATCH) await loadBatch(loader, idsOf(BATCH, from), 0);
}

/** @param {Loader} loader @param {readonly string[]} ids */
async function loadAll(loader, ids) {
  for (let from = 0; from < ids.length; from += BATCH) await loadBatch(loader, ids, from);
}

/** @param {number} count @param {number} [from] */
function idsOf(count, from = 0) {
  return Array.from({ length: count }, (_, index) => `user:${from + index}`);
}

/** A promise that is there already: what is left is the waiting. */
const READY = Promise.resolve(OBJECTS[0]);
const waiting = { load: () => READY };

/**
 * Bytes that a load allocates on the heap, with nothing collected in between: less what the waiting for a hundred
 * promises takes, which is the same for both.
 * @param {Loader} loader
 */
async function churn(loader) {
  const loads = 5_000;
  const ids = idsOf(loads, 1e9);
  const samples = [];
  for (let round = 0; round < 21; round += 1) {
    const own = await allocated(() => loadAll(loader, ids));
    const waited = await allocated(() => loadAll(waiting, ids));
    samples.push((own - waited) / loads);
    // So that no object of this round is known in the next one.
    for (let from = 0; from < 3; from += 1) await loadAll(loader, idsOf(loads, 2e9 + from * loads));
  }
  return samples.sort((a, b) => a - b)[10];
}

/** @param {() => Promise<unknown>} work */
async function allocated(work) {
  collect();
  const before = process.memoryUsage().heapUsed;
  await work();
  return process.memoryUsage().heapUsed - before;
}

/** @type {import('../harness/types.js').Trial} */
module.exports = {
  name: 'load',
  title: 'Single loads that become batches',
  description:
    'One hundred different objects are loaded at once and waited for together; the source answers at once. Both remember ' +
    'what they have loaded. The heap is what a load allocates beside its key, the object and the waiting.',
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
  nodeOptions: [...STEADY.filter((flag) => flag === '--expose-gc'), '--max-semi-space-size=32'],

  async check({ open }) {
    const loader = /** @type {any} */ (open());
    const ids = idsOf(2 * BATCH);
    return digestOf([await loadBatch(loader, ids, 0), await loadBatch(loader, ids, BATCH / 2)]);
  },

  async run({ open, settings }) {
    const loader = /** @type {any} */ (open());
    await loadFresh(loader, settings.operations / 2);
    const before = process.hrtime.bigint();
    await loadFresh(loader, settings.operations);
    const time = Number(process.hrtime.bigint() - before) / settings.operations;
    return { measures: { time, heap: await churn(loader) } };
  },
};
