'use strict';

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { DiskCache } = require('../..');
const { runInChild, waitFor } = require('../support');
const { temporaryDirectory, openDisk, filesOf } = require('../support/disks');

const root = process.platform === 'linux' && process.getuid() === 0;
const storage = (code) => ({ name: 'HotpathStorageError', code });

/** A cache of some entries, closed. */
async function filled(t) {
  const cache = openDisk(t, { streamThresholdBytes: 10_000 });
  await cache.setMany(Array.from({ length: 500 }, (_, i) => [`k${i}`, { i, text: 'x'.repeat(i) }]));
  await cache.set('large', Buffer.alloc(100_000));
  await cache.close();
  return cache.directory;
}

describe('DiskCache and damaged files', () => {
  const damages = {
    emptied: (file) => fs.truncateSync(file, 0),
    cut: (file) => fs.truncateSync(file, Math.floor(fs.statSync(file).size / 2)),
    'cut to a page and a half': (file) => fs.truncateSync(file, 6_000),
    'overwritten with text': (file) => fs.writeFileSync(file, 'not a database'.repeat(1_000)),
    'overwritten in the middle': (file) => {
      const bytes = fs.readFileSync(file);
      bytes.fill(0xee, bytes.length / 4, bytes.length / 2);
      fs.writeFileSync(file, bytes);
    },
    'replaced by zeros': (file) => fs.writeFileSync(file, Buffer.alloc(fs.statSync(file).size)),
  };
  for (const [label, damage] of Object.entries(damages)) {
    it(`a data file that was ${label} is begun anew`, async (t) => {
      const directory = await filled(t);
      damage(path.join(directory, 'data.mdb'));
      const cache = openDisk(t, { directory });
      for (let i = 0; i < 500; i += 1) {
        const value = await cache.get(`k${i}`);
        if (value !== undefined) assert.deepEqual(value, { i, text: 'x'.repeat(i) });
      }
      assert.equal(await cache.set('new', 1), true);
      assert.equal(await cache.get('new'), 1);
      // The middle may be pages that nobody uses.
      if (label !== 'overwritten in the middle') assert.equal(cache.stats.rebuilt, label !== 'emptied');
      if (cache.size === 1) await waitFor(() => filesOf(cache).length === 0);
    });
  }

  it('a lock file of rubbish is begun anew', async (t) => {
    const directory = await filled(t);
    fs.writeFileSync(path.join(directory, 'lock.mdb'), Buffer.alloc(9_000, 0xee));
    const cache = openDisk(t, { directory });
    assert.equal(cache.size, 501);
    assert.equal(await cache.set('new', 1), true);
  });

  it('a checkpoint of rubbish does no harm', async (t) => {
    const directory = await filled(t);
    fs.writeFileSync(path.join(directory, 'checkpoint'), Buffer.alloc(500, 0xee));
    const cache = openDisk(t, { directory });
    assert.equal(cache.size, 501);
    assert.equal(cache.stats.rebuilt, false);
  });

  it('values whose bytes were changed are misses, counted and told', async (t) => {
    const directory = await filled(t);
    const file = path.join(directory, 'data.mdb');
    const bytes = fs.readFileSync(file);
    // Inside the text of the values, which fill most of the file: no structure is touched.
    let changed = 0;
    for (let at = bytes.indexOf('xxxxxxxxxxxxxxxx'); at !== -1; at = bytes.indexOf('xxxxxxxxxxxxxxxx', at + 5_000)) {
      bytes[at + 8] = 0x79;
      changed += 1;
    }
    fs.writeFileSync(file, bytes);
    const cache = openDisk(t, { directory });
    const told = [];
    cache.on('damage', (key) => told.push(key));
    let missing = 0;
    for (let i = 0; i < 500; i += 1) {
      const value = await cache.get(`k${i}`);
      if (value === undefined) missing += 1;
      else assert.deepEqual(value, { i, text: 'x'.repeat(i) });
    }
    assert.ok(changed > 5 && missing > 0 && missing <= changed, `${missing} of ${changed}`);
    await waitFor(() => told.length === missing);
    assert.equal(cache.stats.damaged, missing);
    assert.equal(cache.stats.rebuilt, false);
    assert.equal(cache.size, 501 - missing);
  });

  it('files of large values that are gone or changed are misses', async (t) => {
    const cache = openDisk(t, { streamThresholdBytes: 1_000 });
    await cache.setMany({ gone: Buffer.alloc(5_000, 1), cut: Buffer.alloc(5_000, 2), changed: Buffer.alloc(5_000, 3) });
    const files = filesOf(cache);
    fs.unlinkSync(files[0]);
    fs.truncateSync(files[1], 100);
    const bytes = fs.readFileSync(files[2]);
    bytes[2_000] ^= 1;
    fs.writeFileSync(files[2], bytes);
    assert.deepEqual(await cache.getMany(['gone', 'cut', 'changed']), [undefined, undefined, undefined]);
    await waitFor(() => cache.stats.damaged === 3 && cache.size === 0 && filesOf(cache).length === 0);
  });

  it('the environment of another program is refused and left alone', async (t) => {
    const directory = temporaryDirectory(t);
    const { open } = require('lmdb');
    const theirs = open({ path: directory, noSubdir: false });
    await theirs.put('key', 'value');
    await theirs.close();
    const before = fs.readFileSync(path.join(directory, 'data.mdb'));
    assert.throws(() => new DiskCache({ directory }), storage('ERR_HOTPATH_STORAGE_DAMAGED'));
    assert.ok(before.equals(fs.readFileSync(path.join(directory, 'data.mdb'))));
  });

  it('a file in place of the directory is an error that shows no path', (t) => {
    const file = path.join(temporaryDirectory(t), 'taken');
    fs.writeFileSync(file, '');
    for (const directory of [file, path.join(file, 'below')]) {
      assert.throws(
        () => new DiskCache({ directory }),
        (error) => error.code === 'ERR_HOTPATH_STORAGE' && !error.message.includes('taken'),
      );
    }
  });
});

describe('DiskCache and a disk that refuses', () => {
  it('a full disk rejects writes, and reads go on', { skip: !root && 'needs a file system of its own' }, async (t) => {
    let directory;
    // Before the directory is removed: hooks run in the order in which they were added.
    t.after(() => spawnSync('umount', [directory]));
    directory = temporaryDirectory(t);
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', directory]);
    if (mounted.status !== 0) return t.skip('mounting is not allowed here');
    const ballast = path.join(directory, 'ballast');
    fs.writeFileSync(ballast, Buffer.alloc(1_500_000));
    const cache = new DiskCache({ directory });
    await cache.set('first', 'value');
    const failures = [];
    let stored = 0;
    for (let i = 0; i < 100; i += 1) {
      await cache.set(`k${i}`, Buffer.alloc(100_000, i)).then(
        () => (stored += 1),
        (error) => failures.push(error),
      );
    }
    assert.ok(stored > 5, `${stored} stored`);
    for (const error of failures) assert.equal(error.code, 'ERR_HOTPATH_STORAGE_FULL', error.stack);
    await assert.rejects(cache.setStream('large', [Buffer.alloc(10_000_000)]), storage('ERR_HOTPATH_STORAGE_FULL'));
    for (const key of await cache.keys()) assert.notEqual(await cache.get(key), undefined, key);
    // Others make room.
    fs.unlinkSync(ballast);
    assert.equal(await cache.set('after', 'value'), true);
    assert.equal(await cache.get('after'), 'value');
    await cache.close();
  });

  it('a bound on the size of files is a full disk', { skip: process.platform === 'win32' }, async (t) => {
    const directory = temporaryDirectory(t);
    const script = `
      const { DiskCache } = require(${JSON.stringify(path.resolve(__dirname, '..', '..'))});
      const cache = new DiskCache({ directory: ${JSON.stringify(directory)} });
      (async () => {
        const codes = new Set();
        for (let i = 0; i < 100; i += 1) await cache.set('k' + i, Buffer.alloc(100_000)).catch((error) => codes.add(error.code));
        const read = (await cache.keys()).length;
        await cache.close();
        console.log(JSON.stringify({ codes: [...codes], read }));
      })();`;
    // In blocks of 512 bytes or 1 KiB, by shell: 2 or 4 MiB. Node ignores SIGXFSZ, so writes fail instead.
    const { stdout, stderr, status } = spawnSync(
      'sh',
      ['-c', 'ulimit -f 4096; exec "$0" -e "$1"', process.execPath, script],
      {
        encoding: 'utf8',
        timeout: 60_000,
      },
    );
    assert.equal(status, 0, stderr);
    const { codes, read } = JSON.parse(stdout);
    assert.ok(
      codes.every((code) => code === 'ERR_HOTPATH_STORAGE_FULL'),
      String(codes),
    );
    assert.ok(read > 0);
    assert.ok(openDisk(t, { directory }).size >= read);
  });

  it('a read-only directory is an error of its own', { skip: !root && 'needs a user without rights' }, async (t) => {
    const directory = await filled(t);
    fs.chmodSync(directory, 0o755);
    fs.chmodSync(path.dirname(directory), 0o777);
    const { code, said, stderr } = await runInChild(
      ({ load, say }, there) => {
        const { DiskCache } = load();
        process.setgid(65_534);
        process.setuid(65_534);
        try {
          new DiskCache({ directory: there });
        } catch (error) {
          say({ name: error.name, code: error.code, shows: error.message.includes(there) });
        }
      },
      { data: directory },
    );
    assert.equal(code, 0, stderr);
    assert.deepEqual(said, [{ name: 'HotpathStorageError', code: 'ERR_HOTPATH_STORAGE_READ_ONLY', shows: false }]);
  });
});
