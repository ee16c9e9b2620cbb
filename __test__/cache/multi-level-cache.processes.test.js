'use strict';

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { MemoryCache, MultiLevelCache, RedisCache } = require('../..');
const { settled, startChild, uniqueName, waitFor } = require('../support');
const { openDisk, temporaryDirectory } = require('../support/disks');
const { sharedRedis, startRedis } = require('../support/redis');

const server = sharedRedis();

/** A process that reads one key over and over, and says what its memory has whenever that is something else. */
function startReader(t, options) {
  const { child, hears, ended } = startChild(async ({ load, say }, { url, keyPrefix, ends }) => {
    const { MemoryCache, MultiLevelCache, RedisCache } = load();
    const l1Cache = new MemoryCache();
    const l2Cache = new RedisCache({ url, keyPrefix, clientTracking: true, breaker: false });
    const cache = new MultiLevelCache({ l1Cache, l2Cache });
    cache.on('error', () => {});
    // Should nobody end it.
    setTimeout(() => process.exit(1), 120_000).unref();
    let last;
    for (;;) {
      const { l1Hits } = cache.stats;
      const seen = String(await cache.get('key'));
      const isInMemory = cache.stats.l1Hits > l1Hits;
      if (seen !== last && (isInMemory || seen === 'undefined')) {
        say(seen);
        last = seen;
      }
      if (last === ends) break;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await cache.close();
    await l2Cache.close();
    l1Cache.close();
  }, options);
  t.after(() => child.kill('SIGKILL'));
  return { hears, ended };
}

function open(t, url, keyPrefix) {
  const l1Cache = new MemoryCache();
  const l2Cache = new RedisCache({ url, keyPrefix, clientTracking: true, breaker: false });
  const cache = new MultiLevelCache({ l1Cache, l2Cache });
  cache.on('error', () => {});
  t.after(async () => {
    await cache.close();
    await l2Cache.close();
    l1Cache.close();
  });
  return { cache, l2Cache };
}

describe('MultiLevelCache in several processes', () => {
  it('memory of one follows what another writes, deletes and invalidates', async (t) => {
    const keyPrefix = `${uniqueName('processes')}:`;
    const { cache } = open(t, server().url, keyPrefix);
    const reader = startReader(t, { url: server().url, keyPrefix, ends: 'the end' });
    await reader.hears('undefined');
    for (const value of ['one', 'two']) {
      await cache.set('key', value, { tags: ['red'] });
      await reader.hears(value);
    }
    await cache.delete('key');
    await waitFor(async () => (await cache.get('key')) === undefined);
    await cache.set('key', 'three', { tags: ['red'] });
    await reader.hears('three');
    await cache.invalidateTags('red');
    await cache.getOrSet('key', () => 'loaded');
    await reader.hears('loaded');
    await cache.deletePattern('k*');
    await cache.set('key', 'the end');
    const { said, code } = await settled(reader.ended, { timeoutMs: 60_000, what: 'the reader' });
    assert.equal(said.at(-1), 'the end');
    assert.equal(code, 0);
  });

  it('and again after only the connections were killed, and after the server was', { timeout: 120_000 }, async (t) => {
    const redis = await startRedis(t);
    const { cache, l2Cache } = open(t, redis.url, 'p:');
    const reader = startReader(t, { url: redis.url, keyPrefix: 'p:', ends: 'the end' });
    await cache.set('key', 'before');
    await reader.hears('before');
    let number = 0;
    const follows = async () => {
      await waitFor(() => l2Cache.stats.tracking && cache.stats.levels[1].missedWrites === 0, { what: 'Redis again' });
      // The second is only heard of if tracking began anew.
      for (const value of [`value ${++number}`, `value ${++number}`]) {
        await cache.set('key', value);
        await reader.hears(value);
      }
    };
    for (let round = 0; round < 3; round += 1) {
      await redis.command('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      await follows();
    }
    await redis.kill();
    await redis.start();
    await follows();
    await cache.set('key', 'the end');
    const { said } = await settled(reader.ended, { timeoutMs: 60_000, what: 'the reader' });
    assert.equal(said.at(-1), 'the end');
  });

  it('a disk tier is one for all, and what one wrote the next process finds', async (t) => {
    const directory = temporaryDirectory(t);
    const run = async (me) => {
      const { child, ended } = startChild(
        async ({ load, say }, { directory, me }) => {
          const { DiskCache, MemoryCache, MultiLevelCache } = load();
          const l1Cache = new MemoryCache();
          const l2Cache = new DiskCache({ directory });
          const cache = new MultiLevelCache({ l1Cache, l2Cache });
          const made = await cache.getOrSet('made by', () => ({ me, at: new Date(5) }), {
            tags: ['all'],
            graceMs: 5000,
          });
          await cache.set(`process ${me}`, me);
          say(made.me);
          say(made.at instanceof Date);
          await cache.close();
          await l2Cache.close();
          l1Cache.close();
        },
        { directory, me },
      );
      t.after(() => child.kill('SIGKILL'));
      const { code, stderr } = await settled(ended, { timeoutMs: 60_000, what: `process ${me}` });
      assert.equal(code, 0, stderr);
      return (await ended).said;
    };
    assert.ok((await run(1)).includes(1));
    const later = await run(2);
    assert.ok(later.includes(1), `${later}`);
    const disk = openDisk(t, { directory });
    assert.deepEqual((await disk.keys('process *')).sort(), ['process 1', 'process 2']);
    assert.deepEqual(await disk.get('made by'), { me: 1, at: new Date(5) });
  });
});
