'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const hotpath = require('../..');
const { errors } = require('../support');
const { deferred } = require('../support/wait');
const { temporaryDirectory } = require('../support/pools');
const { stateMatrix } = require('../support/state-matrix');

const {
  BatchProcessingEngine,
  DiskDataProvider,
  MemoryDataProvider,
  OptimizedDataService,
  OptimizedIntentMatcher,
  ParallelIntentProcessor,
} = hotpath;
const ABSENT = '00000000-0000-7000-8000-000000000000';

/** A provider whose calls wait until they are let go. */
class Gate {
  gate = deferred();
  inside;

  async add(_container, object) {
    await this.inside?.();
    await this.gate.promise;
    return `id of ${object.a}`;
  }

  async getByUuid(_container, uuid) {
    await this.gate.promise;
    return { uuid };
  }

  async find() {
    await this.gate.promise;
    return [];
  }
}

stateMatrix({
  Class: OptimizedDataService,
  open: (t) => {
    const provider = new Gate();
    const service = new OptimizedDataService(provider, { batchSize: 2, batchTimeout: 1, maxConcurrency: 1 });
    t.after(() => provider.gate.resolve());
    return service;
  },
  members: {
    provider: (service) => assert.ok(service.provider instanceof Gate),
    batchSize: (service) => assert.equal(service.batchSize, 2),
    stats: (service) => assert.equal(typeof service.stats.loads, 'number'),
    addBatch: (service) => freely(service, () => service.addBatch('c', [{ a: 1 }]), ['id of 1']),
    getBatch: (service) =>
      freely(service, () => service.getBatch('c', ['u']), [{ uuid: 'u', result: { uuid: 'u' }, status: 'fulfilled' }]),
    findBatch: (service) => freely(service, () => service.findBatch('c', ['x']), []),
    smartBatch: (service) => freely(service, () => service.smartBatch('add', 'c', [{ a: 2 }]), 'id of 2'),
    load: (service) => freely(service, () => service.load('c', 'u'), { uuid: 'u' }),
    forget: (service) => assert.equal(service.forget('c', 'u'), undefined),
    close: (service) => {
      service.provider.gate.resolve();
      return service.close();
    },
  },
  states: {
    'while it is busy, and more waits than it may do at once': async (service, use) => {
      const others = [
        service.addBatch('c', [{ a: 3 }, { a: 4 }, { a: 5 }]),
        service.smartBatch('get', 'c', ['x']),
        service.load('c', 'y'),
        service.load('c', 'u'),
      ];
      await use(service);
      service.provider.gate.resolve();
      await Promise.all(others);
    },
    'inside a call of its provider': async (service, use) => {
      let used;
      service.provider.inside = () => {
        service.provider.inside = undefined;
        used = (async () => use(service))();
        // Waiting for it here would be waiting for itself: closing waits for this call.
        used.catch(() => {});
      };
      const outer = service.addBatch('c', [{ a: 6 }]);
      service.provider.gate.resolve();
      await outer;
      await used;
    },
    'while it closes': async (service, use) => {
      const waiting = service.smartBatch('add', 'c', [{ a: 7 }]);
      const closing = service.close();
      const used = (async () => use(service))().catch((error) => assert.equal(error.code, errors.closed.code));
      service.provider.gate.resolve();
      await Promise.all([closing, used]);
      assert.equal(await waiting, 'id of 7');
    },
  },
  ends: {
    close: (service) => {
      service.provider.gate.resolve();
      return service.close();
    },
  },
  always: ['provider', 'batchSize', 'stats', 'close'],
  closed: errors.closed,
});

async function freely(service, call, expected) {
  const answer = call();
  service.provider.gate.resolve();
  assert.deepEqual(await answer, expected);
}

const double = (items) => items.map((item) => item * 2);

stateMatrix({
  Class: BatchProcessingEngine,
  open: (t) => {
    const engine = new BatchProcessingEngine({ batchSize: 1, maxConcurrency: 2, processors: { double } });
    engine.file = path.join(temporaryDirectory(t), 'numbers.ndjson');
    fs.writeFileSync(engine.file, '1\n2\n');
    t.after(() => engine.destroy());
    return engine;
  },
  members: {
    registerProcessor: (engine) => assert.equal(engine.registerProcessor('other', double), engine),
    processors: (engine) => assert.ok(engine.processors.includes('double')),
    processBatch: async (engine) => assert.deepEqual((await engine.processBatch([1, 2], double)).results, [2, 4]),
    submitBatch: async (engine) => {
      const { batchId, status } = await engine.submitBatch([1], 'double');
      assert.equal(status, 'queued');
      assert.deepEqual((await engine.waitForBatch(batchId)).results, [2]);
    },
    processStream: async (engine) => assert.deepEqual((await engine.processStream(new Set([1]), double)).results, [2]),
    processFile: async (engine) =>
      assert.deepEqual((await engine.processFile(engine.file, { processor: double })).results, [2, 4]),
    getBatchStatus: (engine) => assert.equal(engine.getBatchStatus('none'), undefined),
    waitForBatch: async (engine) => assert.equal(await engine.waitForBatch('none'), undefined),
    cancelBatch: (engine) => assert.equal(engine.cancelBatch('none'), false),
    stats: (engine) => assert.equal(typeof engine.stats.completed, 'number'),
    closed: (engine) => assert.equal(typeof engine.closed, 'boolean'),
    close: (engine) => {
      engine.letGo?.();
      return engine.close();
    },
    destroy: (engine) => engine.destroy(),
  },
  states: {
    'while a batch is under way': async (engine, use) => {
      const gate = deferred();
      engine.letGo = gate.resolve;
      const busy = engine.processBatch([1], async (items) => {
        await gate.promise;
        return items;
      });
      await use(engine);
      gate.resolve();
      await busy;
    },
    'while all its places are taken': async (engine, use) => {
      const gate = deferred();
      engine.letGo = gate.resolve;
      const busy = engine.processBatch([1, 2, 3, 4], async (items) => {
        await gate.promise;
        return items;
      });
      const used = (async () => use(engine))();
      gate.resolve();
      await Promise.all([busy, used]);
    },
    'inside its own processor': async (engine, use) => {
      let used;
      await engine.processBatch([1], (items) => {
        used = (async () => use(engine))();
        return items;
      });
      await used;
    },
    'inside its own listener': async (engine, use) => {
      const used = new Promise((resolve, reject) => {
        engine.once('progress', async () => {
          try {
            resolve(await use(engine));
          } catch (error) {
            reject(error);
          }
        });
      });
      await engine.processBatch([1, 2], double);
      await used;
    },
  },
  ends: { close: (engine) => engine.close(), destroy: (engine) => engine.destroy() },
  always: [
    ...['registerProcessor', 'processors', 'getBatchStatus', 'waitForBatch', 'cancelBatch', 'stats', 'closed'],
    ...['close', 'destroy'],
  ],
  closed: errors.closed,
});

const INTENTS = [
  { id: 'order', pattern: 'order \\d+' },
  { id: 'back', pattern: '(a)\\1' },
];

stateMatrix({
  Class: OptimizedIntentMatcher,
  open: () => new OptimizedIntentMatcher(INTENTS, { cacheEntries: 1 }),
  members: {
    match: async (matcher) => assert.equal(await matcher.match('order 7'), INTENTS[0]),
    matchAll: async (matcher) => assert.deepEqual(await matcher.matchAll('order 7 aa'), INTENTS),
    matchMany: async (matcher) => assert.deepEqual(await matcher.matchMany(['x', 'aa']), [null, INTENTS[1]]),
    stats: (matcher) => assert.equal(matcher.stats.patterns, 2),
    closed: (matcher) => assert.equal(typeof matcher.closed, 'boolean'),
    close: (matcher) => matcher.close(),
  },
  states: {
    'while it matches many': async (matcher, use) => {
      const busy = matcher.matchMany(Array.from({ length: 5_000 }, (_, index) => `order ${index}`));
      await use(matcher);
      assert.equal((await busy).length, 5_000);
    },
    'with its cache full': async (matcher, use) => {
      await matcher.match('something');
      await matcher.match('something else');
      await use(matcher);
    },
  },
  ends: { close: (matcher) => matcher.close() },
  always: ['stats', 'closed', 'close'],
  closed: errors.closed,
});

stateMatrix({
  Class: ParallelIntentProcessor,
  open: () => {
    const matcher = new OptimizedIntentMatcher(INTENTS);
    return Object.assign(new ParallelIntentProcessor(matcher), { matcher });
  },
  members: {
    processIntents: async (processor) =>
      assert.deepEqual(await processor.processIntents(['aa']), [{ input: 'aa', intent: INTENTS[1] }]),
    processBatch: async (processor) =>
      assert.deepEqual(await processor.processBatch(['aa', 'x'], 1), [
        { input: 'aa', intent: INTENTS[1] },
        { input: 'x', intent: null },
      ]),
  },
  states: {
    'while it is busy': async (processor, use) => {
      const busy = processor.processBatch(Array.from({ length: 100 }, () => 'order 1'));
      await use(processor);
      assert.equal((await busy).length, 100);
    },
  },
  ends: { 'its matcher was closed': ({ matcher }) => matcher.close() },
  closed: errors.closed,
});

const PROVIDER_MEMBERS = {
  add: async (provider) => assert.match(await provider.add('c', { a: 1 }), /^[\da-f-]{36}$/),
  addMany: async (provider) => assert.equal((await provider.addMany('c', [1, 2])).length, 2),
  getByUuid: async (provider) => assert.equal(await provider.getByUuid('c', ABSENT), undefined),
  getMany: async (provider) => assert.deepEqual(await provider.getMany('c', [ABSENT]), [undefined]),
  find: async (provider) => assert.deepEqual(await provider.find('none', 'text'), []),
  remove: async (provider) => assert.equal(await provider.remove('c', ABSENT), false),
  count: async (provider) => assert.equal(await provider.count('none'), 0),
  clear: async (provider) => assert.equal(await provider.clear('none'), 0),
  closed: (provider) => assert.equal(typeof provider.closed, 'boolean'),
  close: (provider) => provider.close(),
};
const PROVIDER_STATES = {
  'while a search looks at everything': async (provider, use) => {
    await provider.addMany(
      'many',
      Array.from({ length: 2_000 }, (_, number) => ({ number })),
    );
    const search = provider.find('many', ({ number }) => number === 1_999).catch((error) => error);
    await use(provider);
    const found = await search;
    assert.ok(found.length === 1 || found.code === errors.closed.code, `${found}`);
  },
  'inside the function of a search': async (provider, use) => {
    await provider.add('one', { a: 1 });
    let used;
    const search = provider.find('one', () => {
      used ??= (async () => use(provider))();
      return true;
    });
    await search.catch((error) => assert.equal(error.code, errors.closed.code));
    await used;
  },
};

stateMatrix({
  Class: MemoryDataProvider,
  open: (t) => {
    const provider = new MemoryDataProvider();
    t.after(() => provider.close());
    return provider;
  },
  members: { ...PROVIDER_MEMBERS, stats: (provider) => assert.equal(typeof provider.stats, 'object') },
  states: PROVIDER_STATES,
  ends: { close: (provider) => provider.close() },
  always: ['closed', 'close'],
  closed: errors.closed,
});

stateMatrix({
  Class: DiskDataProvider,
  open: (t) => {
    const provider = new DiskDataProvider({ directory: temporaryDirectory(t) });
    t.after(() => provider.close());
    return provider;
  },
  members: { ...PROVIDER_MEMBERS, directory: (provider) => assert.equal(typeof provider.directory, 'string') },
  states: PROVIDER_STATES,
  ends: { close: (provider) => provider.close() },
  always: ['directory', 'closed', 'close'],
  closed: errors.closed,
});
