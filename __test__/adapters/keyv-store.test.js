'use strict';

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const path = require('node:path');
const { test, describe } = require('node:test');
const { deflateSync, inflateSync } = require('node:zlib');
const { createCache } = require('cache-manager');
const { Cacheable } = require('cacheable');
const { Keyv: Keyv5 } = require('keyv');
const { KeyvStore, MemoryCache, createKeyv } = require('../../index.js');
const { waitFor } = require('../support/wait.js');

const root = path.join(__dirname, '..', '..');

/** Runs the suite as a user of vitest would. @returns {Promise<any>} vitest's own report */
async function runSuite() {
  const vitest = path.join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const args = [vitest, 'run', '--reporter=json', '--root', path.join(__dirname, 'keyv-suite')];
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  for await (const chunk of child.stdout.setEncoding('utf8')) output += chunk;
  return JSON.parse(output.slice(output.indexOf('{')));
}

test("Keyv's compliance suite passes", async () => {
  const report = await runSuite();
  const failed = report.testResults
    .flatMap((file) => file.assertionResults)
    .filter(({ status }) => status !== 'passed');
  assert.deepEqual(
    failed.map(({ fullName, failureMessages }) => ({ fullName, failureMessages })),
    [],
  );
  assert.ok(report.numPassedTests >= 30, `${report.numPassedTests} tests passed`);
});

describe('with both versions of Keyv', async () => {
  const { Keyv: Keyv6 } = await import('keyv6');
  for (const [version, Keyv] of Object.entries({ 5: Keyv5, 6: Keyv6 })) {
    test(`Keyv ${version}: values, misses, deletions and namespaces`, async () => {
      const { cache } = new KeyvStore();
      const users = new Keyv({ store: new KeyvStore({ cache }), namespace: 'users' });
      const posts = new Keyv({ store: new KeyvStore({ cache }), namespace: 'posts' });
      assert.equal(await users.set('1', { name: 'Ada' }), true);
      await posts.set('1', 'text');
      assert.deepEqual(await users.get('1'), { name: 'Ada' });
      assert.equal(await users.get('2'), undefined);
      assert.equal(await users.has('1'), true);
      assert.deepEqual(await users.getMany(['1', '2']), [{ name: 'Ada' }, undefined]);
      assert.equal(await users.delete('1'), true);
      assert.equal(await users.delete('1'), false);
      await users.set('1', 1);
      await users.clear();
      assert.equal(await users.get('1'), undefined);
      assert.equal(await posts.get('1'), 'text');
    });

    test(`Keyv ${version}: a ttl is milliseconds, and the cache's own`, async () => {
      const store = new KeyvStore();
      const keyv = new Keyv({ store });
      await keyv.set('short', 1, 20);
      await keyv.set('long', 1, 60_000);
      assert.equal(store.cache.size, 2);
      await waitFor(() => store.cache.size === 1);
      assert.equal(await keyv.get('short'), undefined);
      assert.equal(await keyv.get('long'), 1);
    });
  }
});

test('createKeyv keeps types, and hands out values that callers may change', async () => {
  const keyv = createKeyv({ namespace: 'things' });
  const value = { when: new Date(5), list: [1, { deep: true }], bytes: Buffer.from('ab'), map: new Map([[1, 2]]) };
  await keyv.set('a', value);
  const first = await keyv.get('a');
  assert.deepEqual(first, value);
  first.list[1].deep = false;
  first.map.set(3, 4);
  assert.deepEqual(await keyv.get('a'), value);
});

test('cyclic values survive createKeyv', async () => {
  const keyv = createKeyv();
  /** @type {any} */
  const value = { name: 'loop' };
  value.self = value;
  await keyv.set('loop', value);
  const read = await keyv.get('loop');
  assert.equal(read.self, read);
});

test('works under cache-manager and cacheable', async () => {
  const manager = createCache({ stores: [new Keyv5({ store: new KeyvStore() })] });
  await manager.set('a', { n: 1 }, 10_000);
  assert.deepEqual(await manager.get('a'), { n: 1 });
  assert.equal(await manager.wrap('b', () => 7), 7);
  await manager.clear();
  assert.equal(await manager.get('a'), undefined);

  const cacheable = new Cacheable({ secondary: new Keyv5({ store: new KeyvStore() }) });
  await cacheable.set('a', 'x', '1h');
  assert.equal(await cacheable.get('a'), 'x');
  await cacheable.delete('a');
  assert.equal(await cacheable.get('a'), undefined);
});

test('a cache that was given is left open, one of its own is closed', async () => {
  const cache = new MemoryCache();
  await new KeyvStore({ cache }).disconnect();
  assert.equal(cache.closed, false);
  const own = new KeyvStore({ maxEntries: 10 });
  await own.disconnect();
  assert.equal(own.cache.closed, true);
});

test('wrong options are named', () => {
  assert.throws(() => new KeyvStore({ maxEntrys: 1 }), { code: 'ERR_HOTPATH_UNKNOWN_OPTION', message: /maxEntries/ });
  assert.throws(() => new KeyvStore({ cache: {} }), { code: 'ERR_INVALID_ARG_TYPE', message: /options\.cache/ });
  assert.throws(() => new KeyvStore({ cache: new MemoryCache(), maxEntries: 1 }), {
    code: 'ERR_HOTPATH_UNKNOWN_OPTION',
  });
});

describe('JSON that Keyv has made', async () => {
  const { Keyv: Keyv6 } = await import('keyv6');

  /** Reads as Keyv over a Map does, in every way that Keyv can read. */
  async function same(Keyv, values, options) {
    const ours = new Keyv({ store: new KeyvStore(), ...options });
    const theirs = new Keyv({ store: new Map(), ...options });
    for (const [index, value] of values.entries()) {
      const key = `key-${index}`;
      for (const keyv of [ours, theirs]) await keyv.set(key, value, index % 2 === 0 ? undefined : 60_000);
      for (let time = 0; time < 2; time++) {
        assert.deepEqual(await ours.get(key), await theirs.get(key), `get of ${key}`);
        assert.deepEqual(await ours.getMany([key]), await theirs.getMany([key]));
        if (ours.getRaw) assert.deepEqual((await ours.getRaw(key)).value, (await theirs.getRaw(key)).value);
        if (ours.getManyRaw) {
          const [one, other] = await Promise.all([ours.getManyRaw([key]), theirs.getManyRaw([key])]);
          assert.deepEqual(one[0].value, other[0].value);
        }
      }
    }
    const listed = [];
    for await (const [key, value] of ours.iterator(ours.namespace)) listed.push([key, value]);
    assert.equal(listed.length, values.length);
    for (const [key, value] of listed) assert.deepEqual(value, await theirs.get(key));
  }

  const values = [
    { plain: 1, nested: { list: [1, 'two', null, true] } },
    [1, [2, { three: 3 }]],
    {},
    [],
    { when: new Date(7), bytes: Buffer.from('bytes'), mark: ':base64:AAAA', colon: ':x', ':key': 1 },
    [':first'],
    { text: 'a": b,":c', deep: { '": [': '": {' } },
    JSON.parse('{"__proto__":{"polluted":true}}'),
    { 2: 'b', 1: 'a', float: 1e21, tiny: 5e-324, negative: -0 },
    { long: 'x'.repeat(10_000) },
    { lone: '\ud800', line: '\u2028' },
    'text',
    '{"value":{"a":1}}',
    7,
    false,
  ];
  for (const [version, Keyv] of Object.entries({ 5: Keyv5, 6: Keyv6 })) {
    test(`Keyv ${version}: everything reads as over a Map`, () => same(Keyv, values));
  }

  const deflated = (value) => deflateSync(JSON.stringify(value));
  const inflated = (bytes) => JSON.parse(inflateSync(bytes).toString());
  const compressors = {
    'a Buffer': { compress: deflated, decompress: inflated },
    'a Uint8Array': {
      compress: (value) => new Uint8Array(deflated(value)),
      // As JSON has it by then, unless the store has kept it as it was.
      decompress: (bytes) => inflated(Uint8Array.from(Object.values(bytes))),
    },
    'a list of bytes': {
      compress: (value) => [...deflated(value)],
      decompress: (bytes) => inflated(Uint8Array.from(bytes)),
    },
    'a text': {
      compress: (value) => deflated(value).toString('base64'),
      decompress: (text) => inflated(Buffer.from(text, 'base64')),
    },
  };
  for (const [kind, compression] of Object.entries(compressors)) {
    test(`Keyv 5: what is compressed to ${kind} is decompressed`, async () => {
      await same(Keyv5, [{ plain: [1] }, [1, 2], 'text', 7], { compression });
    });
  }

  test('lists of numbers and objects with numbers for keys are read as they are', async () => {
    await same(Keyv5, [[1, 2, 300], [0], [255, 'a'], { 0: 1, 1: 2 }, { 0: 'a' }, [1000, 2], [[1]]]);
  });

  test('a serializer of an application stays in charge', async () => {
    const big = { serialize: (value) => `x${JSON.stringify(value)}`, deserialize: (text) => JSON.parse(text.slice(1)) };
    await same(Keyv5, values.slice(0, 4), big);
    const dates = {
      serialize: JSON.stringify,
      deserialize: (text) => JSON.parse(text, (key, value) => (key === 'when' ? new Date(value) : value)),
    };
    const keyv = new Keyv5({ store: new KeyvStore({ parseJson: false }), ...dates });
    await keyv.set('a', { when: new Date(7) });
    assert.deepEqual(await keyv.get('a'), { when: new Date(7) });
  });

  test('a number that JavaScript cannot hold is left to who can', async () => {
    const store = new KeyvStore();
    const text = '{"value":{"id":9223372036854775807}}';
    await store.set('a', text);
    assert.equal(await store.get('a'), text);
  });

  test('what callers change stays theirs', async () => {
    const keyv = new Keyv5({ store: new KeyvStore() });
    await keyv.set('a', { list: [1] });
    (await keyv.get('a')).list.push(2);
    assert.deepEqual(await keyv.get('a'), { list: [1] });
    await keyv.set('a', { list: [3] });
    assert.deepEqual(await keyv.get('a'), { list: [3] });
  });
});
