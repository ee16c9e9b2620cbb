'use strict';

// The drop-ins over caches of every class, also of those that lack some methods.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { promisify } = require('node:util');
const hotpath = require('../../index.js');
const { temporaryFolder } = require('../support/servers.js');

const { KeyvStore, SessionStore } = hotpath;

const caches = {
  MemoryCache: () => new hotpath.MemoryCache(),
  MemoryOptimizedCache: () => new hotpath.MemoryOptimizedCache(),
  MultiLevelCache: () => new hotpath.MultiLevelCache(),
  AdvancedCacheManager: () => new hotpath.AdvancedCacheManager(),
  CacheService: () => new hotpath.CacheService(),
  DiskCache: (t) => new hotpath.DiskCache({ directory: temporaryFolder(t), diskLimit: 2 ** 24 }),
  AdvancedCache: (t) => new hotpath.AdvancedCache({ directory: temporaryFolder(t), diskLimit: 2 ** 24 }),
};

/** Those that can neither delete by pattern nor name their keys. */
const WITHOUT_PATTERNS = ['MemoryOptimizedCache', 'AdvancedCache'];

for (const [name, open] of Object.entries(caches)) {
  const opened = (t) => {
    const cache = open(t);
    t.after(() => cache.close());
    return cache;
  };

  describe(name, () => {
    it('is kept in by a KeyvStore', async (t) => {
      const store = new KeyvStore({ cache: opened(t), namespace: 'users' });
      assert.equal(await store.set('users:1', 'Ada', 60_000), true);
      await store.setMany([
        { key: 'users:2', value: 'Alan', ttl: 60_000 },
        { key: 'users:3', value: 'Grace' },
      ]);
      assert.deepEqual(await store.getMany(['users:1', 'users:none', 'users:3']), ['Ada', undefined, 'Grace']);
      assert.equal(await store.deleteMany(['users:1', 'users:none']), true);
      if (WITHOUT_PATTERNS.includes(name)) {
        await assert.rejects(store.clear(), { code: 'ERR_HOTPATH_UNSUPPORTED' });
      } else {
        await store.clear();
        assert.equal(await store.get('users:2'), undefined);
      }
    });

    it('is kept in by a SessionStore', async (t) => {
      const store = new SessionStore({ cache: opened(t) });
      const call = (method, ...given) => promisify(store[method].bind(store))(...given);
      await call('set', 'one', { cookie: {}, user: 1 });
      await call('touch', 'one', { cookie: { expires: new Date(Date.now() + 60_000) }, user: 'not looked at' });
      assert.equal((await call('get', 'one')).user, 1);
      await call('touch', 'gone', { cookie: {} });
      assert.equal(await call('get', 'gone'), undefined);
      await call('destroy', 'one');
      assert.equal(await call('get', 'one'), undefined);
    });
  });
}
