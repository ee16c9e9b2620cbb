'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { AdvancedCacheManager, CacheWarmer, MemoryCache } = require('../../index.js');
const { waitFor } = require('../support/wait.js');

const users = [
  { id: 1, name: 'Ada' },
  { id: 2, name: 'Alan' },
];

test('as document 001 shows it: over a data service', async () => {
  const cache = new MemoryCache();
  const service = { getActiveUsers: async () => users, getAllIntents: async () => ['greet'] };
  const report = await new CacheWarmer(cache, service).warmCache();
  assert.deepEqual(cache.get('user:1'), users[0]);
  assert.deepEqual(cache.get('intents:all'), ['greet']);
  assert.ok(cache.getTtl('user:2') <= 3_600_000 && cache.getTtl('intents:all') > 3_600_000);
  assert.equal(report.warmed, 3);
  assert.deepEqual(report.sources, { users: { warmed: 2, failed: 0 }, intents: { warmed: 1, failed: 0 } });
});

test('arrays, async iterables and functions', async () => {
  const cache = new MemoryCache();
  const key = ({ id }) => `user:${id}`;
  async function* many() {
    for (let id = 10; id < 100; id++) yield { id };
  }
  const warmer = new CacheWarmer(cache, { array: { source: users, key }, generator: { source: many, key } });
  warmer.add('promise', async () => new Map([['a', 1]]), { key: 'map', ttlMs: 5000 });
  const progress = [];
  const report = await warmer.warmCache({ concurrency: 4, onProgress: (state) => progress.push(state) });
  assert.equal(report.warmed, 93);
  assert.equal(progress.length, 93);
  assert.deepEqual(progress.at(-1), { source: 'promise', warmed: 93, failed: 0 });
  assert.deepEqual(cache.get('map'), new Map([['a', 1]]));
  assert.ok(cache.getTtl('map') <= 5000);
});

test('what fails is counted and told, and stops nothing else', async () => {
  const cache = new MemoryCache();
  const warmer = new CacheWarmer(cache)
    .add('broken', () => Promise.reject(new Error('away')), { key: 'a' })
    .add('mixed', [{ id: 1 }, { id: 2, run() {} }, { id: 3 }], { key: ({ id }) => `item:${id}` })
    .add('number', () => 5, { key: () => 'b' });
  const report = await warmer.warmCache();
  assert.equal(report.warmed, 2);
  assert.equal(report.failed, 3);
  assert.deepEqual(
    report.errors.map(({ source, key }) => [source, key]),
    [
      ['broken', undefined],
      ['mixed', 'item:2'],
      ['number', undefined],
    ],
  );
  assert.match(report.errors[0].error.message, /away/);
});

test('no more at a time than asked', async () => {
  let underWay = 0;
  let most = 0;
  const cache = {
    async set() {
      most = Math.max(most, ++underWay);
      await new Promise(setImmediate);
      underWay--;
    },
  };
  const items = Array.from({ length: 50 }, (_, id) => ({ id }));
  await new CacheWarmer(cache).add('items', items, { key: ({ id }) => `${id}` }).warmCache({ concurrency: 3 });
  assert.equal(most, 3);
});

test('an aborted run ends early and says so', async () => {
  const cache = new MemoryCache();
  const controller = new AbortController();
  async function* endless() {
    for (let id = 0; ; id++) yield { id };
  }
  const warmer = new CacheWarmer(cache).add('endless', endless, { key: ({ id }) => `${id}` });
  warmer.add('after', users, { key: ({ id }) => `user:${id}` });
  const onProgress = ({ warmed }) => warmed === 5 && controller.abort();
  const report = await warmer.warmCache({ signal: controller.signal, onProgress, concurrency: 1 });
  assert.equal(report.aborted, true);
  assert.equal(report.warmed, 5);
  assert.equal(cache.has('user:1'), false);
});

test('one run at a time; a schedule repeats it and can be ended', async () => {
  const cache = new MemoryCache();
  let runs = 0;
  const warmer = new CacheWarmer(cache).add('counted', () => ++runs, { key: 'runs' });
  await Promise.all([warmer.warmCache(), warmer.warmCache()]);
  assert.equal(runs, 1);
  const end = warmer.schedule(5);
  await waitFor(() => cache.get('runs') >= 4);
  end();
  const seen = runs;
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.ok(runs <= seen + 1);
});

test('a cache whose ttl is milliseconds gets milliseconds', async () => {
  const manager = new AdvancedCacheManager({ defaultTTL: 1_000_000 });
  const calls = [];
  manager.set = async (...args) => calls.push(args);
  await new CacheWarmer(manager).add('one', () => 1, { key: 'a', ttlMs: 5000 }).warmCache();
  assert.deepEqual(calls, [['a', 1, 5000]]);
});

test('wrong arguments are named', async () => {
  assert.throws(() => new CacheWarmer({}), { code: 'ERR_INVALID_ARG_TYPE', message: /cache/ });
  const warmer = new CacheWarmer(new MemoryCache());
  assert.throws(() => warmer.add('a', [], {}), { code: 'ERR_INVALID_ARG_TYPE', message: /options\.key/ });
  assert.throws(() => warmer.add('a', undefined, { key: 'a' }), { code: 'ERR_INVALID_ARG_TYPE', message: /source/ });
  assert.throws(() => warmer.add('a', [], { key: 'a', ttl: 5 }), { code: 'ERR_HOTPATH_UNKNOWN_OPTION' });
  assert.throws(() => warmer.schedule(0), { code: 'ERR_OUT_OF_RANGE' });
  await assert.rejects(warmer.warmCache({ concurrency: 0 }), { code: 'ERR_OUT_OF_RANGE' });
});
