'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { AdvancedCacheManager } = require('../../index.js');
const { waitFor } = require('../support/wait.js');

const options = { maxSize: 10_000, defaultTTL: 3_600_000, cleanupInterval: 300_000, enableMetrics: true };

test('as document 002 configures it', async () => {
  const manager = new AdvancedCacheManager(options);
  await manager.set('user_preferences_123', { wine_types: ['red'], price_range: [25, 100] }, 3_600_000);
  assert.deepEqual(await manager.get('user_preferences_123'), { wine_types: ['red'], price_range: [25, 100] });
  assert.equal(await manager.get('missing'), undefined);
  const { memoryUsage, ...stats } = manager.getStats();
  assert.deepEqual(stats, { hits: 1, misses: 1, hitRate: 0.5, size: 1, maxSize: 10_000, utilization: 1 / 10_000 });
  assert.ok(memoryUsage > 0);
});

test('a ttl is milliseconds, the default one too', async () => {
  const manager = new AdvancedCacheManager({ defaultTTL: 30 });
  await manager.set('default', 1);
  await manager.set('short', 1, 10);
  await manager.set('long', 1, 60_000);
  await manager.setMany({ many: 1 }, 60_000);
  await waitFor(() => manager.getStats().size === 2);
  assert.deepEqual(await manager.getMany(['default', 'short', 'long', 'many']), [undefined, undefined, 1, 1]);
});

test('many at once', async () => {
  const manager = new AdvancedCacheManager();
  assert.equal(
    await manager.setMany(
      new Map([
        ['a', 1],
        ['b', 2],
      ]),
    ),
    2,
  );
  assert.deepEqual(await manager.getMany(['a', 'x', 'b']), [1, undefined, 2]);
  assert.equal(await manager.deleteMany(['a', 'x']), 1);
  assert.equal(await manager.has('a'), false);
  assert.equal(await manager.del('b'), true);
  await manager.put('c', 1);
  await manager.clear();
  assert.equal(manager.getStats().size, 0);
});

test('never more entries than maxSize', async () => {
  const manager = new AdvancedCacheManager({ maxSize: 100 });
  for (let index = 0; index < 500; index++) await manager.set(`k${index}`, index);
  assert.equal(manager.getStats().size, 100);
  assert.equal(manager.getStats().utilization, 1);
});

test('warm loads what is missing, group by group', async () => {
  const manager = new AdvancedCacheManager();
  await manager.set('user:1', 'known');
  const asked = [];
  const loader = async (key) => {
    asked.push(key);
    if (key === 'user:3') throw new Error('no such user');
    return key.toUpperCase();
  };
  const report = await manager.warm({
    users: { keys: ['user:1', 'user:2', 'user:3'], loader, ttlMs: 60_000 },
    posts: { keys: ['post:1'], loader },
  });
  assert.deepEqual(asked.sort(), ['post:1', 'user:2', 'user:3']);
  assert.equal(await manager.get('user:2'), 'USER:2');
  assert.equal(await manager.get('user:1'), 'known');
  assert.deepEqual(report.posts, { warmed: 1, failed: 0, errors: [] });
  assert.equal(report.users.warmed, 2);
  assert.equal(report.users.errors[0].key, 'user:3');
  assert.match(report.users.errors[0].error.message, /no such user/);
});

test('without metrics nothing is counted', async () => {
  const manager = new AdvancedCacheManager({ enableMetrics: false });
  await manager.get('a');
  const { hits, misses, hitRate } = manager.getStats();
  assert.deepEqual({ hits, misses, hitRate }, { hits: 0, misses: 0, hitRate: 0 });
});

test('the same name is the same cache', async () => {
  const [a, b] = [0, 1].map(() => new AdvancedCacheManager({ name: 'shared' }));
  await a.set('k', 1);
  assert.equal(await b.get('k'), 1);
  assert.throws(() => new AdvancedCacheManager({ name: 'shared', maxSize: 5 }), {
    code: 'ERR_HOTPATH_OPTION_CONFLICT',
  });
  await a.close();
  await b.close();
  await assert.rejects(b.get('k'), { code: 'ERR_HOTPATH_CLOSED' });
});

test('a name finds a manager that was made with other options; defaults are no demand', async (t) => {
  const made = new AdvancedCacheManager({ name: 'small', maxSize: 5, defaultTTL: 30 });
  const found = new AdvancedCacheManager({ name: 'small' });
  t.after(() => Promise.all([made.close(), found.close()]));
  assert.equal(found.getStats().maxSize, 5);
  await found.set('k', 1);
  await waitFor(async () => (await found.get('k')) === undefined);
  assert.throws(() => new AdvancedCacheManager({ name: 'small', maxSize: 6 }), {
    code: 'ERR_HOTPATH_OPTION_CONFLICT',
    existing: 5,
    requested: 6,
  });
});

test('wrong options and arguments are named', async () => {
  assert.throws(() => new AdvancedCacheManager({ maxEntries: 5 }), { code: 'ERR_HOTPATH_UNKNOWN_OPTION' });
  assert.throws(() => new AdvancedCacheManager({ maxSize: 0 }), { code: 'ERR_OUT_OF_RANGE' });
  assert.throws(() => new AdvancedCacheManager({ defaultTTL: Number.NaN }), { code: 'ERR_OUT_OF_RANGE' });
  const manager = new AdvancedCacheManager();
  await assert.rejects(manager.set('a', 1, -1), { code: 'ERR_OUT_OF_RANGE' });
  await assert.rejects(manager.set('a', 1, { ttl: 1 }), { code: 'ERR_HOTPATH_UNKNOWN_OPTION' });
  await assert.rejects(manager.warm({ a: { keys: 'a', loader() {} } }), { message: /groups\.a\.keys/ });
  await assert.rejects(manager.warm({ a: { keys: [], loader: 5 } }), { message: /groups\.a\.loader/ });
});

test('keys are deleted by a glob', async () => {
  const manager = new AdvancedCacheManager();
  await manager.setMany({ 'user:1': 1, 'user:2': 2, users: 3 });
  assert.equal(await manager.deletePattern('user:*'), 2);
  assert.deepEqual(await manager.getMany(['user:1', 'users']), [undefined, 3]);
});
