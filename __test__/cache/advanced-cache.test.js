'use strict';

const assert = require('node:assert/strict');
const { randomBytes } = require('node:crypto');
const { once } = require('node:events');
const { execFile } = require('node:child_process');
const { mkdirSync, readdirSync, rmSync, writeFileSync } = require('node:fs');
const path = require('node:path');
const { Readable } = require('node:stream');
const { buffer } = require('node:stream/consumers');
const { describe, test } = require('node:test');
const { promisify } = require('node:util');
const { AdvancedCache } = require('../../index.js');
const { serviceSnapshots } = require('../../lib/services.js');
const { uniqueName } = require('../support');
const { temporaryFolder } = require('../support/servers.js');
const { waitFor } = require('../support/wait.js');

const MIB = 1024 * 1024;

/** The caches of each test, which are closed before their folders go. */
const opened = new WeakMap();

function open(t, options) {
  const cache = new AdvancedCache({ directory: options?.directory ?? folder(t), diskLimit: 64 * MIB, ...options });
  opened.set(t, [...(opened.get(t) ?? []), cache]);
  t.after(() => cache.shutdown());
  return cache;
}

function folder(t) {
  t.after(() => Promise.all((opened.get(t) ?? []).map((cache) => cache.shutdown())));
  return temporaryFolder(t);
}

/** All events of a cache, as they come. */
function recorded(cache) {
  const names = ['cacheHit', 'cacheMiss', 'cacheSet', 'cachePromotion', 'cacheDemotion', 'cacheEviction'];
  const events = [];
  for (const name of names) cache.on(name, (event) => events.push({ name, ...event }));
  return events;
}

/** Values so large that a memory of 1 MiB holds about ten of them. */
const large = (index) => ({ index, bytes: randomBytes(100_000) });

/** Sets values until the first of them has left memory. */
async function fill(cache, count = 30) {
  for (let index = 0; index < count; index++) await cache.set(`k${index}`, large(index));
  await waitFor(() => cache.stats.demotions > 0);
}

/** A key that is on disk only. */
async function coldKey(cache) {
  for (let index = 0; ; index++) {
    if ((await cache.getMetadata(`k${index}`)).level === 'disk') return `k${index}`;
  }
}

test('as document 003 shows it', async (t) => {
  const cache = open(t);
  const events = recorded(cache);
  await cache.init();
  const video = { frames: [1, 2, 3], when: new Date(5) };
  await cache.set('video_123', video, {
    type: 'processed-video',
    ttl: 24 * 60 * 60 * 1000,
    metadata: { resolution: '1080p', codec: 'h264' },
  });
  assert.deepEqual(await cache.get('video_123'), video);
  assert.equal(await cache.get('nothing'), undefined);
  const { size } = await cache.getMetadata('video_123');
  assert.ok(size > 10);
  assert.deepEqual(events, [
    { name: 'cacheSet', key: 'video_123', level: 'memory', size, type: 'processed-video' },
    { name: 'cacheHit', key: 'video_123', level: 'memory', size },
    { name: 'cacheMiss', key: 'nothing' },
  ]);
  const { ttlMs, created, ...metadata } = await cache.getMetadata('video_123');
  assert.deepEqual(metadata, {
    type: 'processed-video',
    metadata: { resolution: '1080p', codec: 'h264' },
    size,
    level: 'memory',
    accesses: 0,
  });
  assert.ok(ttlMs > 86_000_000 && ttlMs <= 86_400_000 && created <= Date.now());
});

test('statistics in exactly the shape of the document', async (t) => {
  const cache = open(t, { memoryLimit: 10 * MIB, diskLimit: 100 * MIB });
  await cache.set('a', Buffer.alloc(1_000_000));
  for (let round = 0; round < 3; round++) await cache.get('a');
  await cache.get('b');
  const { memory, disk, total } = cache.getStats();
  assert.match(memory.size, /^\d+\.\d\d MB$/);
  assert.match(memory.utilization, /^\d+\.\d\d%$/);
  assert.deepEqual(Object.keys(memory), ['entries', 'size', 'utilization', 'hitRate']);
  assert.deepEqual(Object.keys(disk), ['entries', 'size', 'utilization', 'hitRate']);
  assert.equal(memory.hitRate, '75.00%');
  assert.equal(disk.hitRate, '0.00%');
  assert.equal(memory.entries, 1);
  assert.deepEqual([total.entries, total.hits, total.misses], [1, 3, 1]);
  assert.equal(typeof cache.stats.memory.bytes, 'number');
});

describe('levels', () => {
  test('what memory gives up is demoted, and served from disk', async (t) => {
    const cache = open(t, { memoryLimit: MIB });
    const events = recorded(cache);
    await fill(cache);
    const demotion = events.find(({ name }) => name === 'cacheDemotion');
    assert.deepEqual([demotion.from, demotion.to], ['memory', 'disk']);
    const key = await coldKey(cache);
    assert.equal((await cache.get(key)).index, Number(key.slice(1)));
    const hit = events.findLast(({ name }) => name === 'cacheHit');
    assert.deepEqual([hit.key, hit.level], [key, 'disk']);
    assert.ok(hit.size > 100_000);
    const { memory, disk, total } = cache.getStats();
    assert.equal(memory.entries + disk.entries, 30);
    assert.equal(total.entries, 30);
  });

  test('more than five accesses promote, with the time that is left', async (t) => {
    const cache = open(t, { memoryLimit: MIB });
    await fill(cache);
    const key = await coldKey(cache);
    const events = recorded(cache);
    for (let access = 0; access < 5; access++) await cache.get(key);
    assert.equal((await cache.getMetadata(key)).level, 'disk');
    assert.equal((await cache.getMetadata(key)).accesses, 5);
    await cache.get(key);
    assert.equal((await cache.getMetadata(key)).level, 'memory');
    const { name, size, ...promotion } = events.find((event) => event.name === 'cachePromotion');
    assert.deepEqual(promotion, { key, from: 'disk', to: 'memory' });
    assert.ok((await cache.getMetadata(key)).ttlMs <= 7 * 86_400_000);
  });

  test('a key that is deleted while it is promoted stays deleted', async (t) => {
    const cache = open(t, { memoryLimit: MIB, promotionThreshold: 0 });
    await fill(cache);
    for (let round = 0; round < 10; round++) {
      const key = await coldKey(cache);
      await Promise.all([cache.get(key), cache.delete(key)]);
      assert.equal(await cache.get(key), undefined);
      await cache.set(key, large(Number(key.slice(1))));
      await fill(cache);
    }
  });

  test('what is too large for memory goes to disk at once', async (t) => {
    const cache = open(t, { memoryLimit: MIB });
    const events = recorded(cache);
    const bytes = randomBytes(2 * MIB);
    await cache.set('big', bytes);
    assert.equal(events[0].level, 'disk');
    assert.deepEqual(await cache.get('big'), bytes);
  });

  test('disk keeps its quota, and says what it gave up', async (t) => {
    const cache = open(t, { memoryLimit: MIB, diskLimit: 2 * MIB });
    const events = recorded(cache);
    for (let index = 0; index < 60; index++) await cache.set(`k${index}`, large(index));
    await waitFor(() => events.some(({ name }) => name === 'cacheEviction'));
    const { level, key, size } = events.find(({ name }) => name === 'cacheEviction');
    assert.equal(level, 'disk');
    assert.match(key, /^k\d+$/);
    assert.ok(size > 0);
    assert.ok(cache.stats.disk.bytes <= 2 * MIB);
  });
});

describe('streams', () => {
  test('go in and out, with metadata, and are apart from values', async (t) => {
    const cache = open(t);
    const events = recorded(cache);
    const bytes = randomBytes(3 * MIB);
    const options = { type: 'video', metadata: { codec: 'av1' } };
    assert.equal(await cache.setStream('film', Readable.from([bytes]), options), bytes.length);
    assert.deepEqual(await buffer(await cache.getStream('film')), bytes);
    assert.equal(await cache.get('film'), undefined);
    assert.equal(await cache.has('film'), true);
    const { type, metadata, level, size: measured } = await cache.getMetadata('film');
    assert.deepEqual({ type, metadata, level }, { ...options, level: 'stream' });
    assert.equal(measured, bytes.length);
    assert.deepEqual(
      events.filter(({ name }) => name !== 'cacheMiss').map(({ name, level: where, size }) => [name, where, size]),
      [
        ['cacheSet', 'stream', bytes.length],
        ['cacheHit', 'stream', bytes.length],
      ],
    );
    assert.equal(await cache.delete('film'), true);
    assert.equal(await cache.getStream('film'), undefined);
    assert.equal(await cache.getMetadata('film'), undefined);
  });

  test('text counts as its bytes; what is larger than the disk is not stored', async (t) => {
    const cache = open(t, { diskLimit: MIB });
    const events = recorded(cache);
    assert.equal(await cache.setStream('text', 'ä€'), 5);
    assert.equal((await buffer(await cache.getStream('text'))).toString(), 'ä€');
    const pieces = Array.from({ length: 20 }, () => Buffer.alloc(100_000));
    assert.equal(await cache.setStream('large', pieces), 0);
    assert.equal(await cache.getStream('large'), undefined);
    assert.equal(await cache.getMetadata('large'), undefined);
    assert.equal(events.filter(({ name }) => name === 'cacheSet').length, 1);
    await assert.rejects(cache.setStream('number', 5), { code: 'ERR_INVALID_ARG_TYPE' });
  });

  test('have a limit of their own where one is given', async (t) => {
    const directory = folder(t);
    const cache = open(t, { directory, diskLimit: 2 * MIB, streamLimit: 64 * MIB });
    const bytes = randomBytes(8 * MIB);
    await cache.setStream('film', Readable.from([bytes]));
    assert.equal((await buffer(await cache.getStream('film'))).length, bytes.length);
  });
});

describe('preloading', () => {
  test('from disk and by a loader', async (t) => {
    const cache = open(t, { memoryLimit: MIB });
    await fill(cache);
    const cold = await coldKey(cache);
    await cache.set('warm', 1);
    const loader = async (key) => (key === 'nowhere' ? undefined : { loaded: key });
    const report = await cache.preload([cold, 'warm', 'new', 'nowhere'], loader);
    assert.deepEqual(report, { memory: 1, promoted: 1, loaded: 1, missing: 1 });
    assert.equal((await cache.getMetadata(cold)).level, 'memory');
    assert.deepEqual(await cache.get('new'), { loaded: 'new' });
  });

  test('predictive: what always follows is there before it is asked for', async (t) => {
    const cache = open(t, { memoryLimit: MIB, predictiveLoading: true, promotionThreshold: 1000 });
    await fill(cache);
    const cold = await coldKey(cache);
    await cache.set('page', 1);
    for (let round = 0; round < 5; round++) {
      await cache.get('page');
      await cache.get(cold);
    }
    await cache.get('page');
    await waitFor(async () => (await cache.getMetadata(cold)).level === 'memory');
    await cache.get(cold);
    const { predictions, predictionHitRatio } = cache.stats;
    assert.ok(predictions >= 1 && predictionHitRatio > 0 && predictionHitRatio <= 1);
  });

  test('it is off by default', async (t) => {
    const cache = open(t);
    for (let round = 0; round < 10; round++) {
      await cache.set('a', 1);
      await cache.get('a');
      await cache.get('b');
    }
    assert.equal(cache.stats.predictions, 0);
  });
});

describe('life', () => {
  test('the index survives', async (t) => {
    const directory = folder(t);
    const first = new AdvancedCache({ directory });
    await first.set('a', { b: 1 }, { metadata: { c: 2 } });
    await first.setStream('s', Readable.from([Buffer.from('stream')]));
    await first.shutdown();
    const second = open(t, { directory });
    assert.deepEqual(await second.get('a'), { b: 1 });
    assert.deepEqual((await second.getMetadata('a')).metadata, { c: 2 });
    assert.equal((await buffer(await second.getStream('s'))).toString(), 'stream');
  });

  test('a ttl is milliseconds, on every level', async (t) => {
    const cache = open(t);
    await cache.set('a', 1, { ttl: 30 });
    await waitFor(async () => !(await cache.has('a')));
    assert.equal(await cache.get('a'), undefined);
  });

  test('clear, delete, has', async (t) => {
    const cache = open(t);
    await cache.set('a', 1);
    await cache.set('b', undefined);
    assert.deepEqual(await cache.getMany(['a', 'b', 'c']), [1, undefined, undefined]);
    assert.equal(await cache.has('b'), true);
    assert.equal(await cache.delete('a'), true);
    assert.equal(await cache.delete('a'), false);
    await cache.clear();
    assert.equal(await cache.has('b'), false);
    assert.equal(cache.getStats().total.entries, 0);
  });

  test('closed, it refuses; closing twice, and before it opened, is fine', async (t) => {
    const cache = open(t);
    await cache.set('a', 1);
    await Promise.all([cache.shutdown(), cache.shutdown()]);
    await assert.rejects(cache.get('a'), { code: 'ERR_HOTPATH_CLOSED' });
    const unused = new AdvancedCache({ directory: path.join(folder(t), 'never') });
    await unused.shutdown();
    await assert.rejects(unused.init(), { code: 'ERR_HOTPATH_CLOSED' });
  });

  test('one that could not open tries again', async (t) => {
    const place = path.join(folder(t), 'taken');
    writeFileSync(place, 'a file where the folder should be');
    const cache = open(t, { directory: place });
    await assert.rejects(cache.init(), { name: 'HotpathStorageError' });
    await assert.rejects(cache.get('a'), { name: 'HotpathStorageError' });
    rmSync(place);
    await cache.set('a', 1);
    assert.equal(await cache.get('a'), 1);
  });

  test('a listener that throws gets in nobody’s way', async (t) => {
    const cache = open(t);
    const heard = [];
    cache.on('cacheSet', () => {
      throw new Error('a listener’s own');
    });
    cache.on('cacheSet', ({ key }) => heard.push(key));
    const others = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    t.after(() => others.forEach((listener) => process.on('uncaughtException', listener)));
    const thrown = once(process, 'uncaughtException');
    assert.equal(await cache.set('a', 1), true);
    assert.equal((await thrown)[0].message, 'a listener’s own');
    assert.deepEqual(heard, ['a']);
  });

  test('handles of one name share what is in memory, and agree about it', async (t) => {
    const name = uniqueName('advanced');
    const directory = folder(t);
    const one = open(t, { name, directory, memoryLimit: MIB });
    const other = open(t, { name, directory });
    await one.init();
    await other.init();
    await one.set('a', 1);
    assert.equal(await other.get('a'), 1);
    assert.equal(other.stats.memory.hits, 1);
    assert.equal(other.stats.memory.limit, MIB);
    const conflict = { code: 'ERR_HOTPATH_OPTION_CONFLICT', engine: name };
    const memory = { ...conflict, option: 'memoryLimit', existing: MIB, requested: 2 * MIB };
    await assert.rejects(open(t, { name, directory, memoryLimit: 2 * MIB }).init(), memory);
    const age = { ...conflict, option: 'maxAge', existing: 604_800_000, requested: 5 };
    await assert.rejects(open(t, { name, directory, maxAge: 5 }).init(), age);
    const elsewhere = { ...conflict, option: 'directory', existing: directory };
    await assert.rejects(open(t, { name, directory: folder(t) }).init(), elsewhere);
  });

  test('who gives no limits takes those of the cache that has the directory open', async (t) => {
    const directory = folder(t);
    await open(t, { directory, diskLimit: 32 * MIB, maxAge: 60_000 }).init();
    const other = new AdvancedCache({ directory });
    t.after(() => other.shutdown());
    await other.set('a', 1);
    assert.equal(other.stats.disk.limit, 32 * MIB);
    const conflict = { code: 'ERR_HOTPATH_OPTION_CONFLICT', option: 'diskLimit', existing: 32 * MIB };
    await assert.rejects(open(t, { directory, diskLimit: 16 * MIB }).init(), conflict);
  });

  test('the default directory is the same in all threads, those of pools as well', async (t) => {
    const home = temporaryFolder(t);
    const program = path.join(home, 'program');
    mkdirSync(program);
    writeFileSync(path.join(program, 'package.json'), JSON.stringify({ name: 'the-application' }));
    const hotpath = JSON.stringify(path.join(__dirname, '../..'));
    const task = `const { advancedCache } = require(${hotpath});
      module.exports = (key) => advancedCache.setStream(key, ['from a worker']);`;
    const main = `const { advancedCache, WorkerPool } = require(${hotpath});
      (async () => {
        const pool = new WorkerPool(require('node:path').join(__dirname, 'task.js'), { maxWorkers: 1 });
        await pool.execute('key');
        const stream = await advancedCache.getStream('key');
        process.stdout.write(String(Buffer.concat((await stream?.toArray()) ?? [])));
        await pool.terminate();
      })();`;
    writeFileSync(path.join(program, 'task.js'), task);
    writeFileSync(path.join(program, 'main.js'), main);
    const env = { ...process.env, XDG_CACHE_HOME: home, HOME: home, LOCALAPPDATA: home };
    const { stdout } = await promisify(execFile)(process.execPath, [path.join(program, 'main.js')], { cwd: home, env });
    assert.equal(stdout, 'from a worker');
    const folders = readdirSync(home, { recursive: true }).map(String);
    assert.ok(folders.some((each) => each.endsWith(path.join('hotpath', 'the-application'))));
  });

  test('monitors see it while it is open', async (t) => {
    const name = uniqueName('watched');
    const cache = open(t, { name });
    const figures = () => [...serviceSnapshots()].find(([label]) => label.startsWith(`${name}-`))?.[1];
    await cache.set('a', 1);
    await cache.get('a');
    assert.equal(figures()['memory.hits'], 1);
    assert.equal(typeof figures()['disk.bytes'], 'number');
    await cache.shutdown();
    assert.equal(figures(), undefined);
  });

  test('wrong options and arguments are named', async (t) => {
    assert.throws(() => new AdvancedCache({ memoryLimitMB: 5 }), { code: 'ERR_HOTPATH_UNKNOWN_OPTION' });
    assert.throws(() => new AdvancedCache({ memoryLimit: -5 }), { code: 'ERR_OUT_OF_RANGE' });
    assert.throws(() => new AdvancedCache({ directory: '' }), { code: 'ERR_OUT_OF_RANGE' });
    const cache = open(t);
    await assert.rejects(cache.get(5), { code: 'ERR_INVALID_ARG_TYPE' });
    await assert.rejects(cache.set('a', 1, { ttlMs: 5 }), { code: 'ERR_HOTPATH_UNKNOWN_OPTION', message: /ttl/ });
    await assert.rejects(cache.set('a', 1, { ttl: 0 }), { code: 'ERR_OUT_OF_RANGE' });
    await assert.rejects(
      cache.set('a', () => 1),
      { code: 'ERR_INVALID_ARG_TYPE' },
    );
    await assert.rejects(cache.preload('a'), { code: 'ERR_INVALID_ARG_TYPE' });
  });
});
