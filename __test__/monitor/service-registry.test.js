'use strict';

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const {
  DiskDataProvider,
  HotpathConflictError,
  MemoryCache,
  MemoryDataProvider,
  MultiLevelCache,
  OptimizedDataService,
  RedisCache,
  serviceRegistry,
} = require('hotpath');
const { errors, uniqueName } = require('../support');
const { sharedRedis } = require('../support/redis');
const { temporaryFolder } = require('../support/servers');

const server = sharedRedis();

describe('serviceRegistry', () => {
  it('gives back what was registered', (t) => {
    const service = { getAnalytics: () => ({ a: 1 }) };
    t.after(() => serviceRegistry.unregister('mine'));
    assert.equal(serviceRegistry.getServiceInstance('mine'), undefined);
    assert.equal(serviceRegistry.register('mine', service), service);
    assert.equal(serviceRegistry.getServiceInstance('mine'), service);
    assert.deepEqual(serviceRegistry.entries(), [['mine', service]]);
    assert.equal(serviceRegistry.unregister('mine'), true);
    assert.equal(serviceRegistry.unregister('mine'), false);
  });

  it('makes one cache of a kind, and a new one when that was closed', () => {
    const cache = serviceRegistry.cache('memory');
    assert.ok(cache instanceof MemoryCache);
    assert.equal(serviceRegistry.cache('memory'), cache);
    cache.close();
    const next = serviceRegistry.cache('memory');
    assert.notEqual(next, cache);
    next.close();
  });

  it('makes a cache in Redis with the options of the first who asks', async (t) => {
    const options = { url: server().url, keyPrefix: `${uniqueName('registry')}:` };
    const cache = serviceRegistry.cache('redis', options);
    t.after(() => cache.close());
    assert.ok(cache instanceof RedisCache);
    assert.equal(serviceRegistry.cache('redis'), cache);
    assert.equal(serviceRegistry.cache('redis', { ...options }), cache);
    assert.throws(() => serviceRegistry.cache('redis', { ...options, keyPrefix: 'other:' }), HotpathConflictError);
    await cache.set('a', { one: 1 });
    assert.deepEqual(await cache.get('a'), { one: 1 });
  });

  it('makes the tiers of the documented cache', async (t) => {
    const options = { url: server().url, keyPrefix: `${uniqueName('registry')}:` };
    const [l1Cache, l2Cache] = [serviceRegistry.cache('memory'), serviceRegistry.cache('redis', options)];
    const cache = new MultiLevelCache({ l1Cache, l2Cache });
    t.after(() => Promise.all([l1Cache.close(), l2Cache.close()]));
    await cache.set('key', { value: 1 });
    assert.deepEqual(await cache.get('key'), { value: 1 });
    l1Cache.clear();
    assert.deepEqual(await cache.get('key'), { value: 1 });
    assert.equal(l1Cache.has('key'), true);
  });

  it('makes data providers, in memory and on disk, and new ones when those were closed', async (t) => {
    const directory = temporaryFolder(t);
    for (const [kind, options, Provider] of [
      ['memory', undefined, MemoryDataProvider],
      ['disk', { directory }, DiskDataProvider],
    ]) {
      const provider = serviceRegistry.dataService(kind, options);
      assert.ok(provider instanceof Provider);
      assert.equal(serviceRegistry.dataService(kind), provider);
      const service = new OptimizedDataService(provider);
      const [uuid] = await service.addBatch('users', [{ name: 'Ada' }]);
      assert.deepEqual((await service.getBatch('users', [uuid]))[0].result, { name: 'Ada' });
      await provider.close();
      assert.equal(provider.closed, true);
      const next = serviceRegistry.dataService(kind, options);
      assert.notEqual(next, provider);
      await next.close();
    }
    assert.throws(
      () => serviceRegistry.dataService('memory', { directory }),
      errors.unknownOption('directory', 'no options'),
    );
  });

  it('checks what it is given', () => {
    assert.throws(() => serviceRegistry.register('', {}), errors.outOfRange('name'));
    assert.throws(() => serviceRegistry.register('a', null), errors.invalidType('service'));
    assert.throws(() => serviceRegistry.cache('disk'), errors.outOfRange('kind'));
    assert.throws(() => serviceRegistry.dataService(5), errors.invalidType('kind'));
  });
});
