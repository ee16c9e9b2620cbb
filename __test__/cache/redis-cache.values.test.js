'use strict';

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const Redis = require('ioredis');
const { createClient } = require('redis');
const { errors, uniqueName, waitFor, runInChild } = require('../support');
const { openRedisCache, sharedRedis } = require('../support/redis');
const { VALUES, expectedOf } = require('../support/values');

/** Another client of the same server. */
let other;

const server = sharedRedis({}, async ({ url }, end) => {
  other = createClient({ url });
  await other.connect();
  end(() => other.destroy());
});

function open(t, options) {
  return openRedisCache(t, server(), { keyPrefix: `${uniqueName('v')}:`, ...options });
}

const nameOf = (cache, key) => cache.stats.keyPrefix + key;

describe('RedisCache: native values', () => {
  it('come back equal, whatever structured clone takes, singly and in bulk', async (t) => {
    const cache = open(t, { commandTimeoutMs: 20_000 });
    for (const [label, make] of VALUES) {
      await cache.set(label, make());
      assert.deepStrictEqual(await cache.get(label), expectedOf(label, make), label);
    }
    await cache.setMany(VALUES.map(([label, make]) => [`bulk ${label}`, make()]));
    const read = await cache.getMany(VALUES.map(([label]) => `bulk ${label}`));
    for (const [index, [label, make]] of VALUES.entries()) {
      assert.deepStrictEqual(read[index], expectedOf(label, make), label);
    }
  });

  it('are refused where they cannot be stored, with the place', async (t) => {
    const cache = open(t);
    await assert.rejects(
      cache.set('f', () => {}),
      errors.invalidType('value'),
    );
    await assert.rejects(cache.set('f', { user: { on: () => {} } }), errors.invalidType('value.user.on'));
    assert.equal(await cache.has('f'), false);
  });

  it('are numbers that others can read and write', async (t) => {
    const cache = open(t);
    await cache.set('n', 41.5);
    assert.equal(await other.get(nameOf(cache, 'n')), '41.5');
    await other.set(nameOf(cache, 'm'), '7');
    assert.equal(await cache.get('m'), 7);
    await other.set(nameOf(cache, 's'), 'plain text, ünïcödé');
    assert.equal(await cache.get('s'), 'plain text, ünïcödé');
  });

  it('are never guessed from damaged bytes', async (t) => {
    const cache = open(t);
    for (const bytes of [[10], [10, 1, 2, 3], [11, 1, 2, 3, 4], [12, 0xff], [10, 0, 0, 0, 0, 0, 0xdc]]) {
      await other.set(nameOf(cache, 'broken'), Buffer.from(bytes));
      const isRefused = (error) => /^ERR_HOTPATH_(CORRUPT_VALUE|DAMAGED)$/.test(error.code);
      await assert.rejects(cache.get('broken'), isRefused, `${bytes}`);
    }
    await other.lPush(nameOf(cache, 'list'), 'x');
    await assert.rejects(cache.get('list'), {
      name: 'HotpathTierError',
      code: 'ERR_HOTPATH_TIER_FAILED',
      tier: 'redis',
    });
    await cache.set('fine', 1);
    assert.equal(await cache.get('fine'), 1);
  });
});

describe('RedisCache: JSON values', () => {
  const user = { id: 7, name: 'Ünal', tags: ['a', null, true], at: { x: 1.5 } };

  it('are JSON text to node-redis and ioredis', async (t) => {
    const cache = open(t, { format: 'json' });
    await cache.set('user', user);
    assert.deepEqual(JSON.parse(await other.get(nameOf(cache, 'user'))), user);
    const io = new Redis(server().port, '127.0.0.1');
    t.after(() => io.disconnect());
    assert.deepEqual(JSON.parse(await io.get(nameOf(cache, 'user'))), user);
    await io.set(nameOf(cache, 'theirs'), JSON.stringify({ from: 'ioredis' }));
    assert.deepEqual(await cache.get('theirs'), { from: 'ioredis' });
    assert.deepEqual(await cache.getMany(['theirs', 'missing', 'user']), [{ from: 'ioredis' }, undefined, user]);
  });

  it('are what JSON makes of them', async (t) => {
    const cache = open(t, { format: 'json' });
    const values = ['text', '"quoted"', 'grün', '\ud800', 0, -1.5e300, true, false, null, [], {}, 'x'.repeat(100_000)];
    for (const value of values) {
      await cache.set('v', value);
      assert.deepEqual(await cache.get('v'), JSON.parse(JSON.stringify(value)));
    }
    await cache.set('date', new Date(0));
    assert.equal(await cache.get('date'), '1970-01-01T00:00:00.000Z');
  });

  it('count', async (t) => {
    const cache = open(t, { format: 'json' });
    assert.equal(await cache.increment('n', 2, 60), 2);
    assert.equal(await cache.increment('n', 0.5), 2.5);
    assert.equal(await cache.get('n'), 2.5);
    await cache.set('s', 'text');
    await assert.rejects(cache.increment('s'), errors.notANumber);
  });

  it('are refused where JSON has no word for them', async (t) => {
    const cache = open(t, { format: 'json' });
    const cyclic = {};
    cyclic.self = cyclic;
    for (const value of [undefined, () => {}, Symbol('s'), 10n, { n: 10n }, cyclic]) {
      await assert.rejects(cache.set('v', value), errors.invalidType('value'));
    }
    assert.equal(await cache.has('v'), false);
    await other.set(nameOf(cache, 'broken'), '{not json');
    await assert.rejects(cache.get('broken'), { code: 'ERR_HOTPATH_CORRUPT_VALUE' });
  });
});

describe('RedisCache: the dictionary of shapes', () => {
  const record = (id) => ({ identifier: id, displayName: `user ${id}`, emailAddress: `${id}@example.com` });

  async function fill(cache, from, to) {
    for (let id = from; id < to; id += 1) await cache.set(`${id}`, record(id));
  }

  it('takes the names of common shapes out of the values', async (t) => {
    const cache = open(t);
    await fill(cache, 0, 20);
    await waitFor(() => cache.stats.shapes === 1, { what: 'the shape to be known' });
    await fill(cache, 20, 40);
    const bytes = async (id) => await other.strLen(nameOf(cache, `${id}`));
    assert.ok((await bytes(39)) < (await bytes(0)) - 25, 'names are not in the value any more');
    for (const id of [0, 19, 20, 39]) assert.deepEqual(await cache.get(`${id}`), record(id));
  });

  it('is found by every other process', async (t) => {
    const cache = open(t);
    await fill(cache, 0, 20);
    await waitFor(() => cache.stats.shapes === 1, { what: 'the shape to be known' });
    await fill(cache, 20, 30);
    const { said, code } = await runInChild(
      async ({ load, say }, { url, keyPrefix }) => {
        const { RedisCache } = load();
        const cache = new RedisCache({ url, keyPrefix });
        say(await cache.getMany(['0', '29']));
        for (let id = 100; id < 110; id += 1) await cache.set(`${id}`, { different: id, shape: 'of theirs' });
        while (cache.stats.shapes < 2) await new Promise((resolve) => setTimeout(resolve, 2));
        await cache.set('200', { different: 200, shape: 'of theirs' });
        await cache.close();
      },
      { data: { url: server().url, keyPrefix: cache.stats.keyPrefix } },
    );
    assert.equal(code, 0);
    assert.deepEqual(said, [[record(0), record(29)]]);
    assert.equal(cache.stats.shapes, 1, 'nobody has told us yet');
    assert.deepEqual(await cache.get('200'), { different: 200, shape: 'of theirs' });
    assert.equal(cache.stats.shapes, 2);
  });

  it('is put back after a flush, so that new readers can read', async (t) => {
    const cache = open(t, { database: 3 });
    await fill(cache, 0, 20);
    await waitFor(() => cache.stats.shapes === 1, { what: 'the shape to be known' });
    await server().command('-n', '3', 'FLUSHDB');
    const reader = openRedisCache(t, server(), { keyPrefix: cache.stats.keyPrefix, database: 3 });
    await waitFor(
      async () => {
        await cache.set('again', record(1));
        return (await reader.get('again')) !== undefined;
      },
      { what: 'a reader that can read' },
    );
    assert.deepEqual(await reader.get('again'), record(1));
  });

  it('makes a miss of a record whose dictionary is gone, never a wrong value', async (t) => {
    const cache = open(t, { database: 4 });
    await fill(cache, 0, 20);
    await waitFor(() => cache.stats.shapes === 1, { what: 'the shape to be known' });
    await cache.set('late', record(5));
    const dictionary = (await server().command('-n', '4', 'KEYS', '@hotpath/records/*')).split('\n');
    assert.equal(dictionary.length, 1);
    await server().command('-n', '4', 'DEL', dictionary[0]);
    const reader = openRedisCache(t, server(), { keyPrefix: cache.stats.keyPrefix, database: 4 });
    assert.equal(await reader.get('late'), undefined);
    assert.deepEqual(await reader.getMany(['late', '0']), [undefined, record(0)]);
    assert.equal(await reader.getWithTtl('late'), undefined);
    assert.equal(reader.stats.undecodable, 3);
    // Another dictionary takes its place, with other names at the same numbers.
    for (let id = 0; id < 20; id += 1) await reader.set(`other ${id}`, { entirely: id, different: 'x', names: null });
    await waitFor(() => reader.stats.shapes === 1, { what: 'another dictionary' });
    assert.equal(await reader.get('late'), undefined);
    assert.deepEqual(await cache.get('late'), record(5), 'who remembers it can still read');
  });

  it('does not fill up with objects that are tables', async (t) => {
    const cache = open(t);
    const table = (i) => Object.fromEntries(Array.from({ length: 5 }, (_, j) => [`key-${i}-${j}`, j]));
    for (let i = 0; i < 300; i += 1) await cache.set('t', table(i));
    assert.equal(cache.stats.shapes, 0);
    assert.deepEqual(await cache.get('t'), table(299));
  });

  it('grows by many writers at once and loses none', async (t) => {
    const prefix = `${uniqueName('many')}:`;
    const caches = Array.from({ length: 4 }, () => open(t, { keyPrefix: prefix }));
    const shape = (number, i) => ({ [`name${number}`]: i, [`other${number}`]: `${i}`, common: true });
    for (let i = 0; i < 60; i += 1) {
      await Promise.all(caches.map((cache, writer) => cache.set(`${writer}-${i}`, shape((i + writer) % 12, i))));
    }
    for (let i = 0; i < 60; i += 1) {
      for (let writer = 0; writer < 4; writer += 1) {
        const reader = caches[(writer + 1) % 4];
        assert.deepEqual(await reader.get(`${writer}-${i}`), shape((i + writer) % 12, i));
      }
    }
  });
});
