'use strict';

const { once } = require('node:events');
const fs = require('node:fs');
const { Readable } = require('node:stream');
const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { createHash } = require('node:crypto');
const { waitFor, runInChild } = require('../support');
const { openDisk, filesOf, drained } = require('../support/disks');

function* pieces(count, size) {
  for (let i = 0; i < count; i += 1) yield Buffer.alloc(size, i);
}

describe('DiskCache streams', () => {
  it('come back as they went in, whatever their size', async (t) => {
    const cache = openDisk(t, { streamThresholdBytes: 100_000 });
    for (const [count, size] of [
      [0, 0],
      [1, 1],
      [10, 9_999],
      [1, 100_000],
      [1, 100_001],
      [50, 70_001],
    ]) {
      const expected = Buffer.concat([...pieces(count, size)]);
      assert.equal(await cache.setStream('key', Readable.from(pieces(count, size))), true);
      assert.deepEqual(await drained(await cache.getStream('key')), expected);
      assert.deepEqual(await cache.get('key'), expected);
      assert.equal(filesOf(cache).length, expected.length > 100_000 ? 1 : 0);
    }
  });

  it('take streams, web streams, iterables, bytes and text', async (t) => {
    const cache = openDisk(t, { streamThresholdBytes: 4 });
    const sources = {
      stream: Readable.from(['one', 'two']),
      web: new Blob(['onetwo']).stream(),
      iterable: ['one', Buffer.from('two')],
      views: [
        new Uint16Array(Buffer.from('onetwo').buffer.slice(0, 0)),
        new DataView(Uint8Array.from(Buffer.from('onetwo')).buffer),
      ],
      generator: (async function* generate() {
        yield 'one';
        yield 'two';
      })(),
      bytes: Uint8Array.from(Buffer.from('onetwo')),
      text: 'onetwo',
    };
    for (const [label, source] of Object.entries(sources)) {
      assert.equal(await cache.setStream(label, source, 60), true, label);
      assert.equal(String(await drained(await cache.getStream(label))), 'onetwo', label);
      assert.ok((await cache.getTtl(label)) <= 60_000);
    }
  });

  it('give the bytes of values that were set', async (t) => {
    const cache = openDisk(t, { streamThresholdBytes: 1_000 });
    const large = 'é'.repeat(5_000);
    const values = {
      text: 'é',
      bytes: Buffer.from([1, 2]),
      object: { a: [1] },
      large,
      wide: '中'.repeat(5_000),
      list: [large],
    };
    await cache.setMany(values);
    const read = async (key) => drained(await cache.getStream(key));
    for (const key of ['text', 'large', 'wide']) assert.equal(String(await read(key)), values[key], key);
    assert.deepEqual(await read('bytes'), values.bytes);
    for (const key of ['object', 'list']) assert.deepEqual(JSON.parse(await read(key)), values[key], key);
    assert.equal(await cache.getStream('missing'), undefined);
  });

  it('that break leave what was there, and no half entry', async (t) => {
    const cache = openDisk(t, { streamThresholdBytes: 10_000 });
    await cache.set('key', 'before');
    const broken = Readable.from(
      (function* fail() {
        yield* pieces(20, 60_000);
        throw new Error('source broke');
      })(),
    );
    await assert.rejects(cache.setStream('key', broken), { message: 'source broke' });
    const destroyed = new Readable({ read() {} });
    const storing = cache.setStream('key', destroyed);
    destroyed.push(Buffer.alloc(50_000));
    await waitFor(() => filesOf(cache).length > 0);
    destroyed.destroy();
    await assert.rejects(storing, { code: 'ERR_STREAM_PREMATURE_CLOSE' });
    await assert.rejects(cache.setStream('key', [Buffer.alloc(50_000), 5]), { name: 'TypeError' });
    assert.equal(await cache.get('key'), 'before');
    await waitFor(() => filesOf(cache).length === 0);
    assert.equal(cache.stats.files, 0);
  });

  it('larger than the cache are refused early', async (t) => {
    const cache = openDisk(t, { diskLimit: 1_000_000, streamThresholdBytes: 10_000 });
    let made = 0;
    const endless = Readable.from(
      (function* more() {
        for (;;) {
          made += 1;
          yield Buffer.alloc(50_000);
        }
      })(),
    );
    assert.equal(await cache.setStream('key', endless), false);
    assert.ok(endless.destroyed && made < 100);
    assert.equal(await cache.has('key'), false);
    assert.equal(cache.stats.refusals, 1);
    await waitFor(() => filesOf(cache).length === 0);
  });

  it('go on while their value is replaced, and after close', async (t) => {
    const cache = openDisk(t, { streamThresholdBytes: 10_000 });
    await cache.setStream('key', pieces(30, 65_536));
    const stream = await cache.getStream('key');
    await once(stream, 'readable');
    await cache.set('key', 'replaced');
    await cache.close();
    assert.deepEqual(await drained(stream), Buffer.concat([...pieces(30, 65_536)]));
  });

  it('that are abandoned give their file back', async (t) => {
    const cache = openDisk(t, { streamThresholdBytes: 10_000 });
    await cache.setStream('key', pieces(30, 65_536));
    const open = () => fs.readdirSync('/proc/self/fd').length;
    if (process.platform === 'linux') {
      const before = open();
      const streams = await Promise.all(Array.from({ length: 20 }, () => cache.getStream('key')));
      assert.ok(open() >= before + 20);
      for (const stream of streams) stream.destroy();
      await waitFor(() => open() <= before);
    }
    for await (const piece of await cache.getStream('key')) {
      assert.ok(piece.length > 0);
      break;
    }
  });

  it('never hand out a damaged block', async (t) => {
    const cache = openDisk(t, { streamThresholdBytes: 10_000 });
    const damaged = [];
    cache.on('damage', (key) => damaged.push(key));
    await cache.setStream('key', pieces(30, 65_536));
    const [file] = filesOf(cache);
    const bytes = fs.readFileSync(file);
    bytes[1_000_000] ^= 1;
    fs.writeFileSync(file, bytes);
    const stream = await cache.getStream('key');
    let sound = 0;
    await assert.rejects(
      async () => {
        for await (const piece of stream) {
          piece.forEach((byte, index) => assert.equal(byte, Math.floor((sound + index) / 65_536)));
          sound += piece.length;
        }
      },
      { name: 'HotpathStorageError', code: 'ERR_HOTPATH_STORAGE_DAMAGED' },
    );
    assert.ok(sound > 0 && sound < 1_000_000);
    await waitFor(() => damaged.length === 1);
    assert.equal(await cache.get('key'), undefined);
    assert.equal(cache.stats.damaged, 1);
  });

  it('a gigabyte goes through in flat memory', { timeout: 300_000 }, async (t) => {
    const { directory } = openDisk(t);
    const { said, code, stderr } = await runInChild(
      async ({ load, say, require: get }, there) => {
        const { DiskCache } = load();
        const hash = () => get('node:crypto').createHash('sha256');
        const cache = new DiskCache({ directory: there });
        const PIECE = 1024 * 1024;
        const hashes = [hash(), hash()];
        let most = 0;
        const watch = () => {
          most = Math.max(most, process.memoryUsage().rss);
        };
        await cache.setStream('warm', [Buffer.alloc(20 * PIECE)]);
        for await (const piece of await cache.getStream('warm')) if (piece.length === 0) break;
        const before = process.memoryUsage().rss;
        async function* source() {
          for (let i = 0; i < 1024; i += 1) {
            const piece = Buffer.alloc(PIECE, i);
            piece.writeUInt32LE(i);
            hashes[0].update(piece);
            watch();
            yield piece;
          }
        }
        await cache.setStream('large', source());
        let length = 0;
        for await (const piece of await cache.getStream('large')) {
          hashes[1].update(piece);
          length += piece.length;
          watch();
        }
        const [went, came] = hashes.map((one) => one.digest('hex'));
        await cache.delete('large');
        await cache.close();
        say({ length, same: went === came, grownMB: (most - before) / PIECE });
      },
      { data: directory, timeoutMs: 280_000 },
    );
    assert.equal(code, 0, stderr);
    assert.equal(said[0].length, 1024 ** 3);
    assert.ok(said[0].same);
    assert.ok(said[0].grownMB < 200, `${said[0].grownMB} MiB`);
  });
});

// The same content has the same bytes on disk only by chance of its name: nothing of the value is in the file's name.
it('file names do not tell keys', async (t) => {
  const cache = openDisk(t, { streamThresholdBytes: 10 });
  await cache.set('secret-key', 'x'.repeat(100));
  const [file] = filesOf(cache);
  assert.ok(!file.includes('secret'));
  assert.ok(!file.includes(createHash('md5').update('secret-key').digest('hex')));
});
