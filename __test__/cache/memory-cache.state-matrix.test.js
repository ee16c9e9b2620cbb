'use strict';

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { MemoryCache } = require('../..');
const { openCache, settled, waitFor, deferred, runInWorker, uniqueName, errors } = require('../support');
const { OPERATIONS, OTHER_MEMBERS, fill, content } = require('../support/operations');

const NAMES = Object.keys(OPERATIONS);

/** What an operation gives (a promise's value, too) and what it leaves behind. */
async function outcome(cache, name) {
  const result = await settled(Promise.resolve(OPERATIONS[name](cache)), { what: name });
  cache.validate();
  return { result, content: content(cache) };
}

/** The reference: the same operation on the same content with nothing going on around it. */
async function calmOutcome(t, name, options, prepare = fill) {
  const cache = openCache(t, options);
  prepare(cache);
  return outcome(cache, name);
}

it('the matrix knows every public member', () => {
  const members = Object.getOwnPropertyNames(MemoryCache.prototype).filter((name) => !name.startsWith('_'));
  assert.deepEqual(members.filter((name) => !NAMES.includes(name) && !OTHER_MEMBERS.includes(name)), []);
  assert.deepEqual([...NAMES, 'close', 'closed', 'name'].filter((name) => name !== 'iterator' && !members.includes(name)), []);
});

describe('state matrix: empty', () => {
  const EMPTY = {
    set: true, put: true, get: undefined, peek: undefined, has: false, delete: false, del: false, take: undefined, touch: false, getTtl: undefined,
    increment: 2, getBytes: undefined, getMany: [undefined, undefined, undefined], mget: {}, setMany: 2, mset: 1, deleteMany: 0, keys: [], entries: [],
    iterator: [], deletePattern: 0, invalidateTags: 0, getOrSet: 'value', clear: undefined, size: 0,
  };
  for (const name of NAMES) {
    it(name, async (t) => {
      const fresh = await outcome(openCache(t), name);
      if (name in EMPTY) assert.deepEqual(fresh.result, EMPTY[name]);
      const emptied = openCache(t);
      fill(emptied);
      emptied.clear();
      assert.deepEqual(await outcome(emptied, name), fresh, 'emptied is as good as new');
    });
  }
});

describe('state matrix: filled', () => {
  const FILLED = {
    set: true, put: true, get: { n: 1 }, peek: { n: 1 }, has: true, delete: true, del: true, take: { n: 1 }, touch: true, getTtl: Infinity,
    increment: 7, getBytes: '{"n":1}', getMany: [{ n: 1 }, undefined, 'text'], mget: { a: { n: 1 }, b: 'text' }, setMany: 2, mset: 1, deleteMany: 2,
    keys: ['a', 'b', 'n'], entries: [['a', { n: 1 }], ['b', 'text'], ['n', 5]], iterator: [['a', { n: 1 }], ['b', 'text'], ['n', 5]], deletePattern: 2,
    invalidateTags: 1, getOrSet: 'value', clear: undefined, size: 3,
  };
  for (const name of NAMES) {
    it(name, async (t) => {
      const { result, content: left } = await calmOutcome(t, name, undefined);
      if (name in FILLED) assert.deepEqual(result, FILLED[name]);
      if (name === 'clear') assert.deepEqual(left, []);
    });
  }
});

describe('state matrix: full', () => {
  for (const evictionPolicy of ['lru', 'tinylfu']) {
    for (const name of NAMES) {
      it(`${evictionPolicy}: ${name}`, async (t) => {
        const cache = openCache(t, { maxEntries: 3, evictionPolicy });
        fill(cache);
        const { result } = await outcome(cache, name);
        assert.ok(cache.size <= 3);
        assert.deepEqual(result, (await calmOutcome(t, name, { maxEntries: 3, evictionPolicy })).result);
        // Still of use afterwards.
        assert.equal(cache.set('after', 1), true);
        assert.ok(cache.size <= 3);
      });
    }
  }
});

// Each raises its event once over the filled content and leaves the same state, whether somebody listens or not.
const TRIGGERS = {
  set: (cache) => cache.set('trigger', 1),
  delete: (cache) => { cache.set('trigger', 1); cache.delete('trigger'); },
  clear: (cache) => { cache.clear(); fill(cache); },
  evict: (cache) => { cache.resize({ maxEntries: 2 }); cache.resize({ maxEntries: 100 }); },
  expire: async (cache) => { cache.set('trigger', 1, 0.01); await waitFor(() => !cache.has('trigger') && cache.stats.expirations === 1); },
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
        const calm = await calmOutcome(t, name, options, fill);
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

describe('state matrix: closed', () => {
  for (const name of NAMES) {
    it(name, async () => {
      const cache = new MemoryCache();
      fill(cache);
      cache.close();
      if (name === 'getOrSet') await assert.rejects(OPERATIONS[name](cache), errors.closed);
      else assert.throws(() => OPERATIONS[name](cache), errors.closed);
    });
  }

  it('a handle closes alone while another is open', (t) => {
    const name = uniqueName('matrix');
    const first = openCache(t, { name });
    const second = openCache(t, { name });
    fill(first);
    first.close();
    assert.throws(() => first.get('a'), errors.closed);
    assert.deepEqual(second.get('a'), { n: 1 });
  });

  it('an iterator that was open ends or says so', (t) => {
    const cache = openCache(t);
    fill(cache);
    const iterator = cache.entries();
    assert.equal(iterator.next().done, false);
    cache.close();
    try {
      assert.equal(iterator.next().done, true);
    } catch (error) {
      assert.equal(error.code, 'ERR_HOTPATH_CLOSED');
    }
  });
});

it('state matrix: from a worker thread', async (t) => {
  const there = await runInWorker(async ({ MemoryCache: Cache, require: load }) => {
    const { OPERATIONS: operations, fill: fillThere, content: contentThere } = load('./operations');
    const outcomes = {};
    for (const name of Object.keys(operations)) {
      const cache = new Cache();
      fillThere(cache);
      outcomes[name] = { result: await operations[name](cache), content: contentThere(cache) };
      cache.validate();
      cache.close();
    }
    return outcomes;
  });
  for (const name of NAMES) assert.deepEqual(there[name], await calmOutcome(t, name), name);
  assert.equal(Object.keys(there).length, NAMES.length);
});
