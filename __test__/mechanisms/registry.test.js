'use strict';

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { MemoryCache, MemoryOptimizedCache } = require('../..');
const { openCache, uniqueName, waitFor, settled, startWorker, runInWorker } = require('../support');

/** A conflict names the option and both values, in its fields and in its message. */
function conflict(option, existing, requested) {
  return (error) => {
    assert.equal(error.name, 'HotpathConflictError');
    assert.equal(error.code, 'ERR_HOTPATH_OPTION_CONFLICT');
    assert.equal(error.option, option);
    assert.equal(String(error.existing).toLowerCase(), String(existing).toLowerCase());
    assert.equal(String(error.requested).toLowerCase(), String(requested).toLowerCase());
    for (const part of [option, existing, requested])
      assert.ok(error.message.toLowerCase().includes(String(part).toLowerCase()), `${error.message} names ${part}`);
    return true;
  };
}

describe('registry: names in one thread', () => {
  it('the same name is the same cache, another name another', (t) => {
    const name = uniqueName();
    const [first, second, other] = [
      openCache(t, { name }),
      openCache(t, { name }),
      openCache(t, { name: `${name}-other` }),
    ];
    first.set('k', { n: 1 });
    assert.deepEqual(second.get('k'), { n: 1 });
    assert.equal(other.get('k'), undefined);
    assert.equal(second.size, 1);
    second.delete('k');
    assert.equal(first.get('k'), undefined);
  });

  it('without a name a cache is private', (t) => {
    const [first, second] = [openCache(t), openCache(t)];
    first.set('k', 1);
    assert.equal(second.get('k'), undefined);
  });

  it('the engine’s figures are common, the near cache’s are the handle’s', (t) => {
    const name = uniqueName();
    const [first, second] = [openCache(t, { name }), openCache(t, { name, nearCache: false })];
    first.set('k', { n: 1 });
    for (let i = 0; i < 10; i += 1) first.get('k');
    assert.equal(second.stats.sets, 1);
    assert.equal(second.stats.entries, 1);
    assert.equal(second.stats.nearEntries, 0);
    assert.ok(first.stats.nearEntries > 0);
  });

  it('a limit changed by one handle holds for all', (t) => {
    const name = uniqueName();
    const [first, second] = [openCache(t, { name, maxEntries: 100 }), openCache(t, { name })];
    first.resize({ maxEntries: 5 });
    assert.equal(second.stats.maxEntries, 5);
    for (let i = 0; i < 20; i += 1) second.set(`k${i}`, i);
    assert.ok(first.size <= 5);
  });
});

describe('registry: options', () => {
  const CONFLICTS = [
    [{ maxEntries: 100 }, { maxEntries: 200 }, ['maxEntries', 100, 200]],
    [{ maxBytes: 1_000_000 }, { maxBytes: 2_000_000 }, ['maxBytes', 1_000_000, 2_000_000]],
    [{ maxMemoryMB: 10 }, { maxMemoryMB: 20 }, ['maxMemoryMB', 10, 20]],
    [{ ttlMs: 1_000 }, { ttlMs: 2_000 }, ['ttlMs', 1_000, 2_000]],
    [{ idleMs: 1_000 }, { idleMs: 2_000 }, ['idleMs', 1_000, 2_000]],
    [{ evictionPolicy: 'lru' }, { evictionPolicy: 'tinylfu' }, ['evictionPolicy', 'lru', 'tinylfu']],
  ];
  for (const [first, second, [option, existing, requested]] of CONFLICTS) {
    it(`a different ${option} is an error that names both`, (t) => {
      const name = uniqueName();
      const cache = openCache(t, { name, ...first });
      assert.throws(() => new MemoryCache({ name, ...second }), conflict(option, existing, requested));
      cache.set('k', 1);
      assert.equal(openCache(t, { name, ...first }).get('k'), 1);
    });
  }

  it('a different compression is one, too', (t) => {
    for (const [first, second] of [
      [true, false],
      [false, true],
      [{ algorithm: 'lz4' }, { algorithm: 'zstd' }],
      [{ thresholdBytes: 10 }, { thresholdBytes: 20 }],
    ]) {
      const name = uniqueName();
      openCache(t, { name, compression: first });
      assert.throws(
        () => new MemoryCache({ name, compression: second }),
        (error) => {
          assert.equal(error.code, 'ERR_HOTPATH_OPTION_CONFLICT');
          assert.match(error.option, /compression/);
          return true;
        },
      );
    }
  });

  it('a default that was never given does not conflict, but what is in force does', (t) => {
    const name = uniqueName();
    openCache(t, { name });
    assert.throws(() => new MemoryCache({ name, maxMemoryMB: 50 }), { code: 'ERR_HOTPATH_OPTION_CONFLICT' });
    openCache(t, { name, maxMemoryMB: 100 });
  });

  it('what is equal in another form is equal', (t) => {
    const name = uniqueName();
    openCache(t, { name, maxMemoryMB: 1, evictionPolicy: 'lru', compression: true });
    openCache(t, { name, maxBytes: 1024 * 1024, evictionPolicy: 'LRU', compression: { algorithm: 'lz4' } });
  });

  it('what is not given, and what belongs to the handle, is not compared', (t) => {
    const name = uniqueName();
    openCache(t, {
      name,
      maxEntries: 100,
      ttlMs: 5_000,
      evictionPolicy: 'lru',
      compression: true,
      nearCache: false,
      clone: true,
    });
    openCache(t, { name });
    openCache(t, { name, maxEntries: undefined });
    openCache(t, { name, nearCache: { maxEntries: 5 }, clone: false });
  });

  it('two workers with conflicting options: one of them is told', async () => {
    const name = uniqueName();
    const gate = new Int32Array(new SharedArrayBuffer(8));
    const body = async ({ MemoryCache: Cache, waitFor: until }, { name: shared, maxEntries, gate: count }) => {
      try {
        const cache = new Cache({ name: shared, maxEntries });
        Atomics.add(count, 0, 1);
        await until(() => Atomics.load(count, 0) === 2);
        return { maxEntries: cache.stats.maxEntries };
      } catch (error) {
        Atomics.add(count, 0, 1);
        return { code: error.code, option: error.option, existing: error.existing, requested: error.requested };
      }
    };
    const outcomes = await Promise.all([100, 200].map((maxEntries) => runInWorker(body, { name, maxEntries, gate })));
    const told = outcomes.find(({ code }) => code);
    const opened = outcomes.find(({ code }) => !code);
    assert.deepEqual(told, {
      code: 'ERR_HOTPATH_OPTION_CONFLICT',
      option: 'maxEntries',
      existing: opened.maxEntries,
      requested: 300 - opened.maxEntries,
    });
  });
});

describe('registry: the last handle', () => {
  it('closes the cache; the next of that name starts anew', (t) => {
    const name = uniqueName();
    const handles = [1, 2, 3].map(() => openCache(t, { name, maxEntries: 10 }));
    handles[0].set('k', 1);
    handles[0].close();
    handles[0].close();
    handles[1].close();
    assert.equal(handles[2].get('k'), 1, 'closing twice releases once');
    handles[2].close();
    const next = openCache(t, { name, maxEntries: 20 });
    assert.equal(next.get('k'), undefined);
    assert.equal(next.stats.maxEntries, 20);
  });

  it('a worker that exits lets go of its own', async (t) => {
    for (const leave of ['end', 'exit', 'throw', 'terminate']) {
      const name = uniqueName();
      const thread = startWorker(
        ({ MemoryCache: Cache, say }, { name: shared, leave: how }) => {
          const cache = new Cache({ name: shared, maxEntries: 10 });
          cache.set('k', 1);
          say('open');
          if (how === 'exit') process.exit(0);
          if (how === 'throw')
            setImmediate(() => {
              throw new Error('the worker fails on purpose');
            });
          if (how === 'terminate') setInterval(() => cache.get('k'), 1);
        },
        { name, leave },
      );
      if (leave === 'terminate') {
        await thread.said('open');
        await thread.terminate();
      }
      await settled(thread.exited);
      const next = await waitFor(
        () => {
          try {
            return openCache(t, { name, maxEntries: 20 });
          } catch (error) {
            assert.equal(error.code, 'ERR_HOTPATH_OPTION_CONFLICT');
            return undefined;
          }
        },
        { what: `the handle of a worker that left by ${leave}` },
      );
      assert.equal(next.size, 0, leave);
    }
  });

  it('a worker’s data outlives it while another handle is open', async (t) => {
    const name = uniqueName();
    const cache = openCache(t, { name });
    await runInWorker(({ MemoryCache: Cache }, shared) => {
      const mine = new Cache({ name: shared });
      for (let i = 0; i < 500; i += 1)
        mine.set(`k${i}`, { i, list: [`text ${i}`], when: new Date(i), more: { [`field${i % 20}`]: i } });
    }, name);
    for (let i = 0; i < 500; i += 1) {
      assert.deepEqual(cache.get(`k${i}`), {
        i,
        list: [`text ${i}`],
        when: new Date(i),
        more: { [`field${i % 20}`]: i },
      });
    }
  });
});

describe('registry: namespaces', () => {
  it('no name of one class is a name of another', async (t) => {
    const name = uniqueName();
    const optimized = new MemoryOptimizedCache({ name });
    t.after(() => optimized.close());
    await optimized.put('k', 1);
    for (const other of [name, `MemoryOptimizedCache/${name}`, `/${name}`])
      assert.equal(openCache(t, { name: other }).get('k'), undefined);
  });
});
