'use strict';

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');
const Redis = require('ioredis');
const { CacheService, KeyvStore, RedisCache, SessionStore } = require('../../index.js');
const { sharedRedis } = require('../support/redis.js');

describe('on Redis', () => {
  const server = sharedRedis();

  /** A service on the server of these tests. */
  function open(t, options) {
    const service = new CacheService({ redis: { url: server().url }, ...options });
    t.after(() => service.close());
    return service;
  }

  test('the face is the same, and what is there is shared with other processes', async (t) => {
    const service = open(t, { prefix: 'face:' });
    const other = open(t, { prefix: 'face:' });
    await service.set('user:1', { name: 'Ada', since: new Date(5) }, 3600);
    assert.deepEqual(await other.get('user:1'), { name: 'Ada', since: new Date(5) });
    await service.mset({ temp: 1, 'temp:a': 2, temperature: 3 }, 60);
    assert.deepEqual(await other.mget(['temp', 'temp:a', 'none']), { temp: 1, 'temp:a': 2 });
    assert.equal(await other.delPattern('temp'), 2);
    assert.equal(await service.get('temperature'), 3);
    assert.equal(await service.increment('n', 60), 1);
    assert.equal(await other.increment('n', 60), 2);
    assert.equal(await service.setWithIntelligentTTL('post', 1), 300);
    assert.equal(await other.setWithIntelligentTTL('post', 1), 360);
    const { hits, misses, hitRate } = service.getStats();
    assert.ok(hits >= 1 && hitRate > 0 && misses >= 0);
    await service.delete('post');
    assert.equal((await service.optimize()).removed, 1);
  });

  test('clear leaves what others keep there', async (t) => {
    const [a, b] = ['a:', 'b:'].map((prefix) => open(t, { prefix }));
    await Promise.all([a.set('k', 1), b.set('k', 2)]);
    await a.clear();
    assert.deepEqual([await a.get('k'), await b.get('k')], [undefined, 2]);
  });

  test('delPattern over very many keys never blocks the server', async (t) => {
    const service = open(t, { prefix: 'many:' });
    const direct = new Redis(server().url);
    t.after(() => direct.disconnect());
    const count = 100_000;
    for (let start = 0; start < count; start += 5000) {
      const keys = Array.from({ length: 5000 }, (_, index) => [`page:${start + index}`, index]);
      await service.mset(keys, 600);
    }
    await direct.config('RESETSTAT');
    assert.equal(await service.delPattern('page'), count);
    // Its own clock would say how busy this machine is; how much each command had to do says whether it can block.
    const calls = Object.fromEntries(
      [...(await direct.info('commandstats')).matchAll(/^cmdstat_(\w+):calls=(\d+)/gm)].map(([, name, n]) => [
        name,
        +n,
      ]),
    );
    for (const blocking of ['keys', 'del', 'flushall', 'flushdb', 'eval', 'evalsha']) {
      assert.equal(calls[blocking], undefined, blocking);
    }
    assert.ok(calls.scan >= count / 1000, `${calls.scan} pages`);
    assert.ok(calls.unlink >= count / 2000, `${calls.unlink} deletions`);
  });

  test('an open cache can be lent, also to sessions and Keyv', async (t) => {
    const cache = new RedisCache({ url: server().url, keyPrefix: 'lent:' });
    t.after(() => cache.close());
    const service = new CacheService({ redis: cache });
    await service.set('a', 1);
    assert.equal(await cache.get('a'), 1);
    const store = new KeyvStore({ cache });
    await store.set('b', { c: 1 }, 60_000);
    assert.deepEqual(await store.get('b'), { c: 1 });
    assert.deepEqual(await store.getMany(['b', 'x']), [{ c: 1 }, undefined]);
    const sessions = new SessionStore({ cache });
    await new Promise((resolve, reject) => {
      sessions.set('s', { cookie: { expires: null }, user: 1 }, (error) => (error ? reject(error) : resolve()));
    });
    assert.equal(await cache.has('sess:s'), true);
  });
});
