'use strict';

// What `hotpath bench` compares. Each side answers with a number, which must be the same for both.

const v8 = require('node:v8');
const vm = require('node:vm');

/**
 * @typedef {object} Sides
 * @property {number} operations of one call
 * @property {() => number | Promise<number>} plain
 * @property {() => number | Promise<number>} hotpath
 * @property {() => unknown} [close]
 * @property {() => Promise<{ plainValue: number, hotpathValue: number }>} [measure] instead of timing
 *
 * @typedef {object} Comparison
 * @property {string} name
 * @property {string} title
 * @property {'nanoseconds' | 'bytes'} unit
 * @property {string} plain what stands against hotpath
 * @property {() => any} open
 */

const ENTRIES = 200_000;

/** @param {number} id */
const user = (id) => ({
  id,
  name: `user ${id}`,
  email: `user${id}@example.com`,
  visits: id % 100,
  active: id % 3 === 0,
});

/** @type {Comparison} */
const heap = {
  name: 'heap',
  title: `JavaScript heap of ${ENTRIES} objects`,
  unit: 'bytes',
  plain: 'Map',
  open: () => ({
    async measure() {
      v8.setFlagsFromString('--expose-gc');
      const collect = vm.runInNewContext('gc');
      const { MemoryCache } = require('../cache/index.js');
      const used = () => {
        collect();
        return process.memoryUsage().heapUsed;
      };
      const before = used();
      const map = new Map();
      for (let id = 0; id < ENTRIES; id++) map.set(`user:${id}`, user(id));
      const plainValue = used() - before;
      const kept = map.size;
      map.clear();
      const between = used();
      const cache = new MemoryCache({ maxMemoryMB: 512 });
      for (let id = 0; id < ENTRIES; id++) cache.set(`user:${id}`, user(id));
      const hotpathValue = Math.max(1, used() - between);
      if (cache.size !== kept) throw new Error(`${cache.size} entries instead of ${kept}`);
      cache.close();
      return { plainValue, hotpathValue };
    },
  }),
};

/** @type {Comparison} */
const hot = {
  name: 'hot',
  title: 'get of a hot key, with an expiry',
  unit: 'nanoseconds',
  plain: 'Map and Date.now()',
  open() {
    const { MemoryCache } = require('../cache/index.js');
    const keys = Array.from({ length: 1000 }, (_, id) => `user:${id}`);
    const map = new Map();
    const cache = new MemoryCache();
    for (const [id, key] of keys.entries()) {
      map.set(key, { value: user(id), expires: Date.now() + 3_600_000 });
      cache.set(key, user(id), { ttlMs: 3_600_000 });
    }
    const operations = 100_000;
    /** @param {(key: string) => any} get */
    const read = (get) => {
      let sum = 0;
      for (let i = 0; i < operations; i++) sum += get(keys[(i * 7) % 1000]).visits;
      return sum;
    };
    return {
      operations,
      plain: () =>
        read((key) => {
          const entry = map.get(key);
          return entry.expires > Date.now() ? entry.value : undefined;
        }),
      hotpath: () => read((key) => cache.get(key)),
      close: () => cache.close(),
    };
  },
};

/** @type {Comparison} */
const copies = {
  name: 'copies',
  title: 'get that hands out a copy',
  unit: 'nanoseconds',
  plain: 'structuredClone',
  open() {
    const { MemoryCache } = require('../cache/index.js');
    const map = new Map();
    const cache = new MemoryCache({ nearCache: false });
    for (let id = 0; id < 1000; id++) {
      map.set(`user:${id}`, user(id));
      cache.set(`user:${id}`, user(id));
    }
    const operations = 10_000;
    /** @param {(key: string) => any} get */
    const read = (get) => {
      let sum = 0;
      for (let i = 0; i < operations; i++) sum += get(`user:${(i * 7) % 1000}`).visits;
      return sum;
    };
    return {
      operations,
      plain: () => read((key) => structuredClone(map.get(key))),
      hotpath: () => read((key) => cache.get(key)),
      close: () => cache.close(),
    };
  },
};

/** @type {Comparison} */
const intents = {
  name: 'intents',
  title: 'which of 500 patterns matches',
  unit: 'nanoseconds',
  plain: 'RegExp, one by one',
  open() {
    const { OptimizedIntentMatcher } = require('../batch/index.js');
    const list = Array.from({ length: 500 }, (_, id) => ({ id, pattern: `\\b(order|ship|return) number ${id}\\b` }));
    const expressions = list.map(({ id, pattern }) => ({ id, expression: new RegExp(pattern, 'i') }));
    const matcher = new OptimizedIntentMatcher(list);
    const operations = 200;
    // Each text is new: a cache of answers would be compared with none.
    let texts = 0;
    const text = (/** @type {number} */ i) => `please return number ${(i * 37) % 500} now, thank you ${texts++}`;
    return {
      operations,
      plain() {
        let sum = 0;
        for (let i = 0; i < operations; i++) {
          const asked = text(i);
          sum += expressions.find(({ expression }) => expression.test(asked))?.id ?? 0;
        }
        return sum;
      },
      async hotpath() {
        let sum = 0;
        for (let i = 0; i < operations; i++) sum += (await matcher.match(text(i)))?.id ?? 0;
        return sum;
      },
    };
  },
};

/** @type {Comparison} */
const matrices = {
  name: 'matrices',
  title: 'product of two matrices of 256 x 256',
  unit: 'nanoseconds',
  plain: 'three loops',
  open() {
    const { ParallelProcessingEngine } = require('../compute/index.js');
    const size = 256;
    const fill = (/** @type {number} */ seed) => Float64Array.from({ length: size * size }, (_, i) => (i * seed) % 17);
    const [a, b] = [fill(3), fill(5)];
    const engine = new ParallelProcessingEngine();
    const matrix = (/** @type {Float64Array} */ data) => ({ data, rows: size, cols: size });
    const sum = (/** @type {Float64Array} */ data) => data.reduce((total, value) => total + value, 0);
    return {
      operations: 1,
      plain() {
        const product = new Float64Array(size * size);
        for (let i = 0; i < size; i++) {
          for (let k = 0; k < size; k++) {
            const factor = a[i * size + k];
            for (let j = 0; j < size; j++) product[i * size + j] += factor * b[k * size + j];
          }
        }
        return sum(product);
      },
      async hotpath() {
        const task = { matrixA: matrix(a), matrixB: matrix(b) };
        const { data } = await engine.executeTask('matrix_multiplication', task);
        return sum(data);
      },
      close: () => engine.close(),
    };
  },
};

const COMPARISONS = [heap, hot, copies, intents, matrices];

module.exports = { COMPARISONS };
