'use strict';

// The state matrix, continued: every operation inside a listener of every event, and inside a loader.

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { openCache, settled, waitFor, deferred, errors } = require('../support');
const { OPERATIONS, fill, content, outcome, calmOutcome } = require('../support/operations');

const NAMES = Object.keys(OPERATIONS);

// Each raises its event once over the filled content and leaves the same state, whether somebody listens or not.
const TRIGGERS = {
  set: (cache) => cache.set('trigger', 1),
  delete: (cache) => {
    cache.set('trigger', 1);
    cache.delete('trigger');
  },
  clear: (cache) => {
    cache.clear();
    fill(cache);
  },
  evict: (cache) => {
    cache.resize({ maxEntries: 2 });
    cache.resize({ maxEntries: 100 });
  },
  expire: async (cache) => {
    cache.set('trigger', 1, 0.01);
    await waitFor(() => !cache.has('trigger') && cache.stats.expirations === 1);
  },
};
// `clear` and `evict` go on after their event, so the operation inside sees another state than one after it.
const SEES_THE_END = { set: true, delete: true, expire: true };

for (const [event, trigger] of Object.entries(TRIGGERS)) {
  describe(`state matrix: inside a listener of '${event}'`, () => {
    for (const name of NAMES) {
      it(name, async (t) => {
        const options = { evictionPolicy: 'lru', nearCache: false, maxEntries: 100 };
        const cache = openCache(t, options);
        fill(cache);
        const inside = deferred();
        cache.once(event, () => {
          // A throw here would go to uncaughtException; the test must fail where it can be seen.
          try {
            inside.resolve(OPERATIONS[name](cache));
          } catch (error) {
            inside.reject(error);
          }
        });
        await trigger(cache);
        const result = await settled(inside.promise, { what: `the listener of ${event}` });
        cache.validate();
        if (!SEES_THE_END[event]) return;
        const calm = await calmOutcome(t, name, options);
        if (event === 'set') {
          const reference = openCache(t, options);
          fill(reference);
          trigger(reference);
          assert.deepEqual({ result, content: content(cache) }, await outcome(reference, name));
        } else assert.deepEqual({ result, content: content(cache) }, calm);
      });
    }

    it('close', async (t) => {
      const cache = openCache(t, { evictionPolicy: 'lru' });
      fill(cache);
      let heard = 0;
      cache.on(event, () => {
        heard += 1;
        cache.close();
      });
      // What follows the event in the trigger meets a closed cache, and says so in the usual way.
      await Promise.resolve()
        .then(() => trigger(cache))
        .catch((error) => assert.equal(error.code, 'ERR_HOTPATH_CLOSED'));
      await waitFor(() => heard > 0);
      assert.equal(cache.closed, true);
      assert.throws(() => cache.get('a'), errors.closed);
    });
  });
}

describe('state matrix: inside a loader', () => {
  for (const name of NAMES) {
    it(name, async (t) => {
      const cache = openCache(t);
      fill(cache);
      const inside = deferred();
      const outer = cache.getOrSet('outer', async () => {
        try {
          inside.resolve(await OPERATIONS[name](cache));
        } catch (error) {
          inside.reject(error);
        }
        return 'outer value';
      });
      const calm = await calmOutcome(t, name);
      assert.deepEqual(await settled(inside.promise), calm.result);
      assert.equal(await settled(outer), 'outer value');
      const left = content(cache).filter(([key]) => key !== 'outer');
      assert.deepEqual(left, calm.content);
    });
  }
});
