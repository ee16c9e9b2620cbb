'use strict';

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { randomBytes } = require('node:crypto');
const zlib = require('node:zlib');
const { MemoryOptimizationEngine } = require('../..');
const { errors } = require('../support');

const ALGORITHMS = ['gzip', 'deflate', 'brotli', 'lz4', 'zstd'];
const BAD_DATA = { name: 'HotpathDataError', code: 'ERR_HOTPATH_BAD_DATA' };
const TOO_LARGE = { name: 'HotpathError', code: 'ERR_HOTPATH_LIMIT' };

function open(t, options) {
  const engine = new MemoryOptimizationEngine(options);
  t.after(() => engine.close());
  return engine;
}

const text = (length) => 'what is said again and again compresses well; '.repeat(length / 46 + 1).slice(0, length);

for (const algorithm of ALGORITHMS) {
  describe(algorithm, () => {
    it('gives back what it was given, small and large', async (t) => {
      const engine = open(t);
      for (const length of [0, 1, 1000, 64 * 1024, 64 * 1024 + 1, 3_000_000]) {
        const data = Buffer.from(text(length));
        const compressed = await engine.compress(data, algorithm);
        assert.deepEqual(Object.keys(compressed).sort(), [
          'algorithm',
          'compressedSize',
          'data',
          'originalSize',
          'ratio',
        ]);
        assert.equal(compressed.algorithm, algorithm);
        assert.equal(compressed.originalSize, length);
        assert.equal(compressed.compressedSize, compressed.data.length);
        assert.equal(compressed.ratio, length === 0 ? 1 : compressed.data.length / length);
        assert.ok(length < 1000 || compressed.ratio < 0.2);
        assert.deepEqual(await engine.decompress(compressed), data);
        assert.deepEqual(await engine.decompress(Buffer.from(compressed.data), algorithm), data);
      }
    });

    it('takes every level', async (t) => {
      const engine = open(t);
      const most = { gzip: 9, deflate: 9, brotli: 11, lz4: 0, zstd: 22 }[algorithm];
      for (const level of [algorithm === 'zstd' ? 1 : 0, most]) {
        const compressed = await engine.compress(text(5000), algorithm, { level });
        assert.equal(await engine.decompress(compressed), text(5000));
      }
      await assert.rejects(engine.compress('x', algorithm, { level: most + 1 }), errors.outOfRange('options.level'));
      await assert.rejects(engine.compress('x', algorithm, { level: 0.5 }), errors.outOfRange('options.level'));
    });

    it('a bomb is an error, small input or large', async (t) => {
      const engine = open(t, { memoryLimit: 1_000_000 });
      const { data } = await engine.compress(Buffer.alloc(30_000_000), algorithm);
      await assert.rejects(engine.decompress(data, algorithm), TOO_LARGE);
      await assert.rejects(engine.decompress(data, algorithm, { maxBytes: 1000 }), TOO_LARGE);
      const whole = await engine.decompress(data, algorithm, { maxBytes: 30_000_000 });
      assert.equal(whole.length, 30_000_000);
    });

    it('garbage, a part, and more behind the end are errors', async (t) => {
      const engine = open(t);
      const { data } = await engine.compress(text(200_000), algorithm);
      for (const bad of [
        Buffer.alloc(0),
        Buffer.from('this is something else altogether'),
        data.subarray(0, 3),
        data.subarray(0, data.length - 1),
        Buffer.concat([data, Buffer.from('more')]),
        Buffer.alloc(100_000, 0x5a),
      ]) {
        await assert.rejects(engine.decompress(bad, algorithm), BAD_DATA);
      }
    });
  });
}

it('other programs read what it writes, and it reads theirs', async (t) => {
  const engine = open(t);
  const data = Buffer.from(text(100_000));
  for (const [algorithm, there, back] of [
    ['gzip', zlib.gzipSync, zlib.gunzipSync],
    ['deflate', zlib.deflateSync, zlib.inflateSync],
    ['brotli', zlib.brotliCompressSync, zlib.brotliDecompressSync],
  ]) {
    assert.deepEqual(back((await engine.compress(data, algorithm)).data), data);
    assert.deepEqual(await engine.decompress(there(data), algorithm), data);
  }
  const { compressSync, decompress } = require('zstd-napi');
  assert.deepEqual(decompress((await engine.compress(data, 'zstd')).data), data);
  assert.ok(compressSync === undefined || Buffer.isBuffer(compressSync(data)));
  const lz4 = require('lz4-napi');
  assert.deepEqual(lz4.decompressFrameSync((await engine.compress(data, 'lz4')).data), data);
  assert.deepEqual(await engine.decompress(lz4.compressFrameSync(data), 'lz4'), data);
});

describe('kinds of data', () => {
  it('come back as what they were', async (t) => {
    const engine = open(t);
    for (const data of ['a text, ü', { a: [1, null, 'x'] }, [1, 2], 7, null, true]) {
      assert.deepEqual(await engine.decompress(await engine.compress(data)), data);
    }
    const bytes = new Uint8Array([1, 2, 3]);
    assert.deepEqual(await engine.decompress(await engine.compress(bytes)), Buffer.from(bytes));
    assert.deepEqual(await engine.decompress(await engine.compress(bytes.buffer)), Buffer.from(bytes));
    assert.deepEqual(await engine.decompress(await engine.compress(new Uint16Array([513]))), Buffer.from([1, 2]));
  });

  it('as bytes or as what one asks for, if others compressed them', async (t) => {
    const engine = open(t);
    const bytes = zlib.gzipSync('{"a":1}');
    assert.deepEqual(await engine.decompress(bytes), Buffer.from('{"a":1}'));
    assert.equal(await engine.decompress(bytes, 'gzip', { as: 'string' }), '{"a":1}');
    assert.deepEqual(await engine.decompress(bytes, 'gzip', { as: 'json' }), { a: 1 });
    await assert.rejects(engine.decompress(zlib.gzipSync('{'), 'gzip', { as: 'json' }), { name: 'SyntaxError' });
  });

  it('that cannot be bytes are refused', async (t) => {
    const engine = open(t);
    for (const data of [undefined, () => {}, Symbol('x')]) {
      await assert.rejects(engine.compress(data), errors.invalidType('data'));
    }
    await assert.rejects(engine.decompress('text'), errors.invalidType('compressed'));
    await assert.rejects(engine.decompress(), errors.invalidType('compressed'));
    await assert.rejects(engine.compress('x', 'zip'), errors.outOfRange('algorithm'));
    await assert.rejects(engine.compress('x', 'gzip', { speed: 1 }), errors.unknownOption('speed', 'level'));
  });
});

describe('compression switched off', () => {
  it('gives the bytes as they are', async (t) => {
    const engine = open(t, { compressionEnabled: false });
    const compressed = await engine.compress({ a: 1 });
    assert.deepEqual(compressed, { data: Buffer.from('{"a":1}'), algorithm: 'none', originalSize: 7, compressedSize: 7, ratio: 1 }); // biome-ignore format: shape
    assert.deepEqual(await engine.decompress(compressed), { a: 1 });
  });
});

describe('large data', () => {
  it('leave the event loop free, and may be changed at once', async (t) => {
    const engine = open(t);
    // What cannot be compressed takes the longest.
    const data = randomBytes(30_000_000);
    const original = Buffer.from(data);
    const compressed = engine.compress(data, 'gzip');
    let turns = 0;
    let done = false;
    const count = () => {
      turns++;
      if (!done) setImmediate(count);
    };
    setImmediate(count);
    data.fill(0);
    await compressed;
    done = true;
    assert.ok(turns > 1, `${turns} turns of the event loop meanwhile`);
    assert.ok(zlib.gunzipSync((await compressed).data).equals(original));
  });
});

describe('small results', () => {
  it('are remembered, and never shared', async (t) => {
    const engine = open(t);
    const first = await engine.compress(text(5000));
    first.data.fill(0);
    const second = await engine.compress(text(5000));
    assert.equal(await engine.decompress(second), text(5000));
    const other = await engine.compress(text(5000), 'gzip', { level: 1 });
    assert.equal(await engine.decompress(other), text(5000));
    assert.equal(engine.getStats().pools.compressionCache, 2);
    assert.equal(engine.getStats().tracking.allocationCount, 2);
  });
});
