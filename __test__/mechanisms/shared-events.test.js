'use strict';

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const {
  openCache,
  uniqueName,
  recordEvents,
  waitFor,
  settled,
  turnOfTheLoop,
  startWorker,
  runInWorker,
} = require('../support');

describe('events of a named cache', () => {
  it('reach every handle that listens, once each', async (t) => {
    const name = uniqueName('events');
    const [writer, listener, deaf] = [1, 2, 3].map(() => openCache(t, { name, maxEntries: 2, evictionPolicy: 'lru' }));
    const own = recordEvents(writer);
    const heard = recordEvents(listener);
    writer.set('a', { n: 1 });
    writer.set('b', 2);
    writer.set('a', { n: 3 });
    writer.set('c', 3);
    writer.delete('a');
    writer.clear();
    const expected = [
      ['set', 'a', { n: 1 }],
      ['set', 'b', 2],
      ['set', 'a', { n: 3 }],
      ['set', 'c', 3],
      ['evict', 'b', 2],
      ['delete', 'a', { n: 3 }],
      ['clear'],
    ];
    const sorted = (log) => log.map((entry) => JSON.stringify(entry)).sort();
    assert.deepEqual(sorted(own), sorted(expected));
    await waitFor(() => heard.length >= expected.length, { what: 'the other handle to hear everything' });
    await turnOfTheLoop();
    assert.deepEqual(sorted(heard), sorted(expected));
    assert.equal(own.length, expected.length);
    assert.equal(deaf.listenerCount('set'), 0);
  });

  it('an expiry is told to all', async (t) => {
    const name = uniqueName('events');
    const handles = [1, 2, 3].map(() => openCache(t, { name }));
    const logs = handles.map((cache) => recordEvents(cache, ['expire']));
    handles[0].set('k', 1, 0.02);
    await waitFor(() => logs.every((log) => log.length === 1));
    for (const log of logs) assert.deepEqual(log, [['expire', 'k', 1]]);
  });

  it('that a listener could not take in time are counted as dropped, and no other', async (t) => {
    const name = uniqueName('events');
    const [writer, listener] = [1, 2].map(() => openCache(t, { name, maxEntries: 1_000 }));
    let heard = 0;
    listener.on('set', () => (heard += 1));
    for (let i = 0; i < 100_000; i += 1) writer.set(`k${i % 500}`, i);
    await waitFor(() => heard + listener.stats.eventsDropped === 100_000, {
      what: 'every event to be heard or counted',
    });
    assert.ok(heard > 0);
    const { eventsDropped } = listener.stats;
    writer.set('after', 1);
    const before = heard;
    await waitFor(() => heard === before + 1);
    assert.equal(listener.stats.eventsDropped, eventsDropped);
    assert.equal(writer.stats.eventsDropped, 0, 'it listens to nothing');
  });

  it('keep the order of one writer', async (t) => {
    const name = uniqueName('events');
    const [writer, listener] = [1, 2].map(() => openCache(t, { name }));
    const heard = recordEvents(listener);
    for (let i = 0; i < 500; i += 1) {
      writer.set('k', i);
      if (i % 10 === 9) writer.delete('k');
    }
    await waitFor(() => heard.length + listener.stats.eventsDropped >= 550);
    assert.deepEqual(
      heard.filter(([event]) => event === 'set').map(([, , value]) => value),
      Array.from({ length: 500 }, (_, i) => i),
    );
  });
});

describe('events across threads', () => {
  it('a listener hears what other threads do', async (t) => {
    const name = uniqueName();
    const cache = openCache(t, { name, maxEntries: 3, evictionPolicy: 'lru', nearCache: false });
    const log = recordEvents(cache);
    await runInWorker(({ MemoryCache: Cache }, shared) => {
      const mine = new Cache({ name: shared, nearCache: false });
      mine.setMany([
        ['a', { n: 1 }],
        ['b', 2],
        ['c', 3],
        ['d', 4],
      ]);
      mine.delete('b');
      mine.increment('n', 5);
      mine.clear();
    }, name);
    const expected = [
      ['set', 'a', { n: 1 }],
      ['set', 'b', 2],
      ['set', 'c', 3],
      ['set', 'd', 4],
      ['evict', 'a', { n: 1 }],
      ['delete', 'b', 2],
      ['set', 'n', 5],
      ['clear'],
    ];
    await waitFor(() => log.length >= expected.length, { what: 'the events of a worker' });
    assert.deepEqual(log.map(String).sort(), expected.map(String).sort());
  });

  it('a worker hears what this thread does, and is not kept alive by listening', async (t) => {
    const name = uniqueName();
    const cache = openCache(t, { name });
    const thread = startWorker(async ({ MemoryCache: Cache, waitFor: until, say }, shared) => {
      const mine = new Cache({ name: shared });
      const heard = [];
      mine.on('set', (key, value) => heard.push([key, value]));
      say('listening');
      await until(() => heard.length === 100);
      return heard;
    }, name);
    await thread.said('listening');
    for (let i = 0; i < 100; i += 1) cache.set(`k${i}`, { i });
    assert.deepEqual(
      await settled(thread.result),
      Array.from({ length: 100 }, (_, i) => [`k${i}`, { i }]),
    );
    assert.equal(await settled(thread.exited), 0);
  });
});
