'use strict';

// Every public member in every state: idle, busy, full, in a listener, in a loader, with a tier that fails, closing,
// closed, and in another thread.

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { MemoryCache, MultiLevelCache } = require('../..');
const { deferred, errors, runInWorker, settled, uniqueName } = require('../support');
const { temporaryDirectory } = require('../support/disks');
const { ANSWERS, EMITTER, OPERATIONS, OTHER_MEMBERS, fill } = require('../support/level-operations');
const { FaultyTier, MapTier, openLevels } = require('../support/tiers');

async function filled(t, options) {
  const levels = openLevels(t, options);
  await fill(levels.cache);
  return levels;
}

it('the matrix knows every public member', () => {
  const members = Object.getOwnPropertyNames(MultiLevelCache.prototype);
  assert.deepEqual(
    members.filter((name) => !(name in OPERATIONS) && !OTHER_MEMBERS.includes(name) && !EMITTER.includes(name)),
    [],
  );
  assert.deepEqual(Object.keys(OPERATIONS), Object.keys(ANSWERS));
});

describe('MultiLevelCache: state matrix', () => {
  for (const [name, operate] of Object.entries(OPERATIONS)) {
    it(`${name} while idle`, async (t) => {
      const { cache } = await filled(t);
      assert.deepEqual(await operate(cache), ANSWERS[name]);
    });

    it(`${name} while busy`, async (t) => {
      const { cache } = await filled(t);
      const others = Array.from({ length: 300 }, (_, i) => [
        cache.set(`other ${i}`, { i }),
        cache.getOrSet(`loaded ${i % 7}`, async () => ({ i })),
      ]).flat();
      assert.deepEqual(await operate(cache), ANSWERS[name]);
      await Promise.all(others);
    });

    it(`${name} while memory is full`, async (t) => {
      const { cache } = await filled(t, { l1Cache: new MemoryCache({ maxEntries: 2 }) });
      assert.deepEqual(await operate(cache), ANSWERS[name]);
    });

    it(`${name} inside a listener`, async (t) => {
      const { cache } = await filled(t);
      const answer = deferred();
      cache.once('set', () => operate(cache).then(answer.resolve, answer.reject));
      await cache.set('signal', 1);
      assert.deepEqual(await settled(answer.promise, { what: name }), ANSWERS[name]);
    });

    it(`${name} inside a loader`, async (t) => {
      const { cache } = await filled(t);
      const value = await settled(cache.getOrSet('outer', async () => ({ inner: await operate(cache) })));
      assert.deepEqual(value, { inner: ANSWERS[name] });
    });

    it(`${name} while the tier behind memory fails`, async (t) => {
      const l2Cache = new FaultyTier();
      const { cache } = await filled(t, { l2Cache });
      const told = [];
      cache.on('error', (error) => told.push(error));
      l2Cache.fault = new Error('the tier is down');
      // It cannot be asked which keys it has, and that is told.
      if (name === 'keys' || name === 'deletePattern')
        await assert.rejects(operate(cache), { code: 'ERR_HOTPATH_TIER_UNAVAILABLE' });
      else assert.deepEqual(await operate(cache), ANSWERS[name]);
      assert.ok(told.every(({ tier, level }) => tier === 'foreign' && level === 2));
      l2Cache.fault = undefined;
    });

    it(`${name} while closing, and closed`, async (t) => {
      const { cache } = await filled(t);
      const before = operate(cache);
      const closing = cache.close();
      await assert.rejects(operate(cache), errors.closed);
      // What was begun is answered, or refused, but never forgotten.
      const [outcome] = await settled(Promise.allSettled([before]), { what: name });
      if (outcome.status === 'fulfilled') assert.deepEqual(outcome.value, ANSWERS[name]);
      else assert.equal(outcome.reason.code, errors.closed.code);
      await closing;
      await assert.rejects(operate(cache), errors.closed);
    });
  }

  it('a tier that was closed under it is a tier that fails', async (t) => {
    const { cache, l1 } = await filled(t);
    l1.close();
    const told = [];
    cache.on('error', ({ tier }) => told.push(tier));
    assert.deepEqual(await cache.get('a'), { n: 1 });
    assert.equal(await cache.set('a', 2), true);
    assert.equal(await cache.get('a'), 2);
    assert.ok(told.includes('memory'));
  });

  it('all of them in another thread, over memory and disk', async (t) => {
    const directory = temporaryDirectory(t);
    const name = uniqueName('matrix');
    const answers = await runInWorker(
      async ({ load, require }, { directory, name, sources, fillSource }) => {
        const { DiskCache, MemoryCache, MultiLevelCache } = load();
        const vm = require('node:vm');
        const compiled = (source) => vm.runInThisContext(`(${source})`);
        const fill = compiled(fillSource);
        const l1Cache = new MemoryCache({ name });
        const l2Cache = new DiskCache({ directory });
        const cache = new MultiLevelCache({ name, l1Cache, l2Cache });
        const answers = {};
        for (const [operation, source] of Object.entries(sources)) {
          await cache.clear();
          await fill(cache);
          answers[operation] = await compiled(source)(cache);
        }
        await cache.close();
        await l2Cache.close();
        l1Cache.close();
        return answers;
      },
      {
        directory,
        name,
        sources: Object.fromEntries(Object.entries(OPERATIONS).map(([key, operate]) => [key, String(operate)])),
        fillSource: String(fill),
      },
    );
    assert.deepEqual({ ...answers, mget: { ...answers.mget } }, ANSWERS);
  });

  it('close is one promise, closes what it made, and leaves the tiers that it was given', async (t) => {
    const l2Cache = new MapTier();
    const own = new MultiLevelCache({ l2Cache });
    t.after(() => own.close());
    await own.set('key', 1);
    assert.equal(own.closed, false);
    await Promise.all([own.close(), own.close(), own[Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose')]()]);
    assert.equal(own.closed, true);
    assert.equal(own.isWarmingUp, false);
    assert.equal(own.name, undefined);
    assert.deepEqual([...l2Cache.entries], [['key', 1]]);
    const { cache, l1 } = await filled(t);
    await cache.close();
    assert.deepEqual(l1.get('a'), { n: 1 });
  });

  it('the emitter’s own part, open and closed', async (t) => {
    const { cache } = await filled(t);
    const listener = () => {};
    const each = ['on', 'addListener', 'prependListener', 'off', 'removeListener'];
    for (const name of each) assert.equal(cache[name]('hit', listener), cache);
    await cache.close();
    for (const name of each) assert.equal(cache[name]('hit', listener), cache);
    assert.equal(cache.removeAllListeners(), cache);
    assert.equal(cache.listenerCount('hit'), 0);
  });
});
