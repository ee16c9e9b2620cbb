'use strict';

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { DiskCache } = require('../..');
const { waitFor, errors } = require('../support');
const { temporaryDirectory, openDisk, filesOf } = require('../support/disks');
const { VALUES, expectedOf } = require('../support/values');

describe('DiskCache values', () => {
  it('gives back what went in, now and after a reopening', async (t) => {
    const directory = temporaryDirectory(t);
    let cache = new DiskCache({ directory });
    for (const [label, make] of VALUES) assert.equal(await cache.set(label, make()), true, label);
    for (const round of ['at once', 'reopened']) {
      for (const [label, make] of VALUES) {
        const expected = expectedOf(label, make);
        assert.deepEqual(await cache.get(label), expected, `${label}, ${round}`);
        assert.deepEqual(cache.getSync(label), expected, `${label}, ${round}, getSync`);
      }
      assert.deepEqual(
        await cache.getMany(VALUES.map(([label]) => label)),
        VALUES.map(([label, make]) => expectedOf(label, make)),
      );
      await cache.validate();
      await cache.close();
      cache = new DiskCache({ directory });
    }
    assert.equal(cache.size, VALUES.length);
    await cache.close();
  });

  it('gives it back from files, too', async (t) => {
    const cache = openDisk(t, { streamThresholdBytes: 0 });
    await cache.setMany(VALUES.map(([label, make]) => [label, make()]));
    for (const [label, make] of VALUES) assert.deepEqual(await cache.get(label), expectedOf(label, make), label);
    const fetched = await cache.mget(VALUES.map(([label]) => label));
    for (const [label, make] of VALUES) assert.deepEqual(fetched[label], expectedOf(label, make), `${label}, mget`);
    assert.ok(filesOf(cache).length > 50);
  });

  it('decodes objects of shapes that another handle taught the cache', async (t) => {
    const directory = temporaryDirectory(t);
    let cache = new DiskCache({ directory });
    // A shape goes into the dictionary when it comes back.
    for (let id = 0; id < 20; id += 1)
      await cache.set(`user:${id}`, { id, name: `user ${id}`, address: { city: 'Rome' } });
    await cache.close();
    cache = openDisk(t, { directory });
    assert.deepEqual(await cache.get('user:19'), { id: 19, name: 'user 19', address: { city: 'Rome' } });
    await cache.clear();
    await cache.set('user:1', { id: 1, name: 'user 1', address: { city: 'Oslo' } });
    assert.deepEqual(cache.getSync('user:1'), { id: 1, name: 'user 1', address: { city: 'Oslo' } });
  });

  it('refuses what structured clone refuses, and stores nothing', async (t) => {
    const cache = openDisk(t);
    await assert.rejects(
      cache.set('f', () => {}),
      { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' },
    );
    await assert.rejects(cache.setMany({ good: 1, bad: { deep: Symbol('s') } }), { name: 'TypeError' });
    assert.deepEqual(await cache.keys(), []);
  });

  it('tells undefined from a miss', async (t) => {
    const cache = openDisk(t);
    await cache.set('u', undefined);
    assert.equal(await cache.has('u'), true);
    assert.deepEqual(await cache.mget(['u', 'missing']), { u: undefined });
    assert.equal(await cache.has('missing'), false);
  });

  it('reads a value in a file with get, not with getSync', async (t) => {
    const cache = openDisk(t, { streamThresholdBytes: 1_000 });
    const large = Buffer.alloc(50_000, 7);
    await cache.set('large', large);
    assert.deepEqual(await cache.get('large'), large);
    assert.throws(() => cache.getSync('large'), { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' });
    const { files, hits, misses } = cache.stats;
    assert.deepEqual({ files, hits, misses }, { files: 1, hits: 1, misses: 0 });
  });
});

describe('DiskCache keys', () => {
  it('takes any string', async (t) => {
    const cache = openDisk(t);
    const keys = [
      '',
      '\0',
      'a\0',
      '__proto__',
      '😀',
      '\ud800',
      '\ud801',
      '\ufffd',
      'k'.repeat(70_000),
      'k'.repeat(70_001),
    ];
    await Promise.all(keys.map((key, index) => cache.set(key, index)));
    for (const [index, key] of keys.entries()) assert.equal(await cache.get(key), index);
    assert.deepEqual((await cache.keys()).sort(), [...keys].sort());
    const hits = await cache.mget(keys);
    assert.equal(Object.keys(hits).length, keys.length);
    assert.equal(Object.getOwnPropertyDescriptor(hits, '__proto__').value, 3);
  });

  it('finds and deletes by pattern', async (t) => {
    const cache = openDisk(t);
    await cache.setMany({ 'user:1': 1, 'user:22': 2, 'post:1': 3, 'user[x]': 4 });
    assert.deepEqual((await cache.keys('user:*')).sort(), ['user:1', 'user:22']);
    assert.deepEqual(await cache.keys('user:?'), ['user:1']);
    assert.deepEqual((await cache.keys('[pu]*:1')).sort(), ['post:1', 'user:1']);
    assert.equal(await cache.deletePattern('user:*'), 2);
    assert.equal(await cache.deletePattern('nothing*'), 0);
    assert.equal(cache.size, 2);
  });
});

describe('DiskCache time', () => {
  it('takes seconds, or an object that says milliseconds', async (t) => {
    const cache = openDisk(t);
    await cache.set('seconds', 1, 100);
    await cache.set('milliseconds', 1, { ttlMs: 100_000 });
    await cache.set('default', 1);
    await cache.set('ever', 1, { ttlMs: Infinity });
    for (const key of ['seconds', 'milliseconds']) {
      const left = await cache.getTtl(key);
      assert.ok(left > 90_000 && left <= 100_000, `${key}: ${left}`);
    }
    const week = await cache.getTtl('default');
    assert.ok(week > 6.9 * 86_400_000 && week <= 7 * 86_400_000);
    assert.equal(await cache.getTtl('ever'), Infinity);
    assert.equal(await cache.getTtl('missing'), undefined);
    assert.equal(await cache.touch('ever', 5), true);
    assert.ok((await cache.getTtl('ever')) <= 5_000);
    assert.equal(await cache.touch('missing', 5), false);
  });

  it('lets nothing out whose time is over, and counts it', async (t) => {
    const cache = openDisk(t, { maxAgeMs: 30 });
    await cache.set('default', 1);
    await cache.set('longer', 1, 1_000);
    await waitFor(async () => (await cache.get('default')) === undefined);
    assert.equal(await cache.has('default'), false);
    assert.equal(cache.size, 1);
    assert.deepEqual(await cache.keys(), ['longer']);
    await waitFor(() => cache.stats.expirations === 1);
  });

  it('keeps the time over a reopening', async (t) => {
    const directory = temporaryDirectory(t);
    let cache = new DiskCache({ directory });
    await cache.set('short', 1, { ttlMs: 50 });
    await cache.set('long', 1, 100);
    await cache.close();
    cache = openDisk(t, { directory });
    await waitFor(() => cache.getSync('short') === undefined);
    assert.ok((await cache.getTtl('long')) <= 100_000);
    await waitFor(() => cache.stats.expirations === 1);
  });
});

describe('DiskCache numbers', () => {
  it('adds, and sets a time only for what it makes', async (t) => {
    const cache = openDisk(t);
    assert.equal(await cache.increment('n', 5, 100), 5);
    assert.equal(await cache.increment('n', -2.5, { ttlMs: Infinity }), 2.5);
    assert.equal(await cache.increment('n'), 3.5);
    assert.ok((await cache.getTtl('n')) <= 100_000);
    assert.equal(cache.getSync('n'), 3.5);
    await Promise.all(Array.from({ length: 100 }, () => cache.increment('many')));
    assert.equal(await cache.get('many'), 100);
  });

  it('leaves what is no number as it is', async (t) => {
    const cache = openDisk(t);
    await cache.set('text', 'x');
    await assert.rejects(cache.increment('text'), errors.notANumber);
    assert.equal(await cache.get('text'), 'x');
    await assert.rejects(cache.increment('n', Infinity), errors.outOfRange('by'));
    await assert.rejects(cache.increment('n', '1'), errors.invalidType('by'));
    await cache.set('huge', Number.MAX_VALUE);
    await assert.rejects(cache.increment('huge', Number.MAX_VALUE), { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' });
  });
});

describe('DiskCache limit and statistics', () => {
  it('keeps to its limit, and what is read stays', async (t) => {
    const cache = openDisk(t, { diskLimit: 300_000 });
    await cache.set('hot', 'h'.repeat(1_000));
    for (let i = 0; i < 1_000; i += 1) {
      await cache.set(`cold:${i}`, 'c'.repeat(1_000));
      if (i % 10 === 0) assert.equal(cache.getSync('hot')?.length, 1_000, `at ${i}`);
      if (i % 100 === 0) assert.ok(cache.stats.bytes <= 300_000);
    }
    const { bytes, evictions, entries } = cache.stats;
    assert.ok(bytes <= 300_000 && evictions > 600 && entries > 200);
  });

  it('refuses a value that is larger than the cache', async (t) => {
    const cache = openDisk(t, { diskLimit: 100_000 });
    await cache.set('key', 'before');
    assert.equal(await cache.set('key', 'x'.repeat(200_000)), false);
    assert.equal(await cache.setMany({ a: 1, b: 'x'.repeat(200_000) }), 1);
    assert.equal(await cache.get('key'), 'before');
    assert.equal(cache.stats.refusals, 2);
  });

  it('counts, and keeps the counts', async (t) => {
    const directory = temporaryDirectory(t);
    const expected = {
      entries: 2,
      hits: 2,
      misses: 1,
      hitRatio: 2 / 3,
      sets: 3,
      deletes: 1,
      evictions: 0,
      expirations: 0,
    };
    let cache = new DiskCache({ directory });
    await cache.setMany({ a: 1, b: 2, c: 3 });
    await cache.delete('c');
    await cache.getMany(['a', 'b', 'c']);
    await cache.has('a');
    for (const round of ['at once', 'reopened']) {
      const { stats } = cache;
      for (const [name, value] of Object.entries(expected)) assert.equal(stats[name], value, `${name}, ${round}`);
      assert.deepEqual(
        Object.keys(stats).sort(),
        // prettier-ignore
        [
          'bytes',
          'damaged',
          'deletes',
          'diskLimit',
          'entries',
          'eventsDropped',
          'evictions',
          'expirations',
          'files',
          'hitRatio',
          'hits',
          'misses',
          'rebuilt',
          'refusals',
          'sets',
          'storageBytes',
        ],
      );
      await cache.close();
      cache = new DiskCache({ directory });
    }
    await cache.close();
  });

  it('is empty after clear, and keeps its counts', async (t) => {
    const cache = openDisk(t, { streamThresholdBytes: 1_000 });
    await cache.setMany({ a: 1, b: Buffer.alloc(10_000) });
    await cache.clear();
    assert.equal(cache.size, 0);
    assert.equal(await cache.get('a'), undefined);
    assert.equal(cache.stats.sets, 2);
    assert.equal(cache.stats.bytes, 0);
    await waitFor(() => filesOf(cache).length === 0);
    assert.deepEqual(await cache.compact(), { entries: 0, files: 0, bytes: 0 });
  });
});
