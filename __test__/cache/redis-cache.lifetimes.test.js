'use strict';

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { errors, runInChild, runInWorker, settled, startWorker, uniqueName, waitFor } = require('../support');
const { openRedisCache, sharedRedis } = require('../support/redis');

const server = sharedRedis();
const settings = (options) => ({ url: server().url, keyPrefix: `${uniqueName('life')}:`, ...options });

describe('RedisCache: threads', () => {
  it('share one connection, one dictionary and one set of counters by name', async (t) => {
    const options = settings({ name: uniqueName('shared') });
    const cache = openRedisCache(t, server(), options);
    await cache.set('from', 'main');
    const theirs = await runInWorker(async ({ load }, given) => {
      const { RedisCache } = load();
      const cache = new RedisCache(given);
      const read = await cache.get('from');
      await cache.set('back', { worker: true });
      const { hits, reconnects } = cache.stats;
      await cache.close();
      return { read, hits, reconnects };
    }, options);
    assert.deepEqual(theirs, { read: 'main', hits: 1, reconnects: 0 });
    assert.deepEqual(await cache.get('back'), { worker: true });
    assert.equal(cache.stats.hits, 2);
    const clients = await server().command('CLIENT', 'LIST', 'TYPE', 'normal');
    assert.ok(clients.split('\n').length >= 1);
  });

  it('count to the same sum', async (t) => {
    const options = settings({ name: uniqueName('sum') });
    const cache = openRedisCache(t, server(), options);
    const body = async ({ load }, given) => {
      const { RedisCache } = load();
      const cache = new RedisCache(given);
      for (let round = 0; round < 20; round += 1) {
        await Promise.all(Array.from({ length: 25 }, () => cache.increment('n')));
      }
      await cache.close();
    };
    await Promise.all([runInWorker(body, options), runInWorker(body, options)]);
    assert.equal(await cache.get('n'), 1_000);
  });

  it('may end with commands in flight, and the others go on', async (t) => {
    const options = settings({ name: uniqueName('abrupt') });
    const cache = openRedisCache(t, server(), options);
    for (let round = 0; round < 8; round += 1) {
      const thread = startWorker(async ({ load, say }, given) => {
        const { RedisCache } = load();
        const cache = new RedisCache(given);
        cache.on('invalidate', () => {});
        await cache.set('a', 1);
        say('ready');
        for (;;) {
          for (let i = 0; i < 100; i += 1) {
            cache.get('a').catch(() => {});
            cache.set('b', { i }).catch(() => {});
          }
          cache.keys().catch(() => {});
          await new Promise((resolve) => setImmediate(resolve));
        }
      }, options);
      await thread.said('ready');
      await settled(thread.terminate(), { what: 'a worker to end' });
      assert.equal(await cache.get('a'), 1);
    }
  });

  it('that leave last close the cache, with its connection', async (t) => {
    const options = settings({ name: uniqueName('last') });
    const connections = async () => (await server().command('CLIENT', 'LIST')).split('\n').length;
    await waitFor(async () => (await connections()) <= 3, { what: 'connections of other tests to end' }).catch(
      () => {},
    );
    const before = await connections();
    await runInWorker(async ({ load }, given) => {
      const { RedisCache } = load();
      await new RedisCache(given).set('a', 1);
    }, options);
    await waitFor(async () => (await connections()) <= before, { what: 'the connection to end' });
    t.diagnostic(`${before} connections before`);
  });

  it('must agree about options that they give', async (t) => {
    const { RedisCache } = require('../..');
    const options = settings({ name: uniqueName('agree'), ttlMs: 5_000 });
    openRedisCache(t, server(), options);
    const second = new RedisCache({ name: options.name });
    t.after(() => second.close());
    assert.equal(second.stats.keyPrefix, options.keyPrefix);
    const conflicts = {
      keyPrefix: 'other:',
      ttlMs: 6_000,
      commandTimeoutMs: 77,
      format: 'json',
      clientTracking: true,
      breaker: false,
      url: 'redis://127.0.0.1:1',
    };
    for (const [option, value] of Object.entries(conflicts)) {
      assert.throws(
        () => new RedisCache({ name: options.name, [option]: value }),
        (error) =>
          error.code === 'ERR_HOTPATH_OPTION_CONFLICT' && error.option === option && error.engine === options.name,
        option,
      );
    }
  });
});

describe('RedisCache: processes', () => {
  it('exit by themselves with an idle cache, connected or not', async () => {
    const body = async ({ load, say }, given) => {
      const { RedisCache } = load();
      const cache = new RedisCache(given);
      if (given.clientTracking) {
        cache.on('invalidate', () => {});
        await cache.set('a', 1);
      }
      say('done');
    };
    for (const data of [settings({ clientTracking: true }), { url: 'redis://127.0.0.1:1' }]) {
      const { code, said } = await runInChild(body, { data });
      assert.deepEqual([code, said], [0, ['done']]);
    }
  });

  it('stay while something is awaited', async () => {
    const { code, said } = await runInChild(
      async ({ load, say }, given) => {
        const { RedisCache } = load();
        const cache = new RedisCache(given);
        await cache.set('a', 1);
        say(await cache.get('a'));
        say(await cache.keys());
        say(await cache.increment('n'));
      },
      { data: settings() },
    );
    assert.deepEqual([code, said], [0, [1, ['a'], 1]]);
  });

  it('may exit with commands in flight', async () => {
    const { code, stderr } = await runInChild(
      async ({ load }, given) => {
        const { RedisCache } = load();
        const cache = new RedisCache(given);
        await cache.set('a', 1);
        for (let i = 0; i < 1_000; i += 1) cache.get('a');
        setImmediate(() => process.exit(7));
      },
      { data: settings() },
    );
    assert.equal(code, 7, stderr);
  });

  it('give back caches that nobody holds any more', async () => {
    const { code, said, stderr } = await runInChild(
      async ({ load, say, collectThoroughly, waitFor }, given) => {
        const { RedisCache } = load();
        const watcher = new RedisCache({ url: given.url });
        const connections = async () => {
          await watcher.ping();
          return watcher.closed ? 0 : (given.count ?? 0);
        };
        await connections();
        const refs = [];
        await (async () => {
          for (let i = 0; i < 20; i += 1) {
            const cache = new RedisCache(given);
            await cache.set('a', i);
            refs.push(new WeakRef(cache));
          }
        })();
        await waitFor(async () => {
          await collectThoroughly(2);
          return refs.filter((ref) => ref.deref() !== undefined).length <= 1;
        });
        say('collected');
        await watcher.close();
      },
      { data: settings(), nodeArgs: ['--expose-gc'] },
    );
    assert.deepEqual([code, said], [0, ['collected']], stderr);
  });
});

describe('RedisCache: close', () => {
  it('lets what was asked for before come to its end', async (t) => {
    const cache = openRedisCache(t, server(), settings());
    const written = cache.set('a', 1);
    const read = cache.get('a');
    const keys = cache.keys();
    const closing = cache.close();
    assert.equal(cache.closed, true);
    await assert.rejects(cache.get('a'), errors.closed);
    assert.deepEqual([await written, await read, Array.isArray(await keys)], [true, 1, true]);
    await closing;
    assert.equal(cache.close(), cache.close(), 'once is enough');
    assert.throws(() => cache.stats, errors.closed);
  });

  it('is what `await using` does', async () => {
    const { RedisCache } = require('../..');
    const cache = new RedisCache(settings());
    await cache[Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose')]();
    assert.equal(cache.closed, true);
  });
});
