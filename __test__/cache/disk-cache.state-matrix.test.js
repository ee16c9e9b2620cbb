'use strict';

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { DiskCache } = require('../..');
const { errors, runInWorker, waitFor } = require('../support');
const { openDisk } = require('../support/disks');
const { OPERATIONS, OTHER_MEMBERS, fill, content } = require('../support/disk-operations');

const NAMES = Object.keys(OPERATIONS);

it('the matrix knows every public member', () => {
  const members = Object.getOwnPropertyNames(DiskCache.prototype).filter((name) => !name.startsWith('_'));
  assert.deepEqual(members.sort(), [...NAMES, ...OTHER_MEMBERS].sort());
});

const EMPTY = {
  set: true,
  put: true,
  get: undefined,
  getSync: undefined,
  has: false,
  delete: false,
  del: false,
  touch: false,
  getTtl: false,
  increment: 2,
  getMany: [undefined, undefined, undefined],
  mget: {},
  setMany: 2,
  mset: 1,
  deleteMany: 0,
  keys: [],
  deletePattern: 0,
  setStream: true,
  getStream: undefined,
  clear: undefined,
  compact: { entries: 0, files: 0, bytes: 0 },
  validate: undefined,
  size: 0,
  stats: 5 * 1024 ** 3,
};

const FILLED = {
  ...EMPTY,
  get: { n: 1 },
  getSync: 'text',
  has: true,
  delete: true,
  del: true,
  touch: true,
  getTtl: true,
  increment: 7,
  getMany: [{ n: 1 }, undefined, 'text'],
  mget: { a: { n: 1 }, b: 'text' },
  deleteMany: 2,
  keys: ['a', 'b', 'n'],
  deletePattern: 2,
  getStream: '{"n":1}',
  size: 3,
};

for (const [state, expected, prepare] of [
  ['empty', EMPTY, async () => {}],
  ['cleared', EMPTY, async (cache) => (await fill(cache), await cache.clear())],
  ['filled', FILLED, fill],
]) {
  describe(`state matrix: ${state}`, () => {
    for (const name of NAMES) {
      it(name, async (t) => {
        const cache = openDisk(t);
        await prepare(cache);
        assert.deepEqual(await OPERATIONS[name](cache), expected[name]);
      });
    }
  });
}

describe('state matrix: full', () => {
  for (const name of NAMES) {
    it(name, async (t) => {
      const cache = openDisk(t, { diskLimit: 3_000 });
      for (let i = 0; i < 50; i += 1) await cache.set(`filler${i}`, 'x'.repeat(200));
      await OPERATIONS[name](cache);
      assert.ok(cache.stats.bytes <= 3_000);
      assert.equal(await cache.set('after', 1), true);
    });
  }
});

describe('state matrix: busy', () => {
  for (const name of NAMES) {
    it(name, async (t) => {
      const cache = openDisk(t);
      await fill(cache);
      const others = Array.from({ length: 200 }, (_, i) => cache.set(`other-${i % 20}`, i));
      const result = await OPERATIONS[name](cache);
      if (!['keys', 'size', 'compact', 'deletePattern'].includes(name)) assert.deepEqual(result, FILLED[name]);
      await Promise.all(others);
    });
  }
});

describe('state matrix: inside a listener', () => {
  for (const name of NAMES) {
    it(name, async (t) => {
      const cache = openDisk(t);
      await fill(cache);
      let outcome;
      cache.on('set', (key) => {
        if (key === 'trigger') outcome = OPERATIONS[name](cache);
      });
      await cache.set('trigger', 1);
      await waitFor(() => outcome !== undefined);
      const result = await outcome;
      if (name !== 'size') assert.deepEqual(result, FILLED[name]);
    });
  }
});

describe('state matrix: closing and closed', () => {
  for (const name of NAMES) {
    it(name, async (t) => {
      const cache = openDisk(t);
      await fill(cache);
      const closing = cache.close();
      await assert.rejects(OPERATIONS[name](cache), errors.closed, 'closing');
      await closing;
      await assert.rejects(OPERATIONS[name](cache), errors.closed, 'closed');
    });
  }

  it('nothing throws synchronously that returns a promise', async (t) => {
    const cache = openDisk(t);
    await cache.close();
    const synchronous = ['getSync', 'size', 'stats'];
    for (const name of NAMES.filter((method) => !synchronous.includes(method))) {
      await assert.rejects(Promise.resolve(cache[name]('a', ['b'])), undefined, name);
    }
  });
});

it('state matrix: from a worker thread', async (t) => {
  const { directory } = openDisk(t);
  const there = await runInWorker(async ({ load, require: get }, parent) => {
    const { DiskCache: Cache } = load();
    const { OPERATIONS: operations, fill: fillThere } = get('./disk-operations');
    const outcomes = {};
    for (const name of Object.keys(operations)) {
      const cache = new Cache({ directory: `${parent}/${name}` });
      await fillThere(cache);
      outcomes[name] = await operations[name](cache);
      await cache.validate();
      await cache.close();
    }
    return outcomes;
  }, directory);
  for (const name of NAMES) assert.deepEqual(there[name], FILLED[name], name);
});

it('contents are as expected after each operation', async (t) => {
  const left = {};
  for (const name of ['set', 'delete', 'increment', 'deletePattern', 'mset', 'setStream', 'clear']) {
    const cache = openDisk(t);
    await fill(cache);
    await OPERATIONS[name](cache);
    left[name] = await content(cache);
  }
  const filled = [
    ['a', { n: 1 }],
    ['b', 'text'],
    ['n', 5],
  ];
  assert.deepEqual(left, {
    set: [...filled, ['new', { fresh: true }]],
    delete: filled.slice(1),
    increment: [...filled.slice(0, 2), ['n', 7]],
    deletePattern: filled.slice(2),
    mset: [...filled, ['x', 1]],
    setStream: [...filled, ['streamed', Buffer.from('onetwo')]],
    clear: [],
  });
});
