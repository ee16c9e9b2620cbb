'use strict';

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { MemoryCache } = require('../..');
const { openCache, runInWorker, uniqueName, errors } = require('../support');
const { OPERATIONS, OTHER_MEMBERS, fill, outcome, calmOutcome } = require('../support/operations');

const NAMES = Object.keys(OPERATIONS);

it('the matrix knows every public member', () => {
  const members = Object.getOwnPropertyNames(MemoryCache.prototype).filter((name) => !name.startsWith('_'));
  assert.deepEqual(
    members.filter((name) => !NAMES.includes(name) && !OTHER_MEMBERS.includes(name)),
    [],
  );
  assert.deepEqual(
    [...NAMES, 'close', 'closed', 'name'].filter((name) => name !== 'iterator' && !members.includes(name)),
    [],
  );
});

describe('state matrix: empty', () => {
  const EMPTY = {
    set: true,
    put: true,
    get: undefined,
    peek: undefined,
    has: false,
    delete: false,
    del: false,
    take: undefined,
    touch: false,
    getTtl: undefined,
    increment: 2,
    getBytes: undefined,
    getMany: [undefined, undefined, undefined],
    mget: {},
    setMany: 2,
    mset: 1,
    deleteMany: 0,
    keys: [],
    entries: [],
    iterator: [],
    deletePattern: 0,
    invalidateTags: 0,
    getOrSet: 'value',
    clear: undefined,
    size: 0,
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
    set: true,
    put: true,
    get: { n: 1 },
    peek: { n: 1 },
    has: true,
    delete: true,
    del: true,
    take: { n: 1 },
    touch: true,
    getTtl: Infinity,
    increment: 7,
    getBytes: '{"n":1}',
    getMany: [{ n: 1 }, undefined, 'text'],
    mget: { a: { n: 1 }, b: 'text' },
    setMany: 2,
    mset: 1,
    deleteMany: 2,
    keys: ['a', 'b', 'n'],
    entries: [
      ['a', { n: 1 }],
      ['b', 'text'],
      ['n', 5],
    ],
    iterator: [
      ['a', { n: 1 }],
      ['b', 'text'],
      ['n', 5],
    ],
    deletePattern: 2,
    invalidateTags: 1,
    getOrSet: 'value',
    clear: undefined,
    size: 3,
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
  for (const evictionPolicy of ['adaptive', 'lru', 'tinylfu']) {
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
