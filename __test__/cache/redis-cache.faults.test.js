'use strict';

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { uniqueName, waitFor, settled } = require('../support');
const { openRedisCache, startRedis } = require('../support/redis');
const { freePort } = require('../support/servers');

const timedOut = { name: 'HotpathTimeoutError', code: 'ERR_HOTPATH_TIMEOUT' };
const unavailable = { name: 'HotpathTierError', code: 'ERR_HOTPATH_TIER_UNAVAILABLE', tier: 'redis' };

/** Requests without end, as a server under load makes them; what became of them is counted. */
function load(cache) {
  const outcomes = { answered: 0, wrong: 0, failed: new Map() };
  let going = true;
  const ended = (async () => {
    for (let round = 0; going; round += 1) {
      const key = `k${round % 50}`;
      const one = async () => {
        await cache.set(key, { key, round });
        const value = await cache.get(key);
        if (value !== undefined && value.key !== key) outcomes.wrong += 1;
        outcomes.answered += 1;
      };
      await Promise.all([one(), one(), one(), one()]).catch((error) => {
        outcomes.failed.set(error.code, (outcomes.failed.get(error.code) ?? 0) + 1);
      });
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  return { outcomes, stop: () => ((going = false), settled(ended, { what: 'the load to end' })) };
}

describe('RedisCache: a server that does not answer', () => {
  it('fails each command at its limit, and serves again afterwards', async (t) => {
    const server = await startRedis(t);
    const cache = openRedisCache(t, server, { commandTimeoutMs: 100, breaker: false });
    await cache.set('a', 1);
    server.pause();
    await assert.rejects(cache.get('a'), timedOut);
    const all = await Promise.allSettled([cache.set('a', 2), cache.getMany(['a']), cache.increment('n'), cache.ping()]);
    assert.deepEqual(
      all.map(({ reason }) => reason?.code),
      Array(4).fill(timedOut.code),
    );
    assert.equal(cache.stats.timeouts, 5);
    await assert.rejects(cache.keys(), timedOut);
    server.resume();
    await waitFor(() => cache.ping().catch(() => false), { what: 'the server to answer again' });
    assert.ok((await cache.get('a')) <= 2);
  });

  it('is not asked any more once the breaker is open, and is tried again', async (t) => {
    const server = await startRedis(t);
    const breaker = { failureThreshold: 3, openMs: 50 };
    const cache = openRedisCache(t, server, { commandTimeoutMs: 100, breaker });
    await cache.set('a', 1);
    assert.equal(cache.stats.breaker.state, 'closed');
    server.pause();
    await waitFor(
      async () => {
        await cache.get('a').catch(() => {});
        return cache.stats.breaker.openings > 0;
      },
      { what: 'the breaker to open' },
    );
    const rejected = await waitFor(
      () =>
        cache.get('a').then(
          () => undefined,
          (error) => (/breaker/.test(error.message) ? error : undefined),
        ),
      { what: 'a refusal by the breaker' },
    );
    assert.equal(rejected.code, unavailable.code);
    assert.ok(cache.stats.rejections > 0);
    server.resume();
    await waitFor(() => cache.get('a').catch(() => undefined), { what: 'the cache to recover' });
    assert.equal(cache.stats.breaker.state, 'closed');
  });

  it('stays half-open for one probe at a time', async (t) => {
    const server = await startRedis(t);
    const cache = openRedisCache(t, server, { commandTimeoutMs: 2_000, breaker: { failureThreshold: 1, openMs: 30 } });
    await cache.set('a', 1);
    // An error that speaks against the server, over a connection that stands: writes need a replica that is not there.
    await server.command('CONFIG', 'SET', 'min-replicas-to-write', '1');
    await assert.rejects(cache.set('a', 2), { name: 'HotpathTierError' });
    await server.command('CONFIG', 'SET', 'min-replicas-to-write', '0');
    await waitFor(() => cache.set('a', 3).catch(() => false), { what: 'writes to work again' });
    assert.equal(await cache.get('a'), 3);
    assert.equal(cache.stats.breaker.state, 'closed');
  });
});

describe('RedisCache: a server that is not there', () => {
  it('refuses at once after the first attempt, and connects when it comes', async (t) => {
    const server = await startRedis(t);
    await server.kill();
    const cache = openRedisCache(t, server, { commandTimeoutMs: 60_000, breaker: false });
    await assert.rejects(settled(cache.get('a'), { what: 'a refusal' }), unavailable);
    await assert.rejects(cache.getMany(['a']), unavailable);
    assert.equal(cache.stats.connection, 'disconnected');
    assert.match(cache.stats.reason, /refused/i);
    await server.start();
    await waitFor(() => cache.set('a', 1).catch(() => false), { what: 'a connection' });
    assert.equal(await cache.get('a'), 1);
    assert.equal(cache.stats.reason, null);
  });

  it('refuses walks, leases and everything else, too', async (t) => {
    const { RedisCache } = require('../..');
    const cache = new RedisCache({ url: `redis://127.0.0.1:${await freePort()}` });
    t.after(() => cache.close());
    await assert.rejects(cache.ping(), unavailable);
    for (const work of [
      () => cache.keys(),
      () => cache.clear(),
      () => cache.deletePattern('a*'),
      () => cache.lease('a', 5),
    ]) {
      await assert.rejects(work(), unavailable);
    }
  });

  it('is closed while it still tries', async (t) => {
    const { RedisCache } = require('../..');
    const cache = new RedisCache({ url: `redis://127.0.0.1:${await freePort()}` });
    t.after(() => cache.close());
    await settled(cache.close(), { what: 'a cache to close' });
    await assert.rejects(cache.get('a'), { code: 'ERR_HOTPATH_CLOSED' });
  });
});

describe('RedisCache: a connection that breaks', () => {
  it('is made anew, and nothing that waits is forgotten', async (t) => {
    const server = await startRedis(t);
    const cache = openRedisCache(t, server, { breaker: false });
    await cache.set('a', { n: 1 });
    for (let round = 1; round <= 5; round += 1) {
      const asked = Array.from({ length: 20 }, () => cache.get('a'));
      await server.command('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      for (const { status, value, reason } of await Promise.allSettled(asked)) {
        if (status === 'fulfilled') assert.deepEqual(value, { n: 1 });
        else assert.equal(reason.code, unavailable.code);
      }
      await waitFor(() => cache.stats.reconnects >= round && cache.get('a').catch(() => undefined), {
        what: 'another connection',
      });
    }
  });

  it('ten times killed and restarted under load, serves again within two seconds each time', async (t) => {
    const server = await startRedis(t);
    const cache = openRedisCache(t, server, { keyPrefix: `${uniqueName('load')}:`, commandTimeoutMs: 500 });
    await cache.ping();
    const { outcomes, stop } = load(cache);
    for (let round = 0; round < 10; round += 1) {
      await waitFor(() => outcomes.answered > round * 20, { what: 'some load' });
      await server.kill();
      await waitFor(() => cache.stats.connection !== 'connected', { what: 'the loss to be noticed' });
      await server.start();
      const { answered } = outcomes;
      await waitFor(() => outcomes.answered > answered, { timeoutMs: 2_000, what: 'recovery' });
    }
    await stop();
    assert.equal(outcomes.wrong, 0);
    assert.ok(cache.stats.reconnects >= 10);
    assert.deepEqual(
      [...outcomes.failed.keys()].filter((code) => ![unavailable.code, timedOut.code].includes(code)),
      [],
    );
  });
});
