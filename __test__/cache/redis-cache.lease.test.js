'use strict';

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { errors, runInChild, uniqueName, waitFor } = require('../support');
const { openRedisCache, sharedRedis } = require('../support/redis');

const server = sharedRedis();

function pair(t) {
  const options = { keyPrefix: `${uniqueName('lease')}:` };
  return [openRedisCache(t, server(), options), openRedisCache(t, server(), options)];
}

describe('RedisCache: leases', () => {
  it('belong to one at a time, and end by release', async (t) => {
    const [mine, theirs] = pair(t);
    const lease = await mine.lease('job', 60_000);
    assert.equal(lease.key, 'job');
    assert.equal(await theirs.lease('job', 60_000), undefined);
    assert.ok(await theirs.lease('other job', 60_000));
    assert.equal(await lease.release(), true);
    assert.equal(await lease.release(), false);
    assert.ok(await theirs.lease('job', 60_000));
  });

  it('end by themselves, and then belong to the next', async (t) => {
    const [mine, theirs] = pair(t);
    const lease = await mine.lease('job', 20);
    const next = await waitFor(() => theirs.lease('job', 60_000), { what: 'a lease to end' });
    assert.equal(await lease.extend(60_000), false);
    assert.equal(await lease.release(), false);
    assert.equal(await next.extend(60_000), true, 'the loser took nothing away');
  });

  it('last longer when extended', async (t) => {
    const [mine, theirs] = pair(t);
    const lease = await mine.lease('job', 30);
    assert.equal(await lease.extend(60_000), true);
    await waitFor(async () => Number(await server().command('PTTL', (await keysOf(mine))[0])) > 1_000, {
      what: 'more time',
    });
    assert.equal(await theirs.lease('job', 5), undefined);
  });

  /** What hotpath keeps for itself about leases of a cache. */
  async function keysOf(cache) {
    const names = (await server().command('KEYS', '@hotpath/lease/*')).split('\n');
    return names.filter((name) => name.includes(cache.stats.keyPrefix));
  }

  it('have tokens that only grow, also after the server was flushed', async (t) => {
    const [mine, theirs] = pair(t);
    let last = 0;
    for (let round = 0; round < 10; round += 1) {
      const lease = await (round % 2 ? mine : theirs).lease('job', 60_000);
      assert.ok(lease.token > last);
      last = lease.token;
      if (round === 4) await server().command('FLUSHALL');
      else await lease.release();
    }
  });

  it('span processes', async (t) => {
    const [mine] = pair(t);
    const lease = await mine.lease('job', 60_000);
    const data = { url: server().url, keyPrefix: mine.stats.keyPrefix };
    const body = async ({ load, say }, options) => {
      const { RedisCache } = load();
      const cache = new RedisCache(options);
      const lease = await cache.lease('job', 60_000);
      say(lease === undefined ? 'refused' : 'granted');
      await cache.close();
    };
    assert.deepEqual((await runInChild(body, { data })).said, ['refused']);
    await lease.release();
    assert.deepEqual((await runInChild(body, { data })).said, ['granted']);
  });

  it('are not entries, and entries are not leases', async (t) => {
    const [mine] = pair(t);
    await mine.lease('job', 60_000);
    assert.equal(await mine.get('job'), undefined);
    assert.deepEqual(await mine.keys(), []);
    await mine.clear();
    assert.equal(await mine.lease('job', 60_000), undefined, 'clear leaves leases alone');
  });

  it('need a key and a time', async (t) => {
    const [mine] = pair(t);
    await assert.rejects(mine.lease(5, 5), errors.invalidType('key'));
    for (const ttl of [0, -1, 1.5, Number.NaN])
      await assert.rejects(mine.lease('job', ttl), errors.outOfRange('ttlMs'));
    const lease = await mine.lease('job', 60_000);
    await assert.rejects(lease.extend('5'), errors.invalidType('ttlMs'));
    await mine.close();
    await assert.rejects(lease.release(), errors.closed);
  });

  it('are granted to one of many that ask at once', async (t) => {
    const caches = [...pair(t), ...pair(t)].slice(0, 2);
    const asked = Array.from({ length: 100 }, (_, i) => caches[i % 2].lease('job', 60_000));
    const granted = (await Promise.all(asked)).filter((lease) => lease !== undefined);
    assert.equal(granted.length, 1);
  });
});
