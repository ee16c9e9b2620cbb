'use strict';

const { after, describe, it } = require('node:test');
const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { BatchError, DiskDataProvider, HotpathClosedError, MemoryDataProvider, OptimizedDataService } = require('../..');
const { runInChild, runInWorker } = require('../support');

const invalidType = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' };
const root = fs.mkdtempSync(path.join(os.tmpdir(), 'hotpath-providers-'));
after(() => fs.rmSync(root, { recursive: true, force: true, maxRetries: 10 }));
let directories = 0;
const freshDirectory = () => path.join(root, String(directories++));

const VALUES = [
  { name: 'Ada', born: new Date(0), tags: new Set(['x']), big: 7n },
  [1, [2, { three: 3 }]],
  'text ✓',
  '\uD800 lone',
  '',
  42.5,
  -0,
  null,
  true,
  Buffer.from([1, 2, 3]),
  { big: 'x'.repeat(100_000) },
];

for (const open of [() => new MemoryDataProvider(), () => new DiskDataProvider({ directory: freshDirectory() })]) {
  describe(open().constructor.name, () => {
    it('gives back what was added, as a copy', async () => {
      const provider = open();
      const uuids = await provider.addMany('things', VALUES);
      assert.deepEqual(await provider.getMany('things', uuids), VALUES);
      assert.ok(uuids.every((uuid) => /^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/.test(uuid)));
      assert.deepEqual([...uuids].sort(), uuids, 'names are in the order of their making');
      const object = await provider.getByUuid('things', uuids[0]);
      object.name = 'changed';
      assert.equal((await provider.getByUuid('things', uuids[0])).name, 'Ada');
      await provider.close();
    });

    it('keeps containers apart', async () => {
      const provider = open();
      const uuid = await provider.add('a', { in: 'a' });
      assert.equal(await provider.getByUuid('b', uuid), undefined);
      assert.equal(await provider.getByUuid('a', 'no uuid'), undefined);
      assert.deepEqual([await provider.count('a'), await provider.count('b'), await provider.count('aa')], [1, 0, 0]);
      await provider.add('b', 1);
      assert.equal(await provider.clear('a'), 1);
      assert.deepEqual([await provider.count('a'), await provider.count('b')], [0, 1]);
      assert.equal(await provider.clear(), 1);
      await provider.close();
    });

    it('finds by text, by properties and by function, in the order of addition', async () => {
      const provider = open();
      const objects = Array.from({ length: 1_500 }, (_, number) => ({ number, deep: { name: `Item ${number}` } }));
      await provider.addMany('items', objects);
      assert.deepEqual(await provider.find('items', 'ITEM 149'), [objects[149], ...objects.slice(1490, 1500)]);
      assert.deepEqual(await provider.find('items', { number: 7, deep: { name: 'Item 7' } }), [objects[7]]);
      assert.deepEqual(await provider.find('items', ({ number }) => number > 1_498), [objects[1499]]);
      assert.equal((await provider.find('items', 1499)).length, 1);
      assert.deepEqual(await provider.find('nothing', 'x'), []);
      await assert.rejects(provider.find('items', undefined), invalidType);
      await provider.close();
    });

    it('removes', async () => {
      const provider = open();
      const [first, second] = await provider.addMany('c', [1, 2]);
      assert.equal(await provider.remove('c', first), true);
      assert.equal(await provider.remove('c', first), false);
      assert.equal(await provider.remove('c', 'no uuid'), false);
      assert.deepEqual(await provider.getMany('c', [first, second]), [undefined, 2]);
      await provider.close();
    });

    it('stores the others when one cannot be', async () => {
      const provider = open();
      const service = new OptimizedDataService(provider);
      await assert.rejects(service.addBatch('c', [{ a: 1 }, { f() {} }, { b: 2 }]), (error) => {
        assert.ok(error instanceof BatchError);
        assert.deepEqual(
          error.errors.map(({ index }) => index),
          [1],
        );
        return true;
      });
      assert.equal(await provider.count('c'), 2);
      await provider.close();
    });

    it('refuses names that it cannot take', async () => {
      const provider = open();
      for (const [name, expected] of [
        [7, invalidType],
        ['', { code: 'ERR_OUT_OF_RANGE' }],
        ['a\0b', { code: 'ERR_OUT_OF_RANGE' }],
        ['x'.repeat(481), { code: 'ERR_OUT_OF_RANGE' }],
        ['\uD800', { code: 'ERR_OUT_OF_RANGE' }],
      ]) {
        await assert.rejects(provider.add(name, 1), expected);
      }
      await assert.rejects(provider.getByUuid('c', 7), invalidType);
      await assert.rejects(provider.addMany('c', 'x'), invalidType);
      assert.equal(typeof (await provider.add('é'.repeat(240), 1)), 'string');
      await provider.close();
    });

    it('rejects once it is closed', async () => {
      const provider = open();
      await provider.close();
      await provider.close();
      const calls = [
        () => provider.add('c', 1),
        () => provider.addMany('c', [1]),
        () => provider.getByUuid('c', 'x'),
        () => provider.getMany('c', ['x']),
        () => provider.find('c', 'x'),
        () => provider.remove('c', 'x'),
        () => provider.count('c'),
        () => provider.clear(),
      ];
      for (const call of calls) await assert.rejects(call(), HotpathClosedError);
    });

    it('takes many batches from a service, in order', async () => {
      const provider = open();
      const service = new OptimizedDataService(provider);
      const objects = Array.from({ length: 5_000 }, (_, id) => ({ id, name: `Object ${id}` }));
      const uuids = await service.addBatch('test', objects);
      const read = await service.getBatch('test', uuids);
      assert.deepEqual(
        read.map(({ result }) => result),
        objects,
      );
      await provider.close();
    });
  });
}

describe('MemoryDataProvider', () => {
  it('tells what it holds', async () => {
    const provider = new MemoryDataProvider();
    assert.deepEqual(provider.stats, { bytes: 0 });
    await provider.add('c', Buffer.alloc(10_000));
    assert.ok(provider.stats.bytes >= 10_000 && provider.stats.bytes < 11_000);
    await provider.clear();
    assert.deepEqual(provider.stats, { bytes: 0 });
  });
});

describe('DiskDataProvider', () => {
  it('survives restarts and kill -9, what was told as added', async () => {
    const directory = freshDirectory();
    const body = async ({ load, say }, place) => {
      const provider = new (load().DiskDataProvider)(place);
      const uuids = await provider.addMany(
        'users',
        Array.from({ length: 300 }, (_, id) => ({ id, name: `User ${id}`, at: new Date(id) })),
      );
      say(uuids);
      process.kill(process.pid, 'SIGKILL');
    };
    const { said } = await runInChild(body, { data: directory });
    const [uuids] = said;
    const provider = new DiskDataProvider(directory);
    assert.equal(provider.directory, directory);
    const users = await provider.getMany('users', uuids);
    assert.deepEqual(users[299], { id: 299, name: 'User 299', at: new Date(299) });
    assert.equal(users.filter(Boolean).length, 300);
    await provider.close();
  });

  it('is shared by handles, threads and processes', async () => {
    const directory = freshDirectory();
    const provider = new DiskDataProvider({ directory });
    const add = async ({ load }, place) => {
      const other = new (load().DiskDataProvider)(place);
      const uuid = await other.add('shared', { from: 'elsewhere', shape: 1 });
      await other.close();
      return uuid;
    };
    const inThread = await runInWorker(add, directory);
    assert.deepEqual(await provider.getByUuid('shared', inThread), { from: 'elsewhere', shape: 1 });
    const child = async ({ load, say }, place) => {
      const other = new (load().DiskDataProvider)(place);
      say(
        await other.addMany(
          'shared',
          Array.from({ length: 40 }, (_, n) => ({ n, shape: 2 })),
        ),
      );
      await other.close();
    };
    const { said, code, stderr } = await runInChild(child, { data: directory });
    assert.equal(code, 0, stderr);
    assert.deepEqual(await provider.getByUuid('shared', said[0][39]), { n: 39, shape: 2 });
    assert.equal(await provider.count('shared'), 41);
    await provider.close();
  });

  it('a process with an idle provider exits, one with a pending addition waits for it', async () => {
    const body = async ({ load, say }, place) => {
      const provider = new (load().DiskDataProvider)(place);
      provider.add('c', 1).then(() => say('added'));
    };
    const { said, code } = await runInChild(body, { data: freshDirectory() });
    assert.deepEqual({ said, code }, { said: ['added'], code: 0 });
  });

  it('a thread may end with additions under way', async () => {
    const directory = freshDirectory();
    for (let round = 0; round < 5; round++) {
      await runInWorker(async ({ load }, place) => {
        const provider = new (load().DiskDataProvider)(place);
        await provider.add('c', 1);
        provider.addMany(
          'c',
          Array.from({ length: 500 }, (_, n) => ({ n })),
        );
        provider.find('c', 'x');
        process.exit(0);
      }, directory).catch(() => {});
    }
    const provider = new DiskDataProvider(directory);
    assert.ok((await provider.count('c')) >= 5);
    await provider.close();
  });

  it('refuses other options, and directories that are none', () => {
    assert.throws(() => new DiskDataProvider(), invalidType);
    assert.throws(() => new DiskDataProvider({ directory: '' }), { code: 'ERR_OUT_OF_RANGE' });
    assert.throws(() => new DiskDataProvider({ directory: root, maxBytes: 0 }), { code: 'ERR_OUT_OF_RANGE' });
    assert.throws(() => new DiskDataProvider({ dir: root }), /"directory"/);
    assert.throws(() => new DiskDataProvider(__filename), { code: /^ERR_HOTPATH_STORAGE/ });
  });
});
