'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { DiskCache } = require('../..');
const { errors, uniqueName } = require('../support');
const { temporaryDirectory, openDisk } = require('../support/disks');
const { NOT_NUMBERS, NOT_STRINGS, NOT_OBJECTS, refuses } = require('../support/wrong-values');

describe('DiskCache options', () => {
  it('directory is a path', (t) => {
    refuses((directory) => new DiskCache({ directory }), [...NOT_STRINGS, undefined], errors.invalidType('directory'));
    refuses((directory) => new DiskCache({ directory }), ['', 'a\0b'], errors.outOfRange('directory'));
    refuses((options) => new DiskCache(options), NOT_OBJECTS, errors.invalidType('options'));
    assert.throws(() => new DiskCache(), errors.invalidType('directory'));
    const directory = path.join(temporaryDirectory(t), 'made', 'deep', 'ünïcode');
    const cache = openDisk(t, { directory: path.join(directory, '..', 'ünïcode') });
    assert.equal(cache.directory, directory);
    assert.ok(fs.existsSync(path.join(directory, 'data.mdb')));
  });

  it('numbers are checked', (t) => {
    const directory = temporaryDirectory(t);
    for (const option of ['diskLimit', 'maxAgeMs', 'streamThresholdBytes']) {
      const build = (value) => new DiskCache({ directory, [option]: value });
      refuses(build, NOT_NUMBERS, errors.invalidType(option));
      refuses(build, [NaN, -1, -Infinity], errors.outOfRange(option));
    }
    refuses(
      (diskLimit) => new DiskCache({ directory, diskLimit }),
      [0, 1.5, Infinity, 2 ** 53],
      errors.outOfRange('diskLimit'),
    );
    refuses((maxAgeMs) => new DiskCache({ directory, maxAgeMs }), [0], errors.outOfRange('maxAgeMs'));
    const cache = openDisk(t, { directory, diskLimit: 1, maxAgeMs: Infinity, streamThresholdBytes: 0 });
    assert.equal(cache.stats.diskLimit, 1);
  });

  it('defaults are 5 GiB and seven days', (t) => {
    assert.equal(openDisk(t).stats.diskLimit, 5 * 1024 ** 3);
  });

  it('a huge limit takes what the address space has', async (t) => {
    const cache = openDisk(t, { diskLimit: Number.MAX_SAFE_INTEGER });
    assert.equal(await cache.set('key', 'value'), true);
    assert.equal(await cache.get('key'), 'value');
  });

  it('unknown options are rejected with the nearest', (t) => {
    const directory = temporaryDirectory(t);
    const build = (option) => () => new DiskCache({ directory, [option]: 1 });
    assert.throws(build('disklimit'), errors.unknownOption('disklimit', 'diskLimit'));
    assert.throws(build('maxAge'), errors.unknownOption('maxAge', 'maxAgeMs'));
  });

  it('the arguments of methods are checked, by rejection', async (t) => {
    const cache = openDisk(t);
    for (const method of ['get', 'has', 'getTtl', 'set', 'delete', 'touch', 'increment', 'setStream', 'getStream']) {
      for (const key of NOT_STRINGS) await assert.rejects(cache[method](key, 1), errors.invalidType('key'), method);
    }
    assert.throws(() => cache.getSync(5), errors.invalidType('key'));
    for (const method of ['getMany', 'mget', 'deleteMany']) {
      await assert.rejects(cache[method]('a'), errors.invalidType('keys'), method);
      await assert.rejects(cache[method](['a', 5]), errors.invalidType('keys[1]'), method);
    }
    await assert.rejects(cache.setMany('text'), errors.invalidType('entries'));
    await assert.rejects(cache.set('k', 1, -1), errors.outOfRange('ttl'));
    await assert.rejects(cache.set('k', 1, '5'), errors.invalidType('ttl'));
    await assert.rejects(cache.set('k', 1, { ttl: 5 }), errors.unknownOption('ttl', 'ttlMs'));
    await assert.rejects(cache.set('k', 1, { idleMs: 5 }), errors.unknownOption('idleMs', 'ttlMs'));
    await assert.rejects(cache.keys(5), errors.invalidType('pattern'));
    await assert.rejects(cache.deletePattern(), errors.invalidType('pattern'));
    await assert.rejects(cache.setStream('k', 5), errors.invalidType('source'));
    await assert.rejects(cache.setStream('k', [5]), errors.invalidType('source'));
    assert.deepEqual(await cache.keys(), []);
  });
});

describe('DiskCache handles', () => {
  it('on one directory are one cache', async (t) => {
    const first = openDisk(t, { diskLimit: 10_000_000 });
    const link = path.join(temporaryDirectory(t), 'link');
    fs.symlinkSync(first.directory, link, 'dir');
    const second = openDisk(t, { directory: link });
    await first.set('key', 'value');
    assert.equal(second.getSync('key'), 'value');
    assert.equal(second.stats.diskLimit, 10_000_000);
    await first.close();
    assert.equal(second.getSync('key'), 'value');
  });

  it('conflict when they say different things', (t) => {
    const name = uniqueName('disk');
    const { directory } = openDisk(t, { name, diskLimit: 10_000_000, maxAgeMs: 5_000 });
    const conflict = (option, existing, requested) => ({
      name: 'HotpathConflictError',
      code: 'ERR_HOTPATH_OPTION_CONFLICT',
      option,
      existing,
      requested,
    });
    assert.throws(() => new DiskCache({ directory, diskLimit: 1 }), conflict('diskLimit', 10_000_000, 1));
    assert.throws(() => new DiskCache({ directory, maxAgeMs: Infinity }), conflict('maxAgeMs', 5_000, 'unlimited'));
    assert.throws(() => new DiskCache({ directory, name: 'other' }), conflict('name', name, 'other'));
    const other = temporaryDirectory(t);
    assert.throws(() => new DiskCache({ directory: other, name }), conflict('directory', directory, other));
    openDisk(t, { directory, name, diskLimit: 10_000_000 });
  });

  it('can be closed twice, and disposed of', async (t) => {
    const cache = openDisk(t);
    await Promise.all([cache.close(), cache.close()]);
    await cache.close();
    assert.equal(cache.closed, true);
    const other = openDisk(t, { directory: cache.directory });
    const dispose = Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose');
    await other[dispose]();
    assert.equal(other.closed, true);
  });

  it('finish what was begun before they close', async (t) => {
    const cache = openDisk(t);
    const writes = Array.from({ length: 500 }, (_, i) => cache.set(`k${i}`, i));
    await cache.close();
    assert.deepEqual(await Promise.all(writes), new Array(500).fill(true));
    const again = openDisk(t, { directory: cache.directory });
    assert.equal(again.size, 500);
  });

  it('follow each other on one directory without waiting', async (t) => {
    const directory = temporaryDirectory(t);
    for (let i = 0; i < 20; i += 1) {
      const cache = new DiskCache({ directory });
      assert.equal(cache.getSync('n'), i === 0 ? undefined : i - 1);
      await cache.set('n', i);
      cache.close();
    }
    assert.equal(openDisk(t, { directory }).getSync('n'), 19);
  });
});
