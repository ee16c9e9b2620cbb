'use strict';

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { inspect } = require('node:util');
const { uniqueName, waitFor } = require('../support');
const { openRedisCache, startRedis } = require('../support/redis');

const PASSWORD = 'correct-horse-battery';
const WRONG = 'wrong-secret-phrase';

/** Everything that an error says, to anybody. */
const told = (error) => `${error.stack} ${inspect(error, { depth: 5 })} ${JSON.stringify(error)}`;

describe('RedisCache: logins', () => {
  it('by password, in the options or in the URL', async (t) => {
    const server = await startRedis(t, { password: PASSWORD });
    const cache = openRedisCache(t, server);
    await cache.set('a', 1);
    const url = `redis://:${encodeURIComponent(PASSWORD)}@127.0.0.1:${server.port}/0`;
    const other = openRedisCache(t, { url });
    assert.equal(await other.get('a'), 1);
    for (const text of [
      inspect(cache, { depth: 5, showHidden: true }),
      JSON.stringify(other.stats),
      inspect(other.stats),
    ]) {
      assert.ok(!text.includes(PASSWORD));
    }
  });

  it('as a user of an access control list, with what it may do', async (t) => {
    const server = await startRedis(t);
    await server.command(
      'ACL',
      'SETUSER',
      'reader',
      'on',
      `>${PASSWORD}`,
      '~*',
      '+@read',
      '+@connection',
      '+script',
      '+client',
    );
    await openRedisCache(t, server).set('a', 1);
    const cache = openRedisCache(t, server, { username: 'reader', password: PASSWORD });
    assert.equal(await cache.get('a'), 1);
    await assert.rejects(cache.set('a', 2), {
      name: 'HotpathTierError',
      code: 'ERR_HOTPATH_TIER_FAILED',
      message: /NOPERM/,
    });
    assert.equal(cache.stats.breaker.state, 'closed', 'a refusal is no outage');
  });

  it('wrong ones are refused, and shown nowhere', async (t) => {
    const server = await startRedis(t, { password: PASSWORD });
    const cache = openRedisCache(t, { url: `redis://some-user:${WRONG}@127.0.0.1:${server.port}` });
    const error = await cache.get('a').catch((reason) => reason);
    assert.equal(error.code, 'ERR_HOTPATH_TIER_UNAVAILABLE');
    assert.match(error.message, /auth|WRONGPASS/i);
    for (const text of [told(error), JSON.stringify(cache.stats)]) {
      assert.ok(!text.includes(WRONG) && !text.includes('some-user'), text);
    }
  });

  it('a password that is missing is an error that says so', async (t) => {
    const server = await startRedis(t, { password: PASSWORD });
    const cache = openRedisCache(t, { url: server.url });
    await assert.rejects(cache.get('a'), { code: 'ERR_HOTPATH_TIER_UNAVAILABLE', message: /NOAUTH|auth/i });
  });

  it('conflicts of named caches name both addresses and no secret', (t) => {
    const { RedisCache } = require('../..');
    const name = uniqueName('secret');
    const first = new RedisCache({ name, url: `redis://u:${PASSWORD}@localhost:1` });
    t.after(() => first.close());
    for (const url of [`redis://u:${WRONG}@localhost:1`, `redis://u:${WRONG}@localhost:2/3`]) {
      assert.throws(
        () => new RedisCache({ name, url }),
        (error) => {
          assert.equal(error.code, 'ERR_HOTPATH_OPTION_CONFLICT');
          assert.ok(!told(error).includes(WRONG) && !told(error).includes(PASSWORD));
          return true;
        },
      );
    }
  });
});

describe('RedisCache: TLS', () => {
  it('with an authority of its own, by rediss:// or by option', async (t) => {
    const server = await startRedis(t, { tls: true, password: PASSWORD });
    const cache = openRedisCache(t, server);
    await cache.set('a', { n: 1 });
    assert.deepEqual(await cache.get('a'), { n: 1 });
    const byOption = openRedisCache(
      t,
      {
        url: `redis://localhost:${server.port}`,
        password: PASSWORD,
      },
      { tls: { ca: [server.ca.toString()] } },
    );
    assert.deepEqual(await byOption.get('a'), { n: 1 });
  });

  it('does not talk to a server that nobody vouches for, unless told to', async (t) => {
    const server = await startRedis(t, { tls: true });
    const wary = openRedisCache(t, { url: server.url });
    await assert.rejects(wary.get('a'), { code: 'ERR_HOTPATH_TIER_UNAVAILABLE' });
    const careless = openRedisCache(t, { url: server.url }, { tls: { rejectUnauthorized: false } });
    await careless.set('a', 1);
    assert.equal(await careless.get('a'), 1);
  });

  it('plain text against an encrypted port is an error, and so is the reverse', async (t) => {
    const encrypted = await startRedis(t, { tls: true });
    const plain = await startRedis(t);
    const wrong = [
      openRedisCache(t, { url: `redis://127.0.0.1:${encrypted.port}` }),
      openRedisCache(t, { url: `rediss://127.0.0.1:${plain.port}` }),
    ];
    for (const cache of wrong) {
      await assert.rejects(cache.get('a'), (error) => /^ERR_HOTPATH_(TIER_UNAVAILABLE|TIMEOUT)$/.test(error.code));
    }
  });

  it('is set up again after a restart', async (t) => {
    const server = await startRedis(t, { tls: true });
    const cache = openRedisCache(t, server, { breaker: false });
    await cache.set('a', 1);
    await server.kill();
    await server.start();
    await waitFor(() => cache.set('a', 2).catch(() => false), { what: 'another encrypted connection' });
    assert.equal(await cache.get('a'), 2);
  });
});
