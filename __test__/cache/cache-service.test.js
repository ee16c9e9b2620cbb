'use strict';

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');
const { CacheService, cacheService } = require('../../index.js');

describe('as document 004 shows it', () => {
  test('values, patterns and bulk', async () => {
    const service = new CacheService();
    const user = { name: 'Ada', since: new Date(0) };
    assert.equal(await service.set('user:123', user, 3600), true);
    assert.deepEqual(await service.get('user:123'), user);
    assert.equal(await service.get('user:124'), undefined);

    await service.setWithPattern('posts', 7, { title: 'x' }, 1800);
    assert.deepEqual(await service.getWithPattern('posts', 7), { title: 'x' });
    assert.deepEqual(await service.get('posts:7'), { title: 'x' });

    await service.mset({ 'user:1': 1, 'user:2': 2, 'user:3': 3 }, 3600);
    assert.deepEqual(await service.mget(['user:1', 'user:3', 'user:9']), { 'user:1': 1, 'user:3': 3 });
    assert.deepEqual(await service.getMany(['user:1', 'user:9']), [1, undefined]);
  });

  test('delPattern without glob characters takes the key and its family, and nothing else', async () => {
    const service = new CacheService({ prefix: 'app[1]:' });
    await service.mset({ temp: 1, 'temp:a': 2, 'temp:b:c': 3, temperature: 4, 'a*b': 5 });
    assert.equal(await service.delPattern('temp'), 3);
    assert.deepEqual(await service.mget(['temp', 'temp:a', 'temperature']), { temperature: 4 });
    assert.equal(await service.delPattern('temp*'), 1);
    assert.equal(await service.get('a*b'), 5);
    assert.equal(await service.delPattern('session:expired'), 0);
  });

  test('counters live as long as they were given when they were made', async () => {
    const service = new CacheService();
    assert.equal(await service.increment('views', 86_400), 1);
    assert.equal(await service.increment('views', 86_400), 2);
    assert.equal(await service.get('views'), 2);
  });

  test('the more a value is asked for, the longer it lives', async () => {
    const service = new CacheService();
    const ttls = [];
    for (let round = 0; round < 60; round++) ttls.push(await service.setWithIntelligentTTL('post', round));
    assert.deepEqual(ttls.slice(0, 3), [300, 360, 420]);
    assert.equal(ttls.at(-1), 3600);
    assert.equal(await service.get('post'), 59);
  });

  test('optimize removes counts of keys that are gone, and says what it did', async () => {
    const service = new CacheService({ prefix: 'p:' });
    await service.setWithIntelligentTTL('kept', 1);
    await service.setWithIntelligentTTL('gone', 1);
    await service.delete('gone');
    const report = await service.optimize();
    assert.equal(report.examined, 2);
    assert.equal(report.removed, 1);
    assert.ok(report.freedBytes > 0);
    assert.equal(await service.get('kept:access_count'), 1);
    assert.equal((await service.optimize()).removed, 0);
  });

  test('statistics have the shape of the endpoint', async () => {
    const service = new CacheService({ maxMemoryMB: 10 });
    await service.set('a', 'x'.repeat(1000));
    await service.get('a');
    await service.get('b');
    const { hits, misses, hitRate, size, maxSize, utilization, memoryUsage } = service.getStats();
    assert.deepEqual({ hits, misses, hitRate, size }, { hits: 1, misses: 1, hitRate: 0.5, size: 1 });
    assert.equal(maxSize, 10 * 1024 * 1024);
    assert.ok(memoryUsage > 1000);
    assert.equal(utilization, memoryUsage / maxSize);
  });
});

test('the prefix keeps services apart that share a cache', async () => {
  const [a, b] = ['a:', 'b:'].map((prefix) => new CacheService({ prefix, name: 'shared' }));
  await a.set('key', 1);
  await b.set('key', 2);
  assert.deepEqual([await a.get('key'), await b.get('key')], [1, 2]);
  await a.clear();
  assert.deepEqual([await a.get('key'), await b.get('key')], [undefined, 2]);
  await Promise.all([a.close(), b.close()]);
});

test('a name finds a service that was made with other options; defaults are no demand', async (t) => {
  const made = new CacheService({ name: 'small', maxMemoryMB: 2 });
  const found = new CacheService({ name: 'small' });
  t.after(() => Promise.all([made.close(), found.close()]));
  await made.set('key', 1);
  assert.equal(await found.get('key'), 1);
  assert.equal(found.getStats().maxSize, 2 * 1024 * 1024);
  assert.throws(() => new CacheService({ name: 'small', maxMemoryMB: 3 }), { code: 'ERR_HOTPATH_OPTION_CONFLICT' });
});

test('the singleton', async () => {
  await cacheService.set('singleton', 1);
  assert.equal(await new CacheService({ name: 'default' }).get('singleton'), 1);
  await cacheService.clear();
});

test('closed, it refuses; closing twice is fine', async () => {
  const service = new CacheService({ maxMemoryMB: 1 });
  await service.close();
  await service.close();
  await assert.rejects(service.get('a'), { code: 'ERR_HOTPATH_CLOSED' });
  await assert.rejects(service.mget(['a']), { code: 'ERR_HOTPATH_CLOSED' });
  const unused = new CacheService();
  await unused.close();
  await assert.rejects(unused.set('a', 1), { code: 'ERR_HOTPATH_CLOSED' });
});

test('wrong arguments reject, wrong options throw', async () => {
  assert.throws(() => new CacheService({ prefx: '' }), { code: 'ERR_HOTPATH_UNKNOWN_OPTION', message: /prefix/ });
  assert.throws(() => new CacheService({ maxMemoryMB: -1 }), { code: 'ERR_OUT_OF_RANGE' });
  assert.throws(() => new CacheService({ name: '' }), { code: 'ERR_OUT_OF_RANGE' });
  const service = new CacheService();
  await assert.rejects(service.get(5), { code: 'ERR_INVALID_ARG_TYPE' });
  await assert.rejects(
    service.set('a', () => 1),
    { code: 'ERR_INVALID_ARG_TYPE' },
  );
  await assert.rejects(service.mget('a'), { code: 'ERR_INVALID_ARG_TYPE' });
  await assert.rejects(service.delPattern(''), { code: 'ERR_OUT_OF_RANGE' });
  await assert.rejects(service.set('a', 1, -5), { code: 'ERR_OUT_OF_RANGE' });
});
