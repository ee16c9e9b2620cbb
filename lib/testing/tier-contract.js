'use strict';

// What MultiLevelCache asks of a tier, as tests that need nothing but assertions: for the tiers of this package and for
// users' own.

const assert = require('node:assert/strict');
const check = require('../validate.js');
const { invalidArgType } = require('../errors.js');
const { MemoryCache } = require('../cache/memory-cache.js');
const { MultiLevelCache } = require('../cache/multi-level-cache.js');

/**
 * A tier under test.
 * @typedef {object} Opened
 * @property {any} tier
 * @property {'s' | 'ms'} [ttlUnit]
 * @property {() => unknown} [close]
 */

/**
 * @typedef {object} Case
 * @property {string} title
 * @property {(open: () => Opened | Promise<Opened>) => Promise<void>} run
 */

const LIMIT_MS = 20_000;

/** Long enough for a case whether the tier takes it for seconds or for milliseconds. */
const LONG = 60_000;

/** Values that every tier has to give back as they were: what JSON knows. */
const VALUES = Object.freeze({
  text: 'text',
  'an empty text': '',
  'text beyond Latin-1': 'grün 漢字 🦀',
  zero: 0,
  'a fraction': -1.5,
  yes: true,
  no: false,
  'an object': { id: 1, name: 'Ada', nested: { list: [1, 'two', null] } },
  'an empty object': {},
  'a list': [1, 2, 3],
  'an empty list': [],
});

const KEYS = Object.freeze([
  'a',
  'user:1',
  'with space',
  'ümläut',
  '漢字',
  '*',
  'a/b\\c',
  '__proto__',
  'k'.repeat(200),
]);

/**
 * Writes as MultiLevelCache does.
 * @param {any} tier
 * @param {string} key
 * @param {unknown} value
 * @param {number} [ttl]
 */
function write(tier, key, value, ttl) {
  return typeof tier.set === 'function' ? tier.set(key, value, ttl) : tier.put(key, value, ttl);
}

/** @param {any} tier @param {string} key */
function remove(tier, key) {
  return (tier.delete ?? tier.del ?? tier.remove).call(tier, key);
}

/** @param {unknown} value @param {string} what */
function assertMiss(value, what) {
  assert.ok(value === undefined || value === null, `${what} should be a miss`);
}

/** @param {() => Promise<boolean>} condition @param {string} what */
async function eventually(condition, what) {
  const giveUpAt = performance.now() + LIMIT_MS;
  while (!(await condition())) {
    assert.ok(performance.now() < giveUpAt, `gave up waiting for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** @param {(opened: Opened) => Promise<void>} body @returns {Case['run']} */
function withTier(body) {
  return async (open) => {
    const opened = await open();
    try {
      await body(opened);
    } finally {
      await opened.close?.();
    }
  };
}

/** A cache of two levels, the tier behind memory. @param {(cache: any, memory: any, tier: any) => Promise<void>} body */
function behindMemory(body) {
  return withTier(async ({ tier, ttlUnit }) => {
    const memory = new MemoryCache();
    const l2Cache = ttlUnit === undefined ? tier : { tier, ttlUnit };
    const cache = new MultiLevelCache({ l1Cache: memory, l2Cache });
    try {
      await body(cache, memory, tier);
    } finally {
      await cache.close();
      memory.close();
    }
  });
}

/** @type {Case[]} */
const CASES = [
  {
    title: 'a key that was never written is a miss',
    run: withTier(async ({ tier }) => assertMiss(await tier.get('never written'), 'a key that was never written')),
  },
  ...Object.entries(VALUES).map(([what, value]) => ({
    title: `${what} comes back as it was`,
    run: withTier(async ({ tier }) => {
      await write(tier, 'value', value, LONG);
      assert.deepEqual(await tier.get('value'), value);
    }),
  })),
  {
    title: 'keys are kept apart, whatever is in them',
    run: withTier(async ({ tier }) => {
      await Promise.all(KEYS.map((key, index) => write(tier, key, index, LONG)));
      assert.deepEqual(await Promise.all(KEYS.map((key) => tier.get(key))), [...KEYS.keys()]);
    }),
  },
  {
    title: 'the last write counts',
    run: withTier(async ({ tier }) => {
      await write(tier, 'key', 'first', LONG);
      await write(tier, 'key', 'second', LONG);
      assert.equal(await tier.get('key'), 'second');
    }),
  },
  {
    title: 'a large value comes back whole',
    run: withTier(async ({ tier }) => {
      const large = { rows: Array.from({ length: 2000 }, (_, id) => ({ id, text: 'x'.repeat(id % 500) })) };
      await write(tier, 'large', large, LONG);
      assert.deepEqual(await tier.get('large'), large);
    }),
  },
  {
    title: 'a deleted key is a miss, and deleting nothing is no error',
    run: withTier(async ({ tier }) => {
      await write(tier, 'key', 'value', LONG);
      await remove(tier, 'key');
      await remove(tier, 'never written');
      assertMiss(await tier.get('key'), 'a deleted key');
    }),
  },
  {
    title: 'clearing leaves nothing',
    run: withTier(async ({ tier }) => {
      await Promise.all(['a', 'b', 'c'].map((key) => write(tier, key, key, LONG)));
      await tier.clear();
      for (const key of ['a', 'b', 'c']) assertMiss(await tier.get(key), 'a key of an emptied tier');
    }),
  },
  {
    title: 'many reads and writes at once do not get in each other’s way',
    run: withTier(async ({ tier }) => {
      const keys = Array.from({ length: 100 }, (_, index) => `key ${index}`);
      await Promise.all(keys.map((key) => write(tier, key, { key }, LONG)));
      const read = await Promise.all(keys.map((key) => tier.get(key)));
      assert.deepEqual(
        read.map(({ key }) => key),
        keys,
      );
    }),
  },
  {
    title: 'behind memory: what is written reaches it, and is found when memory has lost it',
    run: behindMemory(async (cache, memory, tier) => {
      await cache.set('key', { n: 1 }, 60);
      assert.deepEqual(await tier.get('key'), { n: 1 });
      memory.clear();
      assert.deepEqual(await cache.get('key'), { n: 1 });
      assert.deepEqual(memory.get('key'), { n: 1 });
      assert.ok(memory.getTtl('key') <= 60_000, 'moving a value up makes it live no longer');
    }),
  },
  {
    title: 'behind memory: values that are written to it directly are found',
    run: behindMemory(async (cache, memory, tier) => {
      await write(tier, 'direct', { list: [1, 2] }, LONG);
      assert.deepEqual(await cache.get('direct'), { list: [1, 2] });
      assert.deepEqual(memory.get('direct'), { list: [1, 2] });
      assert.deepEqual(await cache.getMany(['direct', 'nothing']), [{ list: [1, 2] }, undefined]);
    }),
  },
  {
    title: 'behind memory: deleting and clearing reach it',
    run: behindMemory(async (cache, _memory, tier) => {
      await cache.setMany({ a: 1, b: 2, c: 3 });
      assert.equal(await cache.delete('a'), true);
      assertMiss(await tier.get('a'), 'a key deleted through the cache');
      await cache.clear();
      assertMiss(await tier.get('b'), 'a key of an emptied cache');
      assert.equal(await cache.get('c'), undefined);
    }),
  },
  {
    title: 'behind memory: a value loads once, and is there for the next cache',
    run: behindMemory(async (cache, memory) => {
      let calls = 0;
      const load = () => cache.getOrSet('key', async () => ({ call: ++calls }), { ttlMs: 60_000 });
      assert.deepEqual(await Promise.all([load(), load(), load()]), [{ call: 1 }, { call: 1 }, { call: 1 }]);
      memory.clear();
      assert.deepEqual(await load(), { call: 1 });
    }),
  },
  {
    title: 'behind memory: what has expired is a miss, whether the tier lets it expire or not',
    run: behindMemory(async (cache, memory) => {
      await cache.set('brief', 'value', { ttlMs: 40 });
      memory.clear();
      await eventually(async () => (await cache.get('brief')) === undefined, 'a value to expire');
    }),
  },
  {
    title: 'behind memory: tags and grace survive it',
    run: behindMemory(async (cache, memory) => {
      await cache.set('tagged', 'value', { ttlMs: 60_000, graceMs: 60_000, tags: ['red', 'blue'] });
      memory.clear();
      assert.equal(await cache.get('tagged'), 'value');
      await cache.invalidateTags('red');
      assert.equal(await cache.get('tagged'), undefined);
      const failing = () => Promise.reject(new Error('the source is down'));
      assert.equal(await cache.getOrSet('tagged', failing, { graceMs: 60_000 }), 'value');
    }),
  },
];

/** The cases, for any test runner. @returns {Case[]} */
function tierContract() {
  return [...CASES];
}

/**
 * Runs the contract with a test runner.
 * @param {string} name
 * @param {Parameters<Case['run']>[0]} open
 * @param {{ describe: (title: string, body: () => void) => unknown, it: (title: string, body: () => Promise<void>) => unknown }} [runner]
 */
function testTier(name, open, runner) {
  check.nonEmptyString(name, 'name');
  check.function_(open, 'open');
  const { describe, it } = runner ?? require('node:test');
  if (typeof describe !== 'function' || typeof it !== 'function') {
    throw invalidArgType('a test runner with describe and it', 'runner', runner);
  }
  return describe(name, () => {
    for (const { title, run } of CASES) it(title, () => run(open));
  });
}

module.exports = { testTier, tierContract };
