'use strict';

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { openCache, uniqueName, startWorker, settled, waitFor, deferred, turnOfTheLoop } = require('../support');

/** A worker that starts a load and never finishes it; it stays alive until it is told how to leave. */
function startStuckLoader(name, leave) {
  return startWorker(
    async ({ MemoryCache, say, hearOnce }, { name: shared, leave: how }) => {
      const cache = new MemoryCache({ name: shared });
      const keepAlive = setInterval(() => {}, 1_000);
      cache
        .getOrSet('k', () => {
          say('loading');
          return new Promise(() => {});
        })
        .catch(() => {});
      await hearOnce();
      if (how === 'process.exit') process.exit(0);
      if (how === 'uncaught exception')
        setImmediate(() => {
          throw new Error('the worker fails on purpose');
        });
      if (how === 'close') cache.close();
      clearInterval(keepAlive);
      if (how === 'terminate') setInterval(() => {}, 1_000);
    },
    { name, leave },
  );
}

describe('single-flight: a thread that leaves', () => {
  for (const leave of ['process.exit', 'uncaught exception', 'terminate']) {
    it(`${leave} while it loads: a waiter takes the load over`, async (t) => {
      const name = uniqueName('handover');
      const cache = openCache(t, { name });
      const stuck = startStuckLoader(name, leave);
      await stuck.said('loading');
      let loads = 0;
      const waiting = [1, 2, 3].map(() =>
        cache.getOrSet('k', async () => {
          loads += 1;
          return 'loaded by a waiter';
        }),
      );
      await turnOfTheLoop();
      assert.equal(loads, 0);
      if (leave === 'terminate') await stuck.terminate();
      else stuck.tell('leave');
      assert.deepEqual(await settled(Promise.all(waiting)), [
        'loaded by a waiter',
        'loaded by a waiter',
        'loaded by a waiter',
      ]);
      assert.equal(loads, 1);
      assert.equal(cache.get('k'), 'loaded by a waiter');
      await settled(stuck.exited);
    });
  }

  it('close while it loads leaves nobody waiting for ever', async (t) => {
    const name = uniqueName('handover');
    const cache = openCache(t, { name });
    const stuck = startStuckLoader(name, 'close');
    await stuck.said('loading');
    const waiting = cache.getOrSet('k', () => 'loaded by a waiter');
    await turnOfTheLoop();
    stuck.tell('close');
    assert.equal(await settled(waiting), 'loaded by a waiter');
    await settled(stuck.exited);
  });

  it('the waiter in yet another thread takes over when all before it have left', async (t) => {
    const name = uniqueName('handover');
    const cache = openCache(t, { name });
    const first = startStuckLoader(name, 'terminate');
    await first.said('loading');
    const second = startWorker(({ MemoryCache, say }, shared) => {
      const mine = new MemoryCache({ name: shared });
      setInterval(() => {}, 1_000);
      mine
        .getOrSet('k', () => {
          say('loading, too');
          return new Promise(() => {});
        })
        .catch(() => {});
      say('waiting');
    }, name);
    await second.said('waiting');
    await first.terminate();
    await second.said('loading, too');
    const waiting = cache.getOrSet('k', () => 'the third');
    await turnOfTheLoop();
    await second.terminate();
    assert.equal(await settled(waiting), 'the third');
  });

  it('a waiter that leaves is not missed', async (t) => {
    const name = uniqueName('handover');
    const cache = openCache(t, { name });
    const gate = deferred();
    const waiting = cache.getOrSet('k', () => gate.promise);
    await turnOfTheLoop();
    const threads = [1, 2, 3].map(() =>
      startWorker(({ MemoryCache, say }, shared) => {
        const mine = new MemoryCache({ name: shared });
        setInterval(() => {}, 1_000);
        for (let i = 0; i < 20; i += 1) mine.getOrSet('k', () => 'never').catch(() => {});
        say('waiting');
      }, name),
    );
    for (const thread of threads) {
      await thread.said('waiting');
      await thread.terminate();
    }
    gate.resolve('loaded');
    assert.equal(await settled(waiting), 'loaded');
    await waitFor(() => cache.get('k') === 'loaded');
  });

  it('a waiter that closes its own handle is settled, and the others go on', async (t) => {
    const name = uniqueName('handover');
    const cache = openCache(t, { name });
    const gate = deferred();
    const waiting = cache.getOrSet('k', () => gate.promise);
    await turnOfTheLoop();
    const thread = startWorker(async ({ MemoryCache, say, hearOnce }, shared) => {
      const mine = new MemoryCache({ name: shared });
      const outcome = mine.getOrSet('k', () => 'never').catch((error) => error.code);
      say('waiting');
      await hearOnce();
      mine.close();
      say('closed');
      return outcome;
    }, name);
    await thread.said('waiting');
    thread.tell('close');
    await thread.said('closed');
    gate.resolve('loaded');
    assert.equal(await settled(waiting), 'loaded');
    assert.ok(['loaded', 'ERR_HOTPATH_CLOSED'].includes(await settled(thread.result)));
    assert.equal(await settled(thread.exited), 0);
    assert.equal(cache.get('k'), 'loaded');
  });
});
