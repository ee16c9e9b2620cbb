// Factors that the documents promise, against plain JavaScript that does the same with the same answers.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const v8 = require('node:v8');
const vm = require('node:vm');
const hotpath = require('../..');

/** @typedef {import('./index.js').Row} Row */

/** @param {() => unknown} work in milliseconds */
async function timed(work) {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

/** The middle of three. @param {() => Promise<number>} measure */
async function median(measure) {
  const values = [await measure(), await measure(), await measure()];
  return values.sort((a, b) => a - b)[1];
}

/** @returns {Promise<Row[]>} */
async function factors() {
  return [await batches(), await similarity(), ...memory(), ...(await workers())];
}

/** Objects into a durable store, one by one and as a batch. @returns {Promise<Row>} */
async function batches() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'hotpath-headline-'));
  const provider = new hotpath.DiskDataProvider(folder);
  const service = new hotpath.OptimizedDataService(provider, { batchSize: 1000 });
  const objects = Array.from({ length: 2000 }, (_, id) => ({ id, name: `object ${id}`, tags: ['a', 'b'] }));
  try {
    const value = await median(async () => {
      const single = await timed(async () => {
        for (const object of objects) await provider.add('single', object);
      });
      return single / (await timed(() => service.addBatch('batch', objects)));
    });
    const how = '2,000 objects into a store on disk: awaited one by one, and as one addBatch';
    return {
      document: '002',
      what: 'large data sets in batches',
      target: '10x faster',
      value,
      unit: 'x',
      met: value >= 10,
      how,
    };
  } finally {
    await provider.close();
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** @returns {Promise<Row>} */
async function similarity() {
  const entities = Array.from({ length: 400 }, (_, id) => ({
    id,
    vector: Array.from({ length: 200 }, (_, item) => ((id * 7919 + item * 104_729) % 1013) / 100),
  }));
  const engine = new hotpath.ParallelProcessingEngine();
  const data = { entities, algorithm: 'pearson', options: { minSimilarity: 0.1 } };
  try {
    const answer = await engine.executeTask('similarity_calculation', data);
    const found = pearsonPairs(entities, 0.1);
    const native = (answer.pairs ?? answer).length;
    if (Math.abs(native - found) > found / 1000) throw new Error(`${native} pairs instead of ${found}`);
    const value = await median(async () => {
      const plain = await timed(() => pearsonPairs(entities, 0.1));
      return plain / (await timed(() => engine.executeTask('similarity_calculation', data)));
    });
    const how = 'Pearson of all pairs of 400 entities with 200 values, against loops in JavaScript';
    return { document: '002', what: 'similarity', target: '5x faster', value, unit: 'x', met: value >= 5, how };
  } finally {
    await engine.close();
  }
}

/** How many pairs are at least so similar. @param {{ vector: number[] }[]} entities @param {number} least */
function pearsonPairs(entities, least) {
  let pairs = 0;
  for (let i = 0; i < entities.length; i++) {
    for (let j = i + 1; j < entities.length; j++) if (pearson(entities[i].vector, entities[j].vector) >= least) pairs++;
  }
  return pairs;
}

/** @param {number[]} a @param {number[]} b */
function pearson(a, b) {
  const n = a.length;
  let [sumA, sumB] = [0, 0];
  for (let k = 0; k < n; k++) {
    sumA += a[k];
    sumB += b[k];
  }
  const [meanA, meanB] = [sumA / n, sumB / n];
  let [product, squareA, squareB] = [0, 0, 0];
  for (let k = 0; k < n; k++) {
    const [x, y] = [a[k] - meanA, b[k] - meanB];
    product += x * y;
    squareA += x * x;
    squareB += y * y;
  }
  return product / Math.sqrt(squareA * squareB);
}

/** @returns {Row[]} */
function memory() {
  const user = (/** @type {number} */ id) => {
    return { id, name: `user ${id}`, email: `user${id}@example.com`, roles: ['a', 'b'], visits: id };
  };
  const answer = (/** @type {number} */ id) => ({
    page: id,
    users: Array.from({ length: 20 }, (_, k) => user(id * 20 + k)),
  });
  const cases = /** @type {[string, number, (id: number) => object, object, string][]} */ ([
    ['memory, small objects', 200_000, user, {}, '200,000 users'],
    ['memory, lists', 20_000, answer, { compression: true }, '20,000 lists of 20 users, compressed'],
  ]);
  return cases.map(([what, count, make, options, objects]) => {
    const value = saved(count, make, options);
    const how = `${objects}: bytes of MemoryCache, against the heap of a Map`;
    return { document: '002', what, target: '50 % less', value, unit: '%', met: value >= 50, how };
  });
}

/** How much less a cache takes than a Map, in percent. @param {number} count @param {(id: number) => object} make @param {object} options */
function saved(count, make, options) {
  v8.setFlagsFromString('--expose-gc');
  const collect = vm.runInNewContext('gc');
  collect();
  const before = process.memoryUsage().heapUsed;
  /** @type {Map<string, object>} */
  const map = new Map();
  for (let id = 0; id < count; id++) map.set(`key:${id}`, make(id));
  collect();
  const plain = process.memoryUsage().heapUsed - before;
  const cache = new hotpath.MemoryCache({ maxMemoryMB: 512, nearCache: false, ...options });
  for (const [key, value] of map) cache.set(key, value);
  const { bytes, entries } = cache.stats;
  cache.close();
  if (entries !== map.size) throw new Error(`${entries} entries instead of ${map.size}`);
  return (1 - bytes / plain) * 100;
}

/** @returns {Promise<Row[]>} */
async function workers() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'hotpath-headline-'));
  const file = path.join(folder, 'worker.js');
  fs.writeFileSync(file, 'module.exports = (data) => data;');
  const pool = new hotpath.WorkerPool(file, { maxWorkers: 2, minWorkers: 1 });
  try {
    const first = await timed(() => pool.execute(0));
    await Promise.all(Array.from({ length: 500 }, (_, index) => pool.execute(index)));
    const later = await median(() => timed(() => pool.execute(1)));
    const reuse = Number.parseFloat(pool.getStats().performance.reuseRate);
    return [
      {
        document: '003',
        what: 'worker reuse',
        target: '95 %',
        value: reuse,
        unit: '%',
        met: reuse >= 95,
        how: '501 tasks, at most two workers',
      },
      {
        document: '003',
        what: 'a task of a warm worker',
        target: '5 ms',
        value: later,
        unit: 'ms',
        met: later <= 5,
        how: `the first took ${first.toFixed(0)} ms, as a worker had to start`,
      },
    ];
  } finally {
    await pool.terminate();
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

module.exports = { factors };
