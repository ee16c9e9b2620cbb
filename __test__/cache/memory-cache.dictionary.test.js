'use strict';

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { MemoryCache } = require('../..');
const { openCache, uniqueName, waitFor, dice, runInWorker, errors } = require('../support');
const { NOT_BOOLEANS, refuses } = require('../support/wrong-values');

const WITH_DICTIONARY = { nearCache: false, compression: { algorithm: 'zstd', dictionary: true } };

/** Short, and alike in everything but the data: what a dictionary is for. */
function order(id) {
  const { below } = dice(id + 1);
  return {
    id,
    state: ['open', 'paid', 'shipped'][below(3)],
    customer: { name: `customer ${below(10_000)}`, mail: `${below(1e9).toString(36)}@example.org` },
    lines: Array.from({ length: 1 + below(4) }, () => ({
      article: `A-${below(500)}`,
      quantity: below(9),
      price: below(1e5),
    })),
  };
}

async function trained(cache, trainings) {
  let id = 0;
  await waitFor(
    () => {
      for (let i = 0; i < 500; i += 1, id += 1) cache.set(`order:${id}`, order(id));
      return cache.stats.compression.dictionary.trainings >= trainings;
    },
    { timeoutMs: 120_000, what: `${trainings} trainings` },
  );
  return id;
}

describe('MemoryCache compression: dictionary', () => {
  it('is an option of zstd', (t) => {
    const build = (dictionary) => new MemoryCache({ compression: { algorithm: 'zstd', dictionary } });
    refuses(build, NOT_BOOLEANS, errors.invalidType('dictionary'));
    assert.throws(
      () => new MemoryCache({ compression: { algorithm: 'lz4', dictionary: true } }),
      errors.outOfRange('algorithm'),
    );
    assert.equal(openCache(t, { compression: { dictionary: true } }).stats.compression.algorithm, 'zstd');
    assert.equal(openCache(t, { compression: { dictionary: false } }).stats.compression.algorithm, 'lz4');
    assert.equal(openCache(t, { compression: { algorithm: 'zstd' } }).stats.compression.dictionary, null);
    assert.deepEqual(openCache(t, WITH_DICTIONARY).stats.compression.dictionary, { bytes: 0, trainings: 0 });
  });

  it('is trained from the values; those stored before stay readable', async (t) => {
    const cache = openCache(t, WITH_DICTIONARY);
    const count = await trained(cache, 2);
    for (let id = 0; id < count; id += 37) assert.deepEqual(cache.get(`order:${id}`), order(id));
    const { dictionary } = cache.stats.compression;
    assert.ok(dictionary.bytes > 1_000 && dictionary.bytes <= 32 * 1024, `${dictionary.bytes}`);

    cache.clear();
    const plain = openCache(t, { nearCache: false, compression: { algorithm: 'zstd', thresholdBytes: 64 } });
    for (let id = 0; id < 1_000; id += 1) {
      cache.set(`order:${id}`, order(id));
      plain.set(`order:${id}`, order(id));
    }
    const [withDictionary, without] = [cache, plain].map(({ stats }) => stats);
    assert.ok(withDictionary.compression.ratio < 0.75, `${withDictionary.compression.ratio}`);
    assert.ok(withDictionary.bytes < without.bytes, `${withDictionary.bytes} and ${without.bytes}`);
    assert.equal(
      withDictionary.compression.savedBytes,
      withDictionary.compression.originalBytes - withDictionary.compression.storedBytes,
    );
  });

  it('belongs to the cache, in all threads', async (t) => {
    const name = uniqueName();
    const cache = openCache(t, { name, ...WITH_DICTIONARY });
    await trained(cache, 1);
    cache.set('shared', order(7));
    const seen = await runInWorker(
      ({ MemoryCache }, { name }) => {
        const cache = new MemoryCache({ name, nearCache: false });
        const value = cache.get('shared');
        cache.set('back', { ...value, id: 8 });
        return value;
      },
      { name },
    );
    assert.deepEqual(seen, order(7));
    assert.deepEqual(cache.get('back'), { ...order(7), id: 8 });
    assert.throws(() => new MemoryCache({ name, compression: { algorithm: 'zstd', thresholdBytes: 64 } }), {
      code: 'ERR_HOTPATH_OPTION_CONFLICT',
      option: 'compression',
    });
  });

  it('a cache may go while its dictionary is trained', () => {
    for (let round = 0; round < 3; round += 1) {
      const cache = new MemoryCache(WITH_DICTIONARY);
      for (let id = 0; id < 1_500; id += 1) cache.set(`order:${id}`, order(id));
      cache.close();
    }
  });

  it('counts what it leaves alone', (t) => {
    const cache = openCache(t, { compression: true });
    cache.set('short', 'a');
    cache.set('noise', dice(3).bytes(5_000));
    cache.set('text', 'words '.repeat(1_000));
    const { skipped, belowThreshold, entries, savedBytes } = cache.stats.compression;
    assert.deepEqual({ skipped, belowThreshold, entries }, { skipped: 1, belowThreshold: 1, entries: 1 });
    assert.ok(savedBytes > 5_000);
  });
});
