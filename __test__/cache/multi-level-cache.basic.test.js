'use strict';

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { MemoryCache, MultiLevelCache } = require('../..');
const { uniqueName, waitFor } = require('../support');
const { MapTier, NullTier, openLevels } = require('../support/tiers');

/** What a tier was given under a key: value and ttl of the last write. */
function lastWrite(tier, key) {
  const [, value, ttl] = tier.callsOf('set').findLast(([written]) => written === key);
  return { value, ttl };
}

describe('MultiLevelCache with options', () => {
  it('writes to all levels, each for at most as long as it allows', async (t) => {
    const { cache, l1, l2, l3 } = openLevels(t, { l1Cache: new MapTier(), l3Cache: new MapTier() });
    await cache.set('no ttl', 1);
    assert.deepEqual(
      [l1, l2, l3].map((tier) => lastWrite(tier, 'no ttl').ttl),
      [300, 3600, 86_400],
    );
    await cache.put('short', 1, 60);
    assert.deepEqual(
      [l1, l2, l3].map((tier) => lastWrite(tier, 'short').ttl),
      [60, 60, 60],
    );
    await cache.put('long', 1, 1e6);
    assert.deepEqual(
      [l1, l2, l3].map((tier) => lastWrite(tier, 'long').ttl),
      [300, 3600, 86_400],
    );
  });

  it('takes 0 and null for no ttl, as applications do', async (t) => {
    const { cache, l2 } = openLevels(t, { l2TTL: 50 });
    for (const ttl of [0, null, undefined]) {
      await cache.put('key', 1, ttl);
      assert.equal(lastWrite(l2, 'key').ttl, 50);
    }
  });

  it('reads from the nearest level, and promotes to those before it', async (t) => {
    const { cache, l1, l2, l3 } = openLevels(t, { l3Cache: new MapTier() });
    l3.entries.set('key', { n: 1 });
    assert.deepEqual(await cache.get('key'), { n: 1 });
    assert.deepEqual(l1.get('key'), { n: 1 });
    await waitFor(() => l2.entries.has('key'));
    assert.ok(lastWrite(l2, 'key').ttl <= 3600);
    l1.clear();
    assert.deepEqual(await cache.get('key'), { n: 1 });
    assert.equal(l3.callsOf('get').length, 1, 'the third level was asked once');
  });

  it('promotion never extends what remains of a ttl', async (t) => {
    const { cache, l1, l2, l3 } = openLevels(t, { l3Cache: new MapTier() });
    await cache.put('key', 'value', 10);
    const written = l2.callsOf('set').length;
    l1.clear();
    l2.entries.clear();
    assert.equal(await cache.get('key'), 'value');
    assert.ok(l1.getTtl('key') <= 10_000);
    await waitFor(() => l2.callsOf('set').length > written);
    assert.ok(lastWrite(l2, 'key').ttl <= 10);
    assert.equal(l3.callsOf('get').length, 1);
  });

  it('undefined is a miss and null is a value, of a foreign tier', async (t) => {
    const { cache, l2 } = openLevels(t);
    l2.entries.set('null', null);
    assert.equal(await cache.get('null'), null);
    assert.equal(await cache.get('nothing'), undefined);
    assert.equal(await cache.has('null'), true);
    assert.equal(await cache.has('nothing'), false);
  });

  it('makes a memory cache of its own when it is given none', async (t) => {
    const cache = new MultiLevelCache();
    t.after(() => cache.close());
    assert.equal(await cache.set('key', 'value'), true);
    assert.equal(await cache.get('key'), 'value');
    assert.equal(cache.stats.levels[0].tier, 'memory');
  });

  it('skips levels that are not there', async (t) => {
    const l3Cache = new MapTier();
    const { cache, l1 } = openLevels(t, { l2Cache: null, l3Cache });
    await cache.set('key', 'value');
    l1.clear();
    assert.equal(await cache.get('key'), 'value');
    assert.equal(cache.getMetrics().l3Hits, 1);
  });

  it('milliseconds for a tier that wants them', async (t) => {
    const tier = new MapTier();
    const { cache } = openLevels(t, { l2Cache: { tier, ttlUnit: 'ms' } });
    await cache.set('key', 'value', 60);
    assert.equal(lastWrite(tier, 'key').ttl, 60_000);
    await cache.set('key', 'value', { ttlMs: 250 });
    assert.equal(lastWrite(tier, 'key').ttl, 250);
  });

  it('values come back as they were, whatever they are', async (t) => {
    const { cache, l1 } = openLevels(t);
    const values = {
      date: new Date(5),
      map: new Map([[1, new Set(['a'])]]),
      bytes: Buffer.from('bytes'),
      empty: Buffer.alloc(0),
      big: 10n ** 30n,
      nan: Number.NaN,
      minusZero: -0,
      text: 'text',
      nothing: '',
      deep: { list: [{ id: 1 }, { id: 2, more: null }], at: new Date(7) },
      regexp: /a+/g,
      array: new Float64Array([1, 2]),
    };
    for (const [name, value] of Object.entries(values)) {
      await cache.set(name, value);
      assert.deepEqual(await cache.get(name), value, `${name} from memory`);
      l1.clear();
      assert.deepEqual(await cache.get(name), value, `${name} from the second level`);
      assert.deepEqual(await cache.get(name), value, `${name} once promoted`);
    }
    assert.deepEqual(await cache.getMany(Object.keys(values)), Object.values(values));
  });
});

describe('MultiLevelCache in the positional form', () => {
  it('memory keeps values for 300 seconds at most, the second level as long as it is told', async (t) => {
    const [first, second] = [new MapTier(), new MapTier()];
    const cache = new MultiLevelCache(first, second);
    t.after(() => cache.close());
    await cache.set('key', 'value', 3600);
    assert.equal(lastWrite(first, 'key').ttl, 300);
    assert.equal(lastWrite(second, 'key').ttl, 3600);
    await cache.set('key', 'value', 60);
    assert.equal(lastWrite(first, 'key').ttl, 60);
    assert.equal(lastWrite(second, 'key').ttl, 60);
  });

  it('a miss is null, of the tiers and of the cache', async (t) => {
    const [first, second] = [new NullTier(), new NullTier()];
    const cache = new MultiLevelCache(first, second);
    t.after(() => cache.close());
    assert.equal(await cache.get('nothing'), null);
    assert.deepEqual(await cache.getMany(['nothing']), [null]);
    second.entries.set('key', { n: 1 });
    assert.deepEqual(await cache.get('key'), { n: 1 });
    await waitFor(() => first.entries.has('key'));
    const { ttl } = lastWrite(first, 'key');
    assert.ok(ttl > 299 && ttl <= 300);
    assert.equal(second.callsOf('get').length, 3);
  });

  it('takes one tier, a name and settings, too', async (t) => {
    const memory = new MemoryCache();
    const cache = new MultiLevelCache(memory, null, { name: uniqueName(), graceMs: 50 });
    t.after(async () => {
      await cache.close();
      memory.close();
    });
    await cache.set('key', 1);
    assert.equal(memory.get('key'), 1);
    const single = new MultiLevelCache(new MapTier());
    t.after(() => single.close());
    await single.set('key', 2);
    assert.equal(await single.get('key'), 2);
  });
});

describe('MultiLevelCache: keys and values many at a time', () => {
  it('getMany and mget answer in one go, from whatever level has a value', async (t) => {
    const { cache, l1, l2 } = openLevels(t);
    await cache.setMany({ a: 1, b: 2 });
    l1.clear();
    l2.entries.set('c', 3);
    await cache.get('a');
    assert.deepEqual(await cache.getMany(['c', 'a', 'nothing', 'b', 'a']), [3, 1, undefined, 2, 1]);
    assert.deepEqual(await cache.mget(['nothing', 'c', 'b']), { c: 3, b: 2 });
    assert.equal(l1.size, 3);
  });

  it('setMany takes an object, a Map or pairs, and one lifetime', async (t) => {
    const { cache, l2 } = openLevels(t);
    assert.equal(await cache.setMany({ a: 1 }, 60), 1);
    assert.equal(
      await cache.mset(
        new Map([
          ['b', 2],
          ['c', 3],
        ]),
        { ttlMs: 1000 },
      ),
      2,
    );
    assert.equal(await cache.setMany([['d', 4]]), 1);
    assert.deepEqual(
      [...l2.entries],
      [
        ['a', 1],
        ['b', 2],
        ['c', 3],
        ['d', 4],
      ],
    );
    assert.equal(lastWrite(l2, 'a').ttl, 60);
    assert.equal(lastWrite(l2, 'b').ttl, 1);
  });

  it('one value that cannot be stored leaves everything as it was', async (t) => {
    const { cache, l2 } = openLevels(t);
    await assert.rejects(cache.setMany({ a: 1, b: () => {} }), { code: 'ERR_INVALID_ARG_TYPE' });
    assert.equal(l2.entries.size, 0);
    assert.equal(await cache.get('a'), undefined);
  });

  it('deleteMany counts what was there', async (t) => {
    const { cache, l1 } = openLevels(t);
    await cache.setMany({ a: 1, b: 2, c: 3 });
    l1.clear();
    assert.equal(await cache.deleteMany(['a', 'b', 'nothing']), 2);
    assert.deepEqual(await cache.getMany(['a', 'b', 'c']), [undefined, undefined, 3]);
  });
});

describe('MultiLevelCache: counts', () => {
  it('getMetrics has the documented shape', async (t) => {
    const { cache, l1 } = openLevels(t);
    assert.deepEqual(cache.getMetrics(), {
      l1Hits: 0,
      l2Hits: 0,
      l3Hits: 0,
      misses: 0,
      writes: 0,
      totalRequests: 0,
      hitRate: '0%',
      l1HitRate: '0%',
      latency: {},
    });
    await cache.set('key', 1);
    await cache.get('key');
    await cache.get('key');
    l1.clear();
    await cache.get('key');
    await cache.get('nothing');
    const { latency, ...metrics } = cache.getMetrics();
    assert.deepEqual(metrics, {
      l1Hits: 2,
      l2Hits: 1,
      l3Hits: 0,
      misses: 1,
      writes: 1,
      totalRequests: 4,
      hitRate: '75.00%',
      l1HitRate: '50.00%',
    });
    for (const level of ['l1', 'l2']) {
      assert.match(latency[level].avg, /^\d+\.\d\d$/);
      for (const percentile of ['p50', 'p95', 'p99']) assert.equal(typeof latency[level][percentile], 'number');
    }
    assert.equal(latency.l3, undefined);
    const { stats } = cache;
    assert.equal(stats.hitRatio, 0.75);
    assert.equal(stats.promotions, 1);
    assert.deepEqual(
      stats.levels.map(({ level, tier, breaker }) => [level, tier, breaker]),
      [
        [1, 'memory', null],
        [2, 'foreign', 'closed'],
      ],
    );
  });

  it('events tell what happens', async (t) => {
    const { cache, l1 } = openLevels(t);
    const log = [];
    for (const name of ['hit', 'miss', 'set', 'promotion']) cache.on(name, (event) => log.push([name, event]));
    await cache.set('key', 1);
    await cache.get('key');
    l1.clear();
    await cache.get('key');
    await cache.get('nothing');
    await waitFor(() => log.length === 5);
    assert.deepEqual(
      log.filter(([name]) => name !== 'promotion'),
      [
        ['set', { key: 'key' }],
        ['hit', { key: 'key', level: 1 }],
        ['hit', { key: 'key', level: 2 }],
        ['miss', { key: 'nothing' }],
      ],
    );
    assert.deepEqual(log.find(([name]) => name === 'promotion')[1], { key: 'key', from: 2 });
  });
});

describe('MultiLevelCache: wrong use', () => {
  it('names what is wrong with an option', () => {
    const memory = new MemoryCache();
    const wrong = [
      [{ l1Cache: 5 }, 'ERR_INVALID_ARG_TYPE', /options\.l1Cache/],
      [{ l1Cache: { get() {} } }, 'ERR_INVALID_ARG_TYPE', /get and set or put/],
      [{ l2Cache: { tier: new Map(), ttlUnit: 'h' } }, 'ERR_OUT_OF_RANGE', /ttlUnit/],
      [{ l1Cach: memory }, 'ERR_HOTPATH_UNKNOWN_OPTION', /l1Cache/],
      [{ l1TTL: -1 }, 'ERR_OUT_OF_RANGE', /options\.l1TTL/],
      [{ l1TTL: '5' }, 'ERR_INVALID_ARG_TYPE', /options\.l1TTL/],
      [{ graceMs: Number.NaN }, 'ERR_OUT_OF_RANGE', /options\.graceMs/],
      [{ jitter: 2 }, 'ERR_OUT_OF_RANGE', /options\.jitter/],
      [{ eagerRefresh: '1' }, 'ERR_INVALID_ARG_TYPE', /options\.eagerRefresh/],
      [{ lock: { holdMs: 0 } }, 'ERR_OUT_OF_RANGE', /options\.lock\.holdMs/],
      [{ breaker: { failureThreshold: 1.5 } }, 'ERR_OUT_OF_RANGE', /options\.breaker\.failureThreshold/],
      [{ name: '' }, 'ERR_OUT_OF_RANGE', /options\.name/],
      ['text', 'ERR_INVALID_ARG_TYPE', /options/],
    ];
    for (const [options, code, message] of wrong) {
      assert.throws(() => new MultiLevelCache(options), { code, message }, JSON.stringify(options));
    }
    assert.throws(() => new MultiLevelCache(memory, 5), { code: 'ERR_INVALID_ARG_TYPE' });
    memory.close();
    assert.throws(() => new MultiLevelCache({ l1Cache: memory }), { code: 'ERR_HOTPATH_CLOSED' });
  });

  it('methods reject and never throw', async (t) => {
    const { cache } = openLevels(t);
    const wrong = [
      () => cache.get(5),
      () => cache.has(),
      () => cache.set(null, 1),
      () => cache.set('key', Symbol('s')),
      () => cache.set('key', 1, 'soon'),
      () => cache.set('key', 1, -1),
      () => cache.set('key', 1, { ttl: 5 }),
      () => cache.setMany(5),
      () => cache.getMany('key'),
      () => cache.getMany([5]),
      () => cache.delete({}),
      () => cache.deleteMany([null]),
      () => cache.expire(5),
      () => cache.invalidateTags(5),
      () => cache.getOrSet('key'),
      () => cache.getOrSet('key', () => 1, { ttl: 5 }),
      () => cache.getOrSet('key', () => 1, { jitter: -1 }),
      () => cache.warmup(5),
      () => cache.warmup(['a'], { concurrency: 0 }),
      () => cache.warmup(['a'], { signal: {} }),
    ];
    for (const call of wrong) {
      const promise = call();
      await assert.rejects(promise, (error) => /^ERR_/.test(error.code), String(call));
    }
    assert.equal(cache.stats.writes, 0);
  });

  it('two handles of one name agree, or are told where they do not', async (t) => {
    const name = uniqueName('levels');
    const cache = new MultiLevelCache({ name, l1TTL: 50, graceMs: 5 });
    t.after(() => cache.close());
    assert.throws(() => new MultiLevelCache({ name, l1TTL: 60 }), {
      code: 'ERR_HOTPATH_OPTION_CONFLICT',
      option: 'l1TTL',
      existing: 50,
      requested: 60,
    });
    assert.throws(() => new MultiLevelCache({ name, graceMs: 6 }), { code: 'ERR_HOTPATH_OPTION_CONFLICT' });
    const other = new MultiLevelCache({ name });
    t.after(() => other.close());
    await cache.set('key', 'value');
    assert.equal(await other.get('key'), 'value');
    assert.equal(other.name, name);
  });
});
