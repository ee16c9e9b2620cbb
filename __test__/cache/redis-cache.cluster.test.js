'use strict';

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { errors, waitFor } = require('../support');
const { openRedisCache, startCluster, startRedis } = require('../support/redis');
const { freePort } = require('../support/servers');

/** The primaries' answers to one question. */
const ask = (primaries, ...words) => Promise.all(primaries.map((node) => node.command(...words)));

const KEYS = Array.from({ length: 120 }, (_, i) => `k${i}`);

describe('RedisCache: a cluster of three', () => {
  it('serves everything, wherever keys lie', async (t) => {
    const { primaries, nodes } = await startCluster(t);
    const cache = openRedisCache(t, {}, { url: undefined, nodes: nodes.slice(0, 1), commandTimeoutMs: 5_000 });
    await Promise.all(KEYS.map((key, i) => cache.set(key, { i })));
    const sizes = await ask(primaries, 'DBSIZE');
    assert.ok(
      sizes.every((size) => Number(size) > 10),
      `${sizes}`,
    );
    const wanted = KEYS.map((_, i) => ({ i }));
    assert.deepEqual(await Promise.all(KEYS.map((key) => cache.get(key))), wanted);
    assert.deepEqual(await cache.getMany(KEYS), wanted);
    assert.equal(await cache.setMany(KEYS.map((key) => [key, key])), KEYS.length);
    assert.equal(
      await cache.setMany(
        KEYS.map((key) => [key, key]),
        60,
      ),
      KEYS.length,
    );
    assert.deepEqual(await cache.getMany([...KEYS, 'missing']), [...KEYS, undefined]);
    assert.equal(await cache.increment('counter', 3), 3);
    assert.equal(await cache.take('k0'), 'k0');
    assert.equal(await cache.touch('k1', 5), true);
    assert.deepEqual((await cache.keys('k1?')).sort(), KEYS.filter((key) => /^k1.$/.test(key)).sort());
    assert.equal(await cache.deleteMany(['k1', 'k2', 'k3', 'missing']), 3);
    assert.equal(await cache.deletePattern('k1*'), KEYS.filter((key) => /^k1./.test(key)).length);
    const lease = await cache.lease('}{', 60_000);
    assert.equal(await cache.lease('}{', 60_000), undefined);
    assert.equal(await lease.release(), true);
    await cache.clear();
    assert.deepEqual(await cache.keys(), []);
  });

  it('follows keys that moved', async (t) => {
    const { primaries, nodes } = await startCluster(t);
    const cache = openRedisCache(t, {}, { url: undefined, nodes, keyPrefix: '', commandTimeoutMs: 5_000 });
    await cache.set('{moving}a', 'before');
    const slot = await primaries[0].command('CLUSTER', 'KEYSLOT', 'moving');
    const counts = await ask(primaries, 'CLUSTER', 'COUNTKEYSINSLOT', slot);
    const from = primaries[counts.findIndex((count) => count !== '0')];
    const to = primaries.find((node) => node !== from);
    const [fromId, toId] = await ask([from, to], 'CLUSTER', 'MYID');
    await to.command('CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId);
    await from.command('CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId);
    await from.command('MIGRATE', '127.0.0.1', String(to.port), '{moving}a', '0', '5000');
    // Half moved: the old node sends us on for this key alone.
    assert.equal(await cache.get('{moving}a'), 'before');
    for (const node of [to, ...primaries]) await node.command('CLUSTER', 'SETSLOT', slot, 'NODE', toId);
    assert.equal(await cache.get('{moving}a'), 'before');
    await cache.set('{moving}b', 'after');
    assert.equal(await to.command('CLUSTER', 'COUNTKEYSINSLOT', slot), '2');
  });

  it('goes on, and hears of changes, when a replica takes a dead primary’s place', async (t) => {
    const { primaries, replica, nodes } = await startCluster(t);
    const cache = openRedisCache(
      t,
      {},
      {
        url: undefined,
        nodes,
        keyPrefix: '',
        clientTracking: true,
        commandTimeoutMs: 2_000,
        breaker: false,
      },
    );
    const heard = [];
    cache.on('invalidate', (keys) => heard.push(keys));
    await Promise.all(KEYS.map((key) => cache.set(key, 1)));
    await waitFor(async () => (await replica.command('DBSIZE')) === (await primaries[0].command('DBSIZE')), {
      what: 'the replica to have everything',
    });
    await primaries[0].kill();
    await waitFor(async () => /role:master/.test(await replica.command('INFO', 'replication')), {
      what: 'the failover',
    });
    await waitFor(
      () =>
        Promise.all(KEYS.map((key) => cache.set(key, 2))).then(
          () => true,
          () => false,
        ),
      { what: 'writes to all keys' },
    );
    assert.deepEqual(
      await cache.getMany(KEYS),
      KEYS.map(() => 2),
    );
    await waitFor(() => heard.includes(null), { what: 'word that anything may have changed' });
    // The new primary has been told that we listen: changes that others make there are heard of.
    const theirs = (await replica.command('KEYS', 'k*')).split('\n')[0];
    await waitFor(
      async () => {
        await replica.command('SET', theirs, '3');
        return heard.some((keys) => keys?.includes(theirs));
      },
      { what: 'news from the new primary' },
    );
  });

  it('takes no database but the first', () => {
    const { RedisCache } = require('../..');
    assert.throws(() => new RedisCache({ nodes: ['localhost:1'], database: 1 }), errors.outOfRange('options.database'));
  });
});

describe('RedisCache: a primary that sentinels name', () => {
  it('is found, and found again after a failover', async (t) => {
    const fs = require('node:fs');
    const os = require('node:os');
    const path = require('node:path');
    const primary = await startRedis(t);
    const replica = await startRedis(t, { args: ['--replicaof', '127.0.0.1', String(primary.port)] });
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'hotpath-sentinel-'));
    t.after(() => fs.rmSync(folder, { recursive: true, force: true, maxRetries: 10 }));
    const config = path.join(folder, 'sentinel.conf');
    fs.writeFileSync(
      config,
      [
        `sentinel monitor main 127.0.0.1 ${primary.port} 1`,
        'sentinel down-after-milliseconds main 500',
        'sentinel failover-timeout main 5000',
      ].join('\n'),
    );
    const sentinel = await startRedis(t, { sentinel: config });
    await waitFor(async () => /master_link_status:up/.test(await replica.command('INFO', 'replication')), {
      what: 'a replica that follows',
    });
    await waitFor(async () => /num-slaves\n1\n|slaves=1/.test(await sentinel.command('INFO', 'sentinel')), {
      what: 'the sentinel to know the replica',
    });
    const address = `127.0.0.1:${sentinel.port}`;
    const cache = openRedisCache(
      t,
      {},
      { url: undefined, sentinel: { name: 'main', nodes: [address] }, commandTimeoutMs: 2_000 },
    );
    await cache.set('a', 1);
    await primary.kill();
    await waitFor(() => cache.set('a', 2).catch(() => false), {
      timeoutMs: 40_000,
      what: 'the new primary to be found',
    });
    assert.equal(await cache.get('a'), 2);
    assert.equal(await replica.command('GET', 'hotpath:a'), '2');
    const nobody = openRedisCache(
      t,
      {},
      { url: undefined, sentinel: { name: 'other', nodes: [{ host: '127.0.0.1', port: await freePort() }, address] } },
    );
    await assert.rejects(nobody.get('a'), { code: 'ERR_HOTPATH_TIER_UNAVAILABLE' });
  });
});
