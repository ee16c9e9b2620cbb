'use strict';

const { it } = require('node:test');
const assert = require('node:assert/strict');
const { recordEvents, waitFor, runInWorker, turnOfTheLoop } = require('../support');
const { openDisk } = require('../support/disks');

const EVENTS = ['set', 'delete', 'expire', 'evict', 'clear', 'damage'];

it('tells what happened, in order', async (t) => {
  const cache = openDisk(t);
  const log = recordEvents(cache, EVENTS);
  await cache.set('a', 1);
  await cache.delete('a');
  await cache.delete('missing');
  await cache.set('b', 1, { ttlMs: 5 });
  await waitFor(() => log.some(([name]) => name === 'expire'));
  await cache.clear();
  await waitFor(() => log.at(-1)[0] === 'clear');
  assert.deepEqual(
    log.map(([name, key]) => [name, key]),
    [
      ['set', 'a'],
      ['delete', 'a'],
      ['set', 'b'],
      ['expire', 'b'],
      ['clear', undefined],
    ],
  );
  assert.ok(log.slice(0, 4).every(([, , bytes]) => Number.isInteger(bytes) && bytes > 0));
});

it('tells of evictions', async (t) => {
  const cache = openDisk(t, { diskLimit: 20_000 });
  const evicted = new Set();
  cache.on('evict', (key) => evicted.add(key));
  for (let i = 0; i < 100; i += 1) await cache.set(`k${i}`, 'x'.repeat(1_000));
  await waitFor(() => evicted.size === cache.stats.evictions);
  for (const key of evicted) assert.equal(await cache.has(key), false);
  assert.equal(evicted.size + cache.size, 100);
});

it('tells all threads of the process', async (t) => {
  const cache = openDisk(t);
  const log = recordEvents(cache, ['set']);
  await runInWorker(async ({ load }, directory) => {
    const { DiskCache } = load();
    const there = new DiskCache({ directory });
    await there.set('from a worker', 1);
    await there.close();
  }, cache.directory);
  await waitFor(() => log.length === 1);
  assert.equal(log[0][1], 'from a worker');
});

it('a listener may use the cache, and one that throws disturbs nobody', async (t) => {
  const cache = openDisk(t);
  const heard = [];
  const thrown = [];
  const uncaught = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  process.once('uncaughtException', (error) => thrown.push(error.message));
  t.after(() => uncaught.forEach((listener) => process.on('uncaughtException', listener)));
  cache.once('set', () => {
    throw new Error('listener');
  });
  cache.on('set', (key) => {
    heard.push(key);
    if (key === 'a') cache.set('b', cache.getSync('a') + 1);
  });
  await cache.set('a', 1);
  await waitFor(() => heard.includes('b') && thrown.length === 1);
  assert.deepEqual(thrown, ['listener']);
  assert.equal(await cache.get('b'), 2);
});

it('says nothing to those who have left, or after close', async (t) => {
  const cache = openDisk(t);
  const log = [];
  const listener = (key) => log.push(key);
  cache.on('set', listener);
  await cache.set('heard', 1);
  await waitFor(() => log.length === 1);
  cache.off('set', listener);
  await cache.set('unheard', 1);
  cache.on('set', listener);
  const write = cache.set('last', 1);
  await cache.close();
  await write;
  await turnOfTheLoop();
  assert.ok(!log.includes('unheard'));
});
