'use strict';

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { uniqueName, waitFor, startChild } = require('../support');
const { openRedisCache, startRedis } = require('../support/redis');

/** A cache that tracks, and what it was told. */
async function listening(t, server, options) {
  const cache = openRedisCache(t, server, { clientTracking: true, ...options });
  const heard = [];
  cache.on('invalidate', (keys) => heard.push(keys));
  await cache.ping();
  // What was told when tracking began is not what the tests are about.
  await waitFor(() => cache.stats.tracking, { what: 'tracking' });
  await new Promise((resolve) => setImmediate(resolve));
  heard.length = 0;
  return {
    cache,
    heard,
    hears: (key) => waitFor(() => heard.some((keys) => keys?.includes(key)), { what: `news of ${key}` }),
  };
}

const everything = (heard) => waitFor(() => heard.includes(null), { what: 'word that anything may have changed' });

describe('RedisCache: hearing of changes', () => {
  it('of other clients and other caches, under its own prefix, and not of its own', async (t) => {
    const server = await startRedis(t);
    const keyPrefix = `${uniqueName('t')}:`;
    const { cache, heard, hears } = await listening(t, server, { keyPrefix });
    const writer = openRedisCache(t, server, { keyPrefix });
    const stranger = openRedisCache(t, server, { keyPrefix: 'elsewhere:' });
    await cache.set('own', 1);
    await stranger.set('theirs', 1);
    await writer.set('first', 1);
    await hears('first');
    await writer.setMany({ second: 1, third: 2 });
    await hears('second');
    await hears('third');
    await server.command('SET', `${keyPrefix}by hand`, '1');
    await hears('by hand');
    await writer.increment('counter');
    await hears('counter');
    await writer.delete('first');
    await writer.set('brief', 1, { ttlMs: 20 });
    await waitFor(() => heard.filter((keys) => keys?.includes('brief')).length >= 1, { what: 'a brief entry' });
    const all = heard.flat();
    assert.ok(!all.includes('own') && !all.includes('theirs'), `${all}`);
    assert.ok(cache.stats.invalidations >= 5);
  });

  it('of a flush', async (t) => {
    const server = await startRedis(t);
    const { heard } = await listening(t, server);
    await server.command('FLUSHALL');
    await everything(heard);
  });

  it('of another process, and again after only the connection was killed', async (t) => {
    const server = await startRedis(t);
    const { cache, heard, hears } = await listening(t, server, { keyPrefix: 'shared:' });
    const { child, hears: saying } = startChild(async ({ load, say }, url) => {
      const { RedisCache } = load();
      const cache = new RedisCache({ url, keyPrefix: 'shared:', breaker: false });
      let number = 0;
      // Should nobody end it.
      setTimeout(() => process.exit(1), 120_000).unref();
      for (;;) {
        await cache.set(`news ${number}`, number).then(
          () => (number += 1),
          () => {},
        );
        if (number === 1) say('writing');
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }, server.url);
    t.after(() => child.kill('SIGKILL'));
    await saying('writing');
    await waitFor(() => heard.flat().some((key) => /^news/.test(key)), { what: 'news of another process' });
    for (let round = 1; round <= 3; round += 1) {
      await server.command('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      await waitFor(() => cache.stats.reconnects >= round && cache.stats.tracking, { what: 'tracking to begin anew' });
      // First that anything may have changed, then what changes from then on.
      await everything(heard);
      heard.splice(0, heard.lastIndexOf(null) + 1);
      await waitFor(() => heard.flat().some((key) => /^news/.test(key)), { what: 'news again' });
      heard.length = 0;
    }
    await server.command('SET', 'shared:last', '1');
    await hears('last');
  });

  it('after the server was restarted', async (t) => {
    const server = await startRedis(t);
    const { cache, heard, hears } = await listening(t, server, { keyPrefix: 'r:' });
    await server.kill();
    await waitFor(() => cache.stats.connection !== 'connected', { what: 'the loss to be noticed' });
    assert.equal(cache.stats.tracking, false);
    await server.start();
    await everything(heard);
    await server.command('SET', 'r:key', '1');
    await hears('key');
  });

  it('only while somebody listens, and never after close', async (t) => {
    const server = await startRedis(t);
    const { cache, heard, hears } = await listening(t, server, { keyPrefix: 'o:' });
    cache.removeAllListeners('invalidate');
    await server.command('SET', 'o:a', '1');
    await waitFor(() => cache.stats.invalidations >= 2, { what: 'the native side to hear' });
    assert.deepEqual(heard, []);
    cache.once('invalidate', (keys) => heard.push(keys));
    await server.command('SET', 'o:b', '1');
    await hears('b');
    cache.on('invalidate', (keys) => heard.push(keys));
    heard.length = 0;
    await cache.close();
    await server.command('SET', 'o:c', '1');
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(heard, []);
  });

  it('is off unless it was asked for', async (t) => {
    const server = await startRedis(t);
    const cache = openRedisCache(t, server);
    await cache.ping();
    assert.equal(cache.stats.tracking, false);
    assert.match(await server.command('CLIENT', 'LIST'), /lib-name=hotpath|name=/);
  });
});
