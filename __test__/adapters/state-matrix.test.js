'use strict';

// The drop-ins in every state. NodeCache has no end: `close` only stops its periodic check.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { promisify } = require('node:util');
const { MemoryCache, NodeCache, SessionStore } = require('../../index.js');
const { errors, runInWorker } = require('../support');
const { stateMatrix } = require('../support/matrix.js');

stateMatrix('KeyvStore', {
  operations: {
    get: (store) => store.get('a'),
    getMany: (store) => store.getMany(['a', 'missing', 'b']),
    set: (store) => store.set('new', { fresh: true }, 60_000),
    setMany: (store) =>
      store.setMany([
        { key: 'x', value: 1 },
        { key: 'y', value: 2, ttl: 5_000 },
      ]),
    delete: (store) => store.delete('a'),
    deleteMany: (store) => store.deleteMany(['a', 'missing']),
    has: (store) => store.has('b'),
    hasMany: (store) => store.hasMany(['a', 'missing']),
    clear: (store) => store.clear(),
    iterator: async (store) => {
      const keys = [];
      for await (const [key] of store.iterator()) keys.push(key);
      return keys.filter((key) => !key.startsWith('other')).sort();
    },
  },
  answers: {
    get: { n: 1 },
    getMany: [{ n: 1 }, undefined, 'text'],
    set: true,
    setMany: [true, true],
    delete: true,
    deleteMany: true,
    has: true,
    hasMany: [true, false],
    clear: undefined,
    iterator: ['a', 'b'],
  },
  others: ['cache'],
  fill: async (store) => {
    await store.set('a', { n: 1 });
    await store.set('b', 'text');
  },
  options: () => ({}),
  full: () => ({ maxEntries: 2 }),
  close: 'disconnect',
});

describe('SessionStore: state matrix', () => {
  const data = { cookie: { expires: null }, user: 1 };
  const operations = {
    get: (store) => promisify(store.get.bind(store))('s'),
    set: (store) => promisify(store.set.bind(store))('s', data),
    touch: (store) => promisify(store.touch.bind(store))('s', data),
    destroy: (store) => promisify(store.destroy.bind(store))('s'),
    all: (store) => promisify(store.all.bind(store))(),
    length: (store) => promisify(store.length.bind(store))(),
    clear: (store) => promisify(store.clear.bind(store))(),
    load: async (store) => (await promisify(store.load.bind(store))('s')).user,
    regenerate: (store) => promisify(store.regenerate.bind(store))({ sessionID: 's' }),
  };
  const answers = { get: data, all: { s: data }, length: 1, load: 1 };

  async function filled(t, options) {
    const store = new SessionStore(options);
    t.after(() => store.close());
    await operations.set(store);
    return store;
  }

  it('knows every public member', () => {
    const members = Object.getOwnPropertyNames(SessionStore.prototype);
    const others = ['constructor', 'cache', 'createSession', 'close'];
    assert.deepEqual(members.sort(), [...Object.keys(operations), ...others].sort());
  });

  for (const [name, operate] of Object.entries(operations)) {
    it(`${name} while idle`, async (t) => {
      assert.deepEqual(await operate(await filled(t)), answers[name]);
    });

    it(`${name} while busy, and full`, async (t) => {
      const store = await filled(t, { maxEntries: 2 });
      const busy = Array.from({ length: 100 }, (_, index) => promisify(store.set.bind(store))(`other ${index}`, data));
      // Whether the session is still there is up to the policy.
      await operate(store).catch((error) => assert.equal(error.name, 'TypeError'));
      await Promise.all(busy);
      assert.ok((await operations.length(store)) <= 2);
    });

    it(`${name} inside a callback`, async (t) => {
      const store = await filled(t);
      const answer = new Promise((resolve, reject) => {
        store.get('s', () => operate(store).then(resolve, reject));
      });
      assert.deepEqual(await answer, answers[name]);
    });

    it(`${name} closed`, async (t) => {
      const store = await filled(t);
      await store.close();
      await store.close();
      await assert.rejects(operate(store), errors.closed);
    });
  }

  it('in another thread, over a cache that both share', async (t) => {
    const name = `sessions-${process.pid}`;
    const store = new SessionStore({ name });
    t.after(() => store.close());
    await operations.set(store);
    const read = await runInWorker(
      async ({ load }, { name }) => {
        const { SessionStore } = load();
        const store = new SessionStore({ name });
        const session = await new Promise((resolve) => store.get('s', (_error, found) => resolve(found)));
        await store.close();
        return session;
      },
      { name },
    );
    assert.deepEqual(read, data);
  });

  it('a cache that was given outlives the store', async () => {
    const cache = new MemoryCache();
    const store = new SessionStore({ cache });
    await operations.set(store);
    await store.close();
    assert.equal(cache.size, 1);
  });
});

describe('NodeCache: state matrix', () => {
  const operations = {
    get: (cache) => cache.get('a'),
    mget: (cache) => cache.mget(['a', 'missing']),
    set: (cache) => cache.set('new', [1]),
    put: (cache) => cache.put('new', [1]),
    mset: (cache) => cache.mset([{ key: 'x', val: 1 }]),
    del: (cache) => cache.del(['a', 'missing']),
    delete: (cache) => cache.delete(['a', 'missing']),
    take: (cache) => cache.take('a'),
    fetch: (cache) => cache.fetch('a', 5, { n: 2 }),
    ttl: (cache) => cache.ttl('a', 100),
    getTtl: (cache) => cache.getTtl('a'),
    keys: (cache) => cache.keys(),
    has: (cache) => cache.has('a'),
    getStats: (cache) => cache.getStats().keys,
    flushAll: (cache) => cache.flushAll(),
    flushStats: (cache) => cache.flushStats(),
    data: (cache) => cache.data,
  };
  const answers = {
    ...{
      get: { n: 1 },
      mget: { a: { n: 1 } },
      set: true,
      mset: true,
      del: 1,
      take: { n: 1 },
      put: true,
      delete: 1,
      ttl: true,
      getTtl: 0,
    },
    fetch: { n: 1 },
    ...{ keys: ['a'], has: true, getStats: 1, data: { a: { t: 0, v: { n: 1 } } } },
  };

  function filled(t, options) {
    const cache = new NodeCache(options);
    t.after(() => cache.close());
    cache.set('a', { n: 1 });
    return cache;
  }

  it('knows every public member', () => {
    const members = Object.getOwnPropertyNames(NodeCache.prototype).filter((name) => !name.startsWith('_'));
    assert.deepEqual(members.sort(), [...Object.keys(operations), 'constructor', 'close'].sort());
  });

  for (const [name, operate] of Object.entries(operations)) {
    it(`${name} while idle, and after close`, (t) => {
      assert.deepEqual(operate(filled(t)), answers[name]);
      const closed = filled(t);
      closed.close();
      assert.deepEqual(operate(closed), answers[name]);
    });

    it(`${name} inside a listener`, (t) => {
      const cache = filled(t);
      let answer;
      cache.once('set', () => {
        cache.del('signal');
        answer = operate(cache);
      });
      cache.set('signal', 1);
      assert.deepEqual(answer, answers[name]);
    });

    it(`${name} while full`, (t) => {
      const cache = filled(t, { maxKeys: 1 });
      if (['set', 'put', 'mset'].includes(name)) assert.throws(() => operate(cache), { name: 'ECACHEFULL' });
      else assert.deepEqual(operate(cache), answers[name]);
    });
  }

  it('all of them in another thread', async () => {
    const source = Object.fromEntries(Object.entries(operations).map(([name, operate]) => [name, String(operate)]));
    const results = await runInWorker(({ load, require }, source) => {
      const { NodeCache } = load();
      return Object.fromEntries(
        Object.entries(source).map(([name, code]) => {
          const cache = new NodeCache();
          cache.set('a', { n: 1 });
          return [name, require('node:vm').runInThisContext(`(${code})`)(cache)];
        }),
      );
    }, source);
    for (const name of Object.keys(operations)) assert.deepEqual(results[name], answers[name], name);
  });
});
