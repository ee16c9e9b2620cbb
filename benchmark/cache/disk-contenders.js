// Caches on disk that are compared, each in a new directory of its own. Values are 1 KB of bytes, which all of them keep
// as they are but Keyv, whose values are JSON: it gets a string.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

/** @typedef {import('../harness/types.js').Contender} Contender */

const VALUE_BYTES = 1024;

/** @param {number} id */
const bytesFor = (id) => Buffer.alloc(VALUE_BYTES, `value ${id} `);

/** @type {Contender} */
const hotpath = {
  package: 'hotpath',
  options: () => ({}),
  open(options) {
    const { DiskCache } = require('../..');
    return new DiskCache(/** @type {any} */ (options));
  },
};

/** No time to live, no limit, no checksums. @type {Contender} */
const lmdbJs = {
  package: 'lmdb',
  options: () => ({ encoding: 'binary' }),
  open({ directory, ...options }) {
    const { open } = require('lmdb');
    const store = open({ .../** @type {any} */ (options), path: directory });
    return {
      get: async (/** @type {string} */ key) => store.get(key),
      getSync: (/** @type {string} */ key) => store.get(key),
      set: (key, value) => store.put(key, value),
      close: () => store.close(),
    };
  },
};

/** @type {Contender} */
const keyvSqlite = {
  package: '@keyv/sqlite',
  options: () => ({}),
  open({ directory }) {
    const { Keyv } = require('keyv');
    const { default: KeyvSqlite } = require('@keyv/sqlite');
    const keyv = new Keyv({ store: new KeyvSqlite(`sqlite://${path.join(String(directory), 'keyv.sqlite')}`) });
    return {
      get: async (/** @type {string} */ key) => {
        const text = await keyv.get(key);
        return text === undefined ? undefined : Buffer.from(text, 'latin1');
      },
      set: (key, /** @type {any} */ value) => keyv.set(key, value.toString('latin1')),
      close: () => keyv.disconnect(),
    };
  },
};

/**
 * Opens the contender in a new directory, and removes both.
 *
 * @template T
 * @param {import('../harness/types.js').Context} context
 * @param {(cache: any) => Promise<T>} use
 */
async function withDirectory({ contender, settings }, use) {
  const directory = fs.mkdtempSync(path.join(process.env.HOTPATH_BENCH_DIRECTORY ?? os.tmpdir(), 'hotpath-bench-'));
  try {
    const cache = contender.open({ ...contender.options(settings), directory });
    try {
      return await use(cache);
    } finally {
      await cache.close?.();
    }
  } finally {
    fs.rmSync(directory, { recursive: true, force: true });
  }
}

module.exports = { hotpath, lmdbJs, keyvSqlite, bytesFor, withDirectory };
