const fs = require('node:fs');
const zlib = require('node:zlib');
const { digestOf } = require('../harness/digest.js');

/** Source text that every checkout has: TypeScript's own compiler. @param {number} bytes */
function textOf(bytes) {
  return fs.readFileSync(require.resolve('typescript')).subarray(0, bytes);
}

/** The level that each algorithm runs at, for all contenders. */
const LEVELS = { gzip: 6, brotli: 5, zstd: 3, lz4: 0 };

/** @type {any} */
const hotpath = {
  package: 'hotpath',
  options: ({ name }) => ({ algorithm: name, level: LEVELS[name] }),
  open({ algorithm, level }) {
    const { MemoryOptimizationEngine } = require('../..');
    const engine = new MemoryOptimizationEngine();
    return {
      compress: async (data) => (await engine.compress(data, algorithm, { level })).data,
      decompress: (data) => engine.decompress(data, algorithm, { as: 'buffer' }),
    };
  },
};

/** Each algorithm's usual package, and for the two that Node.js has, Node.js. */
const PEERS = {
  gzip: () => ({ compress: (data) => zlib.gzipSync(data), decompress: (data) => zlib.gunzipSync(data) }),
  brotli: () => {
    const params = { [zlib.constants.BROTLI_PARAM_QUALITY]: LEVELS.brotli };
    return {
      compress: (data) => zlib.brotliCompressSync(data, { params }),
      decompress: (data) => zlib.brotliDecompressSync(data),
    };
  },
  zstd: () => {
    const { compress, decompress } = require('zstd-napi');
    return { compress: (data) => compress(data, { compressionLevel: LEVELS.zstd }), decompress };
  },
  lz4: () => {
    const { compressFrameSync, decompressFrameSync } = require('lz4-napi');
    return { compress: compressFrameSync, decompress: decompressFrameSync };
  },
};

/** @type {any} */
const peer = { package: 'zstd-napi', options: hotpath.options, open: ({ algorithm }) => PEERS[algorithm]() };

/** @type {any} */
module.exports = {
  name: 'compression',
  title: 'Compression',
  description:
    'Source text at one level for both: gzip 6 and brotli 5 against Node.js, zstd 3 against zstd-napi, lz4 frames against ' +
    'lz4-napi. Node.js and the packages run on the main thread; hotpath copies the text and runs on another one.',
  settings: {
    smoke: { rounds: 1, entries: 100_000, operations: 1 },
    quick: { rounds: 5, entries: 5_000_000, operations: 5 },
    full: { rounds: 11, entries: 8_000_000, operations: 15 },
  },
  cases: Object.fromEntries(Object.keys(LEVELS).map((name) => [name, { title: name, settings: { name } }])),
  measures: {
    speed: { label: 'compression, bytes', unit: 'perSecond', better: 'higher', chart: true },
    ratio: { label: 'compressed over original', unit: 'ratio', better: 'lower', detail: true },
  },
  floors: [
    { measure: 'speed', case: 'gzip', against: 'peer', atLeast: 1 },
    { measure: 'speed', case: 'brotli', against: 'peer', atLeast: 0.8 },
    { measure: 'speed', case: 'zstd', against: 'peer', atLeast: 1 },
    { measure: 'speed', case: 'lz4', against: 'peer', atLeast: 0.9 },
  ],
  contenders: { hotpath, peer },

  async check({ open, settings }) {
    const codec = open();
    const data = textOf(settings.entries);
    return digestOf([(await codec.decompress(await codec.compress(data))).toString('latin1')]);
  },

  async run({ open, settings }) {
    const codec = open();
    const data = textOf(settings.entries);
    let compressed = await codec.compress(data);
    const started = process.hrtime.bigint();
    for (let round = 0; round < settings.operations; round += 1) compressed = await codec.compress(data);
    const seconds = Number(process.hrtime.bigint() - started) / 1e9;
    const speed = (data.length * settings.operations) / seconds;
    return { measures: { speed, ratio: compressed.length / data.length } };
  },
};
