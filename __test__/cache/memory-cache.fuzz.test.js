'use strict';

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { openCache, uniqueName, dice } = require('../support');
const { Model, KEYS, operationOf, perform, valueOf } = require('../support/model');

// HOTPATH_FUZZ_SEED repeats one run; HOTPATH_FUZZ_STEPS makes it longer.
const STEPS = Number(process.env.HOTPATH_FUZZ_STEPS ?? 4_000);
const SEEDS = process.env.HOTPATH_FUZZ_SEED ? [Number(process.env.HOTPATH_FUZZ_SEED)] : [1, 2, 3];

const shown = (operation) =>
  JSON.stringify(operation, (_key, value) =>
    typeof value === 'string' && value.length > 40 ? `${value.length} characters` : value,
  );

const HANDLES = {
  'the default near cache': [{}],
  'no near cache': [{ nearCache: false }],
  'a tiny near cache': [{ nearCache: { maxEntries: 4 } }],
  compression: [{ compression: { algorithm: 'lz4', thresholdBytes: 64 } }],
  copies: [{ clone: true }],
  'two handles': [{}, { nearCache: { maxEntries: 8 } }],
  'three handles, one without a near cache': [{}, { nearCache: false }, { clone: true }],
};

for (const evictionPolicy of ['adaptive', 'tinylfu', 'lru']) {
  describe(`fuzz: sequences of operations against a Map, ${evictionPolicy}`, () => {
    for (const [what, handles] of Object.entries(HANDLES)) {
      it(what, (t) => {
        for (const seed of SEEDS) {
          const random = dice(seed);
          const name = handles.length > 1 ? uniqueName('fuzz') : undefined;
          const caches = handles.map((options) =>
            openCache(t, { name, evictionPolicy, maxEntries: 10_000, ...options }),
          );
          const model = new Model();
          for (let step = 0; step < STEPS; step += 1) {
            const operation = operationOf(random, step);
            const where = `seed ${seed}, step ${step}: ${shown(operation)}`;
            const cache = random.pick(caches);
            assert.deepEqual(perform(cache, operation), perform(model, operation), where);
            assert.equal(cache.size, model.size, where);
            if (step % 500 === 0) for (const each of caches) each.validate();
          }
          for (const each of caches) {
            each.validate();
            assert.deepEqual(perform(each, ['entries']), model.entries(), `seed ${seed}, at the end`);
          }
          caches[0].clear();
          assert.equal(caches[0].size, 0);
          assert.equal(caches[0].stats.bytes, 0);
        }
      });
    }
  });

  describe(`fuzz: a cache that is too small, ${evictionPolicy}`, () => {
    for (const [what, limits] of Object.entries({ entries: { maxEntries: 9 }, bytes: { maxBytes: 12_000 } })) {
      it(`bounded by ${what}: what is found is what was last written`, (t) => {
        for (const seed of SEEDS) {
          const random = dice(seed + 1_000);
          const name = uniqueName('fuzz');
          const caches = [{}, { nearCache: { maxEntries: 8 } }].map((options) =>
            openCache(t, { name, evictionPolicy, ...limits, ...options }),
          );
          const written = new Map();
          let hits = 0;
          for (let step = 0; step < STEPS; step += 1) {
            const cache = random.pick(caches);
            const key = random.pick(KEYS);
            const where = `seed ${seed}, step ${step}, key ${JSON.stringify(key)}`;
            const action = random.below(20);
            if (action < 8) {
              const value = valueOf(random, step);
              if (cache.set(key, value)) written.set(key, value);
              else written.delete(key);
            } else if (action < 9) {
              cache.delete(key);
              written.delete(key);
            } else if (action < 10) {
              const value = cache.take(key);
              if (value !== undefined) assert.deepEqual(value, written.get(key), where);
              written.delete(key);
            } else {
              const there = cache.has(key);
              const value = action < 12 ? cache.peek(key) : cache.get(key);
              assert.equal(there || value === undefined, true, where);
              if (there) {
                hits += 1;
                assert.ok(written.has(key), `${where}: nothing was written`);
                assert.deepEqual(value, written.get(key), where);
              }
            }
            const { entries, bytes, maxBytes, maxEntries } = cache.stats;
            assert.ok(entries <= maxEntries && bytes <= maxBytes, `${where}: ${entries} entries, ${bytes} bytes`);
            if (step % 250 === 0) cache.validate();
          }
          assert.ok(hits > STEPS / 50, `${hits} hits in ${STEPS} steps`);
          assert.ok(caches[0].stats.evictions > 0);
        }
      });
    }
  });
}
