'use strict';

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { EventEmitter } = require('node:events');
const { errors, uniqueName, waitFor } = require('../support');
const { openRedisCache, sharedRedis } = require('../support/redis');

const server = sharedRedis();

/** A cache with a prefix that no other test uses. */
function open(t, options) {
  return openRedisCache(t, server(), { keyPrefix: `${uniqueName('t')}:`, ...options });
}

describe('RedisCache: one key', () => {
  it('gives back what was set, and undefined for what was not', async (t) => {
    const cache = open(t);
    assert.ok(cache instanceof EventEmitter);
    assert.equal(await cache.get('missing'), undefined);
    assert.equal(await cache.set('answer', { is: [42] }), true);
    assert.deepEqual(await cache.get('answer'), { is: [42] });
    assert.equal(await cache.put('answer', 43), true);
    assert.equal(await cache.get('answer'), 43);
  });

  it('tells a stored undefined from a miss', async (t) => {
    const cache = open(t);
    await cache.set('nothing', undefined);
    assert.equal(await cache.get('nothing'), undefined);
    assert.equal(await cache.has('nothing'), true);
    assert.equal(await cache.has('missing'), false);
    assert.deepEqual(Object.keys(await cache.mget(['nothing', 'missing'])), ['nothing']);
    assert.deepEqual(await cache.getWithTtl('nothing'), { value: undefined, ttlMs: Number.POSITIVE_INFINITY });
  });

  it('deletes and takes, and says whether there was anything', async (t) => {
    const cache = open(t);
    await cache.setMany({ a: 1, b: 'two', c: { three: 3 } });
    assert.equal(await cache.delete('a'), true);
    assert.equal(await cache.del('a'), false);
    assert.equal(await cache.take('b'), 'two');
    assert.equal(await cache.take('b'), undefined);
    assert.deepEqual(await cache.take('c'), { three: 3 });
    assert.equal(await cache.has('c'), false);
  });

  it('takes any string as a key', async (t) => {
    const cache = open(t);
    const keys = ['', ' ', 'a\0b', 'ключ', '\ud800', '\ud801', '\ufffd', '{tag}', '*?[x]', 'k'.repeat(70_000)];
    for (const [index, key] of keys.entries()) await cache.set(key, index);
    assert.deepEqual(
      await cache.getMany(keys),
      keys.map((_, index) => index),
    );
    assert.deepEqual((await cache.keys()).sort(), [...keys].sort());
  });

  it('sends what one turn asks for as one pipeline, in order', async (t) => {
    const cache = open(t);
    await cache.ping();
    const { batches } = cache.stats;
    const answers = await Promise.all([
      cache.set('n', 1),
      cache.get('n'),
      cache.increment('n', 4),
      cache.get('n'),
      cache.delete('n'),
      cache.get('n'),
    ]);
    assert.deepEqual(answers, [true, 1, 5, 5, true, undefined]);
    assert.equal(cache.stats.batches, batches + 1);
  });

  it('keeps the order over many turns that nobody awaits', async (t) => {
    const cache = open(t);
    const reads = [];
    for (let round = 0; round < 300; round += 1) {
      cache.set('n', round);
      reads.push(cache.get('n'));
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.deepEqual(
      await Promise.all(reads),
      reads.map((_, round) => round),
    );
  });
});

describe('RedisCache: time to live', () => {
  it('takes seconds, or milliseconds in an object, or its own default', async (t) => {
    const cache = open(t, { ttlMs: 90_000 });
    await cache.set('default', 1);
    await cache.set('seconds', 1, 5);
    await cache.set('fraction', 1, 0.5);
    await cache.set('ms', 1, { ttlMs: 7_000 });
    await cache.set('ever', 1, Number.POSITIVE_INFINITY);
    const near = (ttl, wanted) => assert.ok(ttl > wanted * 0.5 && ttl <= wanted, `${ttl} of ${wanted}`);
    near(await cache.getTtl('default'), 90_000);
    near(await cache.getTtl('seconds'), 5_000);
    near(await cache.getTtl('fraction'), 500);
    near((await cache.getWithTtl('ms')).ttlMs, 7_000);
    assert.equal(await cache.getTtl('ever'), Number.POSITIVE_INFINITY);
    assert.equal(await cache.getTtl('missing'), undefined);
  });

  it('lets entries go', async (t) => {
    const cache = open(t);
    await cache.set('brief', 'value', { ttlMs: 30 });
    assert.equal(await cache.get('brief'), 'value');
    await waitFor(async () => (await cache.get('brief')) === undefined, { what: 'an entry to expire' });
  });

  it('starts it anew by touch', async (t) => {
    const cache = open(t);
    await cache.set('a', 1, 5);
    assert.equal(await cache.touch('a', 100), true);
    assert.ok((await cache.getTtl('a')) > 50_000);
    assert.equal(await cache.touch('a'), true);
    assert.equal(await cache.getTtl('a'), Number.POSITIVE_INFINITY, "the cache's own: for ever");
    assert.equal(await cache.touch('a'), true, 'also when there is nothing to change');
    assert.equal(await cache.touch('missing', 5), false);
    assert.equal(await cache.touch('missing'), false);
  });
});

describe('RedisCache: many keys', () => {
  it('reads in order, or as an object of the hits', async (t) => {
    const cache = open(t);
    assert.equal(
      await cache.setMany([
        ['a', 1],
        ['b', { n: 2 }],
        ['__proto__', 'x'],
      ]),
      3,
    );
    assert.deepEqual(await cache.getMany(['b', 'missing', 'a', 'b']), [{ n: 2 }, undefined, 1, { n: 2 }]);
    const hits = await cache.mget(['a', 'missing', '__proto__']);
    assert.deepEqual(Object.entries(hits), [
      ['a', 1],
      ['__proto__', 'x'],
    ]);
    assert.equal(await cache.deleteMany(['a', 'b', 'missing']), 2);
  });

  it('takes objects, Maps and pairs, with a time to live for all', async (t) => {
    const cache = open(t);
    await cache.mset({ a: 1 }, 5);
    await cache.mset(new Map([['b', 2]]), { ttlMs: 5_000 });
    await cache.mset([['c', 3]]);
    assert.deepEqual(await cache.getMany(['a', 'b', 'c']), [1, 2, 3]);
    assert.ok((await cache.getTtl('a')) <= 5_000);
    assert.ok((await cache.getTtl('b')) <= 5_000);
    assert.equal(await cache.getTtl('c'), Number.POSITIVE_INFINITY);
  });

  it('needs no server for nothing', async (t) => {
    const cache = open(t);
    assert.deepEqual(await cache.getMany([]), []);
    assert.deepEqual(await cache.mget([]), {});
    assert.equal(await cache.setMany({}), 0);
    assert.equal(await cache.deleteMany([]), 0);
  });

  it('hands over thousands of values of every size', async (t) => {
    const cache = open(t, { commandTimeoutMs: 20_000 });
    const entries = Array.from({ length: 3_000 }, (_, i) => [`k${i}`, { i, text: 'x'.repeat((i * 37) % 400) }]);
    entries[500][1] = 'y'.repeat(300_000);
    entries[501][1] = Buffer.alloc(200_000, 7);
    entries[1_700][1] = [1, 'two', { long: 'z'.repeat(100_000) }];
    await cache.setMany(entries);
    const keys = entries.map(([key]) => key);
    assert.deepEqual(
      await cache.getMany(keys),
      entries.map(([, value]) => value),
    );
    const singly = await Promise.all(keys.map((key) => cache.get(key)));
    assert.deepEqual(singly, await cache.getMany(keys));
  });

  it('stores nothing when one value cannot be stored', async (t) => {
    const cache = open(t);
    await assert.rejects(cache.setMany({ a: 1, b: { f() {} } }), errors.invalidType('value.f'));
    assert.deepEqual(await cache.getMany(['a', 'b']), [undefined, undefined]);
    assert.equal(await cache.setMany({ c: 3 }), 1);
    assert.deepEqual(await cache.keys(), ['c'], 'nothing of it was left over');
  });
});

describe('RedisCache: increment', () => {
  it('counts as JavaScript does, and sets a ttl only when it creates', async (t) => {
    const cache = open(t);
    assert.equal(await cache.increment('n', 1, 50), 1);
    assert.ok((await cache.getTtl('n')) <= 50_000);
    assert.equal(await cache.increment('n', 0.1, 5_000), 1.1);
    assert.ok((await cache.getTtl('n')) <= 50_000, 'the first one stays');
    assert.equal(await cache.increment('n', -0.4), 1.1 - 0.4);
    assert.equal(await cache.get('n'), 1.1 - 0.4);
    assert.equal(await cache.increment('sum', 0.1), 0.1);
    assert.equal(await cache.increment('sum', 0.2), 0.1 + 0.2);
    assert.equal(await cache.increment('large', 2 ** 53), 2 ** 53);
    assert.equal(await cache.increment('large', 1e300), 1e300 + 2 ** 53);
  });

  it('adds to numbers that were set', async (t) => {
    const cache = open(t);
    for (const start of [5, -0.5, 1e21, 5e-324, 123456789.123]) {
      await cache.set('n', start);
      assert.equal(await cache.increment('n', 3), start + 3);
    }
  });

  it('refuses what is not a number, and sums that are none', async (t) => {
    const cache = open(t);
    for (const value of ['text', { n: 1 }, null, true, [], Buffer.from('5')]) {
      await cache.set('v', value);
      await assert.rejects(cache.increment('v'), errors.notANumber);
      assert.deepEqual(await cache.get('v'), value);
    }
    await cache.set('n', Number.MAX_VALUE);
    await assert.rejects(cache.increment('n', Number.MAX_VALUE), { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' });
    assert.equal(await cache.get('n'), Number.MAX_VALUE);
    await assert.rejects(cache.increment('n', Number.NaN), errors.outOfRange('by'));
    await assert.rejects(cache.increment('n', '5'), errors.invalidType('by'));
  });

  it('is atomic among clients, and survives a server that forgot its scripts', async (t) => {
    const cache = open(t);
    await cache.increment('n', 0);
    await server().command('SCRIPT', 'FLUSH');
    const other = openRedisCache(t, server(), { keyPrefix: cache.stats.keyPrefix });
    await Promise.all(Array.from({ length: 200 }, (_, i) => (i % 2 ? cache : other).increment('n')));
    assert.equal(await cache.get('n'), 200);
  });
});

describe('RedisCache: patterns and prefixes', () => {
  const KEYS = ['user:1', 'user:2', 'user:10', 'post:1', 'post:[x]', 'a*b'];

  it('finds keys by the same globs as the memory cache', async (t) => {
    const { MemoryCache } = require('../..');
    const cache = open(t);
    const memory = new MemoryCache();
    t.after(() => memory.close());
    for (const key of KEYS) {
      await cache.set(key, 1);
      memory.set(key, 1);
    }
    const globs = [
      '*',
      'user:*',
      'user:?',
      'user:[!1]',
      'user:[^1]*',
      '[up]*:1',
      'post:\\[x\\]',
      'a\\*b',
      'nothing*',
      'post:1',
    ];
    for (const glob of globs) {
      assert.deepEqual((await cache.keys(glob)).sort(), memory.keys(glob).sort(), glob);
    }
  });

  it('deletes by pattern and counts', async (t) => {
    const cache = open(t);
    for (const key of KEYS) await cache.set(key, 1);
    assert.equal(await cache.deletePattern('user:?'), 2);
    assert.equal(await cache.deletePattern('post:1'), 1);
    assert.equal(await cache.deletePattern('nothing*'), 0);
    assert.deepEqual((await cache.keys()).sort(), ['a*b', 'post:[x]', 'user:10']);
  });

  it('touches nothing but its own prefix, however it is spelt', async (t) => {
    const label = uniqueName('p');
    const mine = open(t, { keyPrefix: `${label}[a]*:` });
    const others = ['a', 'ab'].map((name) => open(t, { keyPrefix: `${label}${name}:` }));
    for (const cache of [mine, ...others]) await cache.setMany({ x: 1, y: 2 });
    await mine.clear();
    assert.deepEqual(await mine.keys(), []);
    for (const other of others) assert.deepEqual((await other.keys()).sort(), ['x', 'y']);
  });

  it('walks over more keys than one step, and never asks for KEYS', async (t) => {
    const cache = open(t, { commandTimeoutMs: 20_000 });
    await cache.setMany(Array.from({ length: 5_000 }, (_, i) => [`k${i}`, i]));
    assert.equal((await cache.keys('k*')).length, 5_000);
    assert.equal(await cache.deletePattern('k?'), 10);
    await cache.clear();
    assert.equal((await cache.keys()).length, 0);
    assert.doesNotMatch(await server().command('INFO', 'commandstats'), /cmdstat_keys:/);
  });

  it('with an empty prefix holds the whole database, except what hotpath keeps for itself', async (t) => {
    const cache = open(t, { keyPrefix: '', database: 5 });
    await cache.set('plain', 'value');
    // Enough of one shape for a dictionary.
    for (let i = 0; i < 5; i += 1) await cache.set(`o${i}`, { id: i, name: 'n' });
    await waitFor(() => cache.stats.shapes > 0, { what: 'a shape in the dictionary' });
    assert.equal((await cache.keys()).length, 6);
    await cache.clear();
    assert.deepEqual(await cache.keys(), []);
    assert.equal(await server().command('-n', '5', 'DBSIZE'), '1', 'the dictionary stays');
  });
});

describe('RedisCache: statistics', () => {
  it('counts what happened', async (t) => {
    const cache = open(t, { ttlMs: 5_000 });
    await cache.set('a', 1);
    await cache.setMany({ b: 2, c: 3 });
    await cache.increment('n');
    await Promise.all([cache.get('a'), cache.get('missing'), cache.getMany(['b', 'x', 'c'])]);
    await cache.delete('a');
    await cache.deleteMany(['b', 'missing']);
    const { batches, ...stats } = cache.stats;
    assert.ok(batches <= 6);
    assert.deepEqual(stats, {
      connection: 'connected',
      reason: null,
      address: `127.0.0.1:${server().port}`,
      keyPrefix: stats.keyPrefix,
      format: 'native',
      hits: 3,
      misses: 2,
      hitRatio: 0.6,
      sets: 4,
      deletes: 2,
      commands: 8,
      errors: 0,
      timeouts: 0,
      rejections: 0,
      reconnects: 0,
      undecodable: 0,
      shapes: 0,
      tracking: false,
      invalidations: 0,
      breaker: { state: 'closed', openings: 0 },
    });
  });

  it('pings', async (t) => {
    const cache = open(t);
    assert.ok((await cache.ping()) > 0);
  });
});
