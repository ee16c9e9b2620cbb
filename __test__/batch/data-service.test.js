'use strict';

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { BatchError, HotpathClosedError, OptimizedDataService } = require('../..');
const { BulkProvider, MapProvider } = require('../support/providers');
const { deferred, turnOfTheLoop, waitFor } = require('../support/wait');

const invalidType = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' };
const outOfRange = { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' };
const objects = (count) => Array.from({ length: count }, (_, number) => ({ number }));

for (const Provider of [MapProvider, BulkProvider]) {
  describe(`OptimizedDataService over a ${Provider.name}`, () => {
    const open = (options) => {
      const provider = new Provider();
      return { provider, service: new OptimizedDataService(provider, options) };
    };

    it('adds in batches and gives the names in order', async () => {
      const { provider, service } = open({ batchSize: 7 });
      const uuids = await service.addBatch('users', objects(50));
      assert.equal(new Set(uuids).size, 50);
      for (const [number, uuid] of uuids.entries()) {
        assert.deepEqual(provider.containers.get(`users/${uuid}`), { number });
      }
      if (provider.batches) assert.deepEqual(provider.batches, [7, 7, 7, 7, 7, 7, 7, 1]);
      assert.deepEqual(await service.addBatch('users', []), []);
    });

    it('tries all, and tells who failed', async () => {
      const { provider, service } = open({ batchSize: 2 });
      const given = [{ a: 1 }, { bad: 'one' }, { a: 2 }, { a: 3 }, { bad: 'two' }];
      await assert.rejects(service.addBatch('users', given), (error) => {
        assert.ok(error instanceof BatchError);
        assert.equal(error.code, 'ERR_HOTPATH_BATCH');
        assert.equal(error.name, 'BatchError');
        assert.match(error.message, /^2 of 5 failed; the first: bad one$/);
        assert.deepEqual(
          error.errors.map(({ index, error: { message } }) => [index, message]),
          [
            [1, 'bad one'],
            [4, 'bad two'],
          ],
        );
        assert.equal(error.cause, error.errors[0].error);
        assert.deepEqual(
          error.results.map((uuid) => typeof uuid),
          ['string', 'undefined', 'string', 'string', 'undefined'],
        );
        return true;
      });
      assert.equal(provider.containers.size, 3);
    });

    it('reads each for itself', async () => {
      const { service } = open();
      const [uuid] = await service.addBatch('users', [{ name: 'Ada' }]);
      const [found, missing, failed] = await service.getBatch('users', [uuid, 'nobody', 'broken']);
      assert.deepEqual(found, { uuid, result: { name: 'Ada' }, status: 'fulfilled' });
      assert.deepEqual(missing, { uuid: 'nobody', result: undefined, status: 'fulfilled' });
      assert.deepEqual(Object.keys(failed), ['uuid', 'error', 'status']);
      assert.deepEqual([failed.uuid, failed.error.message, failed.status], ['broken', 'broken', 'rejected']);
    });

    it('finds each once, with the terms that found it', async () => {
      const { provider, service } = open();
      await service.addBatch('users', [{ name: 'Ada' }, { name: 'Adam' }, { name: 'Eve' }, { name: 'Ada' }]);
      assert.deepEqual(await service.findBatch('users', ['Ada', 'Adam', 'Ada', 'nobody']), [
        { item: { name: 'Ada' }, matchedTerms: ['Ada'] },
        { item: { name: 'Adam' }, matchedTerms: ['Ada', 'Adam'] },
      ]);
      assert.equal(provider.calls.find, 3, 'the same term is searched for once');
      await assert.rejects(service.findBatch('users', ['Ada', 'broken']), (error) => {
        assert.ok(error instanceof BatchError);
        const [{ index, term, error: reason }] = error.errors;
        assert.deepEqual([index, term, reason.message], [1, 'broken', 'cannot search']);
        assert.equal(error.results[0].length, 3);
        return true;
      });
    });

    it('loads of one tick share a read, and the same object is read once', async () => {
      const { provider, service } = open();
      const uuids = await service.addBatch('users', objects(5));
      const loads = [...uuids, ...uuids].map((uuid) => service.load('users', uuid));
      assert.deepEqual((await Promise.all(loads)).slice(5), objects(5));
      assert.equal(provider.calls.getByUuid, 5);
      if (provider.batches) assert.deepEqual(provider.batches.at(-1), 5);
      await service.load('users', uuids[0]);
      assert.equal(provider.calls.getByUuid, 5, 'and is remembered');
      service.forget('users', uuids[0]);
      await service.load('users', uuids[0]);
      assert.equal(provider.calls.getByUuid, 6);
    });

    it('a load that fails, fails alone and is not remembered', async () => {
      const { provider, service } = open();
      const [uuid] = await service.addBatch('users', [{ a: 1 }]);
      for (let round = 1; round <= 2; round++) {
        const [good, bad, missing] = await Promise.allSettled([
          service.load('users', uuid),
          service.load('users', 'broken'),
          service.load('users', 'nobody'),
        ]);
        assert.deepEqual(good.value, { a: 1 });
        assert.equal(bad.reason.message, 'broken');
        assert.deepEqual(missing, { status: 'fulfilled', value: undefined });
        assert.equal(provider.calls.getByUuid, 1 + 2 * round);
      }
    });
  });
}

describe('OptimizedDataService', () => {
  it('keeps to its concurrency', async () => {
    const provider = new BulkProvider();
    const gate = deferred();
    let running = 0;
    let most = 0;
    provider.addMany = async (_container, batch) => {
      most = Math.max(most, ++running);
      await gate.promise;
      running--;
      return batch.map(() => 'id');
    };
    const service = new OptimizedDataService(provider, { batchSize: 1, maxConcurrency: 3 });
    const added = service.addBatch('users', objects(9));
    await waitFor(() => running === 3);
    await turnOfTheLoop();
    gate.resolve();
    await added;
    assert.equal(most, 3);
  });

  it('takes errors among the results of many, and errors that tell of each', async () => {
    const provider = new BulkProvider();
    const service = new OptimizedDataService(provider);
    provider.addMany = async () => ['first', new Error('second')];
    await assert.rejects(service.addBatch('c', [1, 2]), ({ results, errors }) => {
      assert.deepEqual(results, ['first', undefined]);
      assert.equal(errors[0].error.message, 'second');
      return true;
    });
    provider.addMany = async () => {
      throw Object.assign(new Error('x'), { results: ['id', undefined], errors: [{ index: 1, error: 'why' }] });
    };
    await assert.rejects(service.addBatch('c', [1, 2]), ({ errors }) => errors[0].error === 'why');
    assert.equal(provider.calls.add, 0, 'what was told is not tried again');
    provider.addMany = async () => ['too few'];
    await assert.rejects(service.addBatch('c', [1, 2]), ({ errors }) => {
      assert.deepEqual(
        errors.map(({ error }) => error.code),
        ['ERR_HOTPATH_PROVIDER', 'ERR_HOTPATH_PROVIDER'],
      );
      return true;
    });
  });

  describe('smartBatch', () => {
    it('flushes when there are enough, without waiting', async () => {
      const provider = new BulkProvider();
      const service = new OptimizedDataService(provider, { batchSize: 3, batchTimeout: 100_000 });
      const [one, two] = await Promise.all([
        service.smartBatch('add', 'users', [{ a: 1 }]),
        service.smartBatch('add', 'users', [{ a: 2 }, { a: 3 }]),
      ]);
      assert.equal(one, 'id-0');
      assert.deepEqual(two, ['id-1', 'id-2']);
      assert.deepEqual(provider.batches, [3]);
    });

    it('flushes at the deadline of the first, whoever comes meanwhile', async () => {
      const provider = new BulkProvider();
      const service = new OptimizedDataService(provider, { batchSize: 1_000, batchTimeout: 30 });
      let settled = false;
      const first = service.smartBatch('add', 'users', [{ a: 1 }]).then(() => (settled = true));
      const others = [];
      await waitFor(() => {
        if (others.length < 900) others.push(service.smartBatch('add', 'users', [{ a: others.length }]));
        return settled;
      });
      await Promise.all([first, ...others]);
      assert.ok(others.length > 1);
    });

    it('gives each caller its own, and rejects only those whose items failed', async () => {
      const service = new OptimizedDataService(new MapProvider(), { batchTimeout: 1 });
      const [one, bad, several, mixed, read] = await Promise.allSettled([
        service.smartBatch('add', 'c', [{ a: 1 }]),
        service.smartBatch('add', 'c', [{ bad: 'single' }]),
        service.smartBatch('add', 'c', [{ a: 2 }, { a: 3 }]),
        service.smartBatch('add', 'c', [{ a: 4 }, { bad: 'of two' }]),
        service.smartBatch('get', 'c', ['nobody']),
      ]);
      assert.equal(typeof one.value, 'string');
      assert.equal(bad.reason.message, 'bad single');
      assert.equal(several.value.length, 2);
      assert.ok(mixed.reason instanceof BatchError);
      assert.equal(mixed.reason.errors[0].index, 1);
      assert.deepEqual(read.value, { uuid: 'nobody', result: undefined, status: 'fulfilled' });
      assert.deepEqual(await service.smartBatch('get', 'c', []), []);
      const two = await service.smartBatch('get', 'c', ['broken', 'nobody']);
      assert.deepEqual(
        two.map(({ status }) => status),
        ['rejected', 'fulfilled'],
      );
    });

    it('keeps containers and operations apart', async () => {
      const provider = new BulkProvider();
      const service = new OptimizedDataService(provider, { batchTimeout: 1 });
      await Promise.all([
        service.smartBatch('add', 'a', [{}]),
        service.smartBatch('add', 'b', [{}]),
        service.smartBatch('get', 'a', ['x']),
      ]);
      assert.deepEqual(provider.batches, [1, 1, 1]);
    });
  });

  it('loads within a window, and forgets after the ttl', async () => {
    const provider = new BulkProvider();
    const service = new OptimizedDataService(provider, { loadWindowMs: 20, loadTtlMs: 1 });
    const [uuid] = await service.addBatch('c', [{ a: 1 }]);
    const first = service.load('c', uuid);
    await turnOfTheLoop();
    await Promise.all([first, service.load('c', 'other')]);
    assert.deepEqual(provider.batches.slice(1), [2], 'another tick, the same window');
    await waitFor(async () => {
      await service.load('c', uuid);
      return provider.batches.length > 2;
    });
  });

  it('remembers so many at most, and nothing without a ttl', async () => {
    const provider = new MapProvider();
    const uuids = await new OptimizedDataService(provider).addBatch('c', objects(10));
    const read = async (options) => {
      const service = new OptimizedDataService(provider, options);
      provider.calls.getByUuid = 0;
      for (const _ of [1, 2]) for (const uuid of uuids) await service.load('c', uuid);
      return provider.calls.getByUuid;
    };
    assert.equal(await read({}), 10);
    assert.equal(await read({ loadTtlMs: 0 }), 20);
    assert.equal(await read({ loadMaxEntries: 4 }), 20, 'a scan over more than fit');
    assert.equal(await read({ loadTtlMs: Number.POSITIVE_INFINITY }), 10);
  });

  it('loads of what is under way or remembered share a promise', async () => {
    const provider = new BulkProvider();
    const service = new OptimizedDataService(provider);
    const [uuid] = await service.addBatch('c', [{ a: 1 }]);
    const first = service.load('c', uuid);
    assert.equal(service.load('c', uuid), first);
    const loaded = await first;
    const again = service.load('c', uuid);
    assert.equal(service.load('c', uuid), again);
    assert.equal(await again, loaded, 'the object itself');
    assert.deepEqual(provider.batches.slice(1), [1]);
  });

  it('a load that is forgotten while it is under way is not remembered', async () => {
    const provider = new BulkProvider();
    const service = new OptimizedDataService(provider);
    const uuids = await service.addBatch('c', objects(3));
    const loads = uuids.map((uuid) => service.load('c', uuid));
    service.forget('c', uuids[1]);
    assert.deepEqual(await Promise.all(loads), objects(3));
    await Promise.all(uuids.map((uuid) => service.load('c', uuid)));
    assert.deepEqual(provider.batches.slice(1), [3, 1]);
    const under = service.load('c', 'other');
    service.forget('c');
    await under;
    await Promise.all(uuids.map((uuid) => service.load('c', uuid)));
    assert.deepEqual(provider.batches.slice(1), [3, 1, 1, 3]);
  });

  it('more loads under way than are remembered each get their own object', async () => {
    const service = new OptimizedDataService(new BulkProvider(), { loadMaxEntries: 3, batchSize: 8 });
    const uuids = await service.addBatch('c', objects(50));
    for (const _ of [1, 2]) {
      assert.deepEqual(await Promise.all(uuids.map((uuid) => service.load('c', uuid))), objects(50));
    }
  });

  it('full batches that follow each other in one turn do not pile up behind a tick each', async (t) => {
    // It answers within the turn, so the tick of the first batch does not come before the last one.
    const provider = { add() {}, getByUuid() {}, find() {}, getMany: async (_container, uuids) => uuids };
    const service = new OptimizedDataService(provider, { batchSize: 4 });
    const ticks = t.mock.method(process, 'nextTick');
    for (let batch = 0; batch < 50; batch++) {
      await Promise.all(Array.from({ length: 4 }, (_, index) => service.load('c', `${batch}/${index}`)));
    }
    const calls = ticks.mock.callCount();
    assert.ok(calls < 25, `${calls} ticks, with those of the test runner, for 50 batches`);
  });

  it('counts what it does', async () => {
    const service = new OptimizedDataService(new MapProvider(), { batchSize: 4 });
    const { avgResponseTime, ...none } = service.stats;
    assert.deepEqual(none, { added: 0, read: 0, failed: 0, loads: 0, loadReads: 0, batches: 0 });
    assert.equal(avgResponseTime, 0);
    const uuids = await service.addBatch('c', objects(6));
    await service.getBatch('c', [...uuids, 'broken']);
    await Promise.all([...uuids, ...uuids].map((uuid) => service.load('c', uuid)));
    await service.load('c', uuids[0]);
    const { avgResponseTime: time, ...counts } = service.stats;
    assert.deepEqual(counts, { added: 6, read: 13, failed: 1, loads: 13, loadReads: 6, batches: 6 });
    assert.ok(time >= 0);
  });

  it('loads of more than a batch are several reads', async () => {
    const provider = new BulkProvider();
    const service = new OptimizedDataService(provider, { batchSize: 4 });
    const loaded = await Promise.all(Array.from({ length: 10 }, (_, index) => service.load('c', `u${index}`)));
    assert.equal(loaded.length, 10);
    assert.deepEqual(provider.batches, [4, 4, 2]);
  });

  it('refuses other arguments', async () => {
    for (const provider of [undefined, null, {}, { add() {}, find() {} }, 7]) {
      assert.throws(() => new OptimizedDataService(provider), invalidType);
    }
    for (const [name, value] of [
      ['batchSize', 0],
      ['batchTimeout', -1],
      ['maxConcurrency', 1.5],
      ['loadTtlMs', Number.NaN],
      ['loadMaxEntries', 0],
      ['loadWindowMs', -1],
    ]) {
      assert.throws(() => new OptimizedDataService(new MapProvider(), { [name]: value }), outOfRange, name);
    }
    assert.throws(() => new OptimizedDataService(new MapProvider(), { batchsize: 1 }), /"batchSize"/);
    const service = new OptimizedDataService(new MapProvider());
    for (const method of ['addBatch', 'getBatch', 'findBatch']) {
      await assert.rejects(service[method]('c', 'text'), invalidType, method);
      await assert.rejects(service[method](7, []), invalidType, method);
      await assert.rejects(service[method]('', []), outOfRange, method);
    }
    await assert.rejects(service.smartBatch('drop', 'c', []), outOfRange);
    await assert.rejects(service.smartBatch('add', 'c', 7), invalidType);
    await assert.rejects(service.load('c', 7), invalidType);
  });

  it('ends what waits when it is closed, and rejects afterwards', async () => {
    const service = new OptimizedDataService(new MapProvider(), { batchTimeout: 100_000 });
    const waiting = service.smartBatch('add', 'c', [{ a: 1 }]);
    await service.close();
    assert.equal(await waiting, 'id-0');
    await service.close();
    await assert.rejects(service.addBatch('c', []), HotpathClosedError);
    await assert.rejects(service.smartBatch('add', 'c', []), HotpathClosedError);
    await assert.rejects(service.load('c', 'x'), HotpathClosedError);
  });
});
