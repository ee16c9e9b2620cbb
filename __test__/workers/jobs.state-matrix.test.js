'use strict';

// Every public member in every state that a queue can be in.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { AsyncProcessingEngine } = require('../..');
const { temporaryDirectory } = require('../support/pools');
const { runInWorker, settled, waitFor } = require('../support');

/** What each member does; each gives something that can be compared. */
const OPERATIONS = {
  submitJob: (engine) =>
    engine.submitJob('quick').then(
      ({ status }) => status,
      (error) => error.code,
    ),
  getJob: (engine) =>
    engine.getJob('nobody').then(
      (job) => typeof job,
      (error) => error.code,
    ),
  cancelJob: (engine) => engine.cancelJob('nobody').catch((error) => error.code),
  retryDeadLetters: (engine) => engine.retryDeadLetters().catch((error) => error.code),
  getStats: async (engine) => Object.keys(await engine.getStats()).join(),
  stats: (engine) => typeof engine.stats.pending,
  resize: (engine) => {
    try {
      return engine.resize({ maxConcurrentJobs: 2 });
    } catch (error) {
      return error.code;
    }
  },
  pause: (engine) => engine.pause().catch((error) => error.code),
  resume: (engine) => engine.resume().catch((error) => error.code),
  registerProcessor: (engine) => {
    try {
      return engine.registerProcessor('other', () => {}) === engine;
    } catch (error) {
      return error.code;
    }
  },
  validate: (engine) => {
    try {
      engine.validate();
      return 'valid';
    } catch (error) {
      return error.code;
    }
  },
  name: (engine) => engine.name,
  closed: (engine) => typeof engine.closed,
  types: (engine) => engine.types.includes('sort'),
  drain: (engine) => engine.drain(),
  close: (engine) => engine.close(),
  destroy: (engine) => engine.destroy(),
  on: (engine) => engine.on('queued', () => {}) === engine,
  addListener: (engine) => engine.addListener('queued', () => {}) === engine,
  prependListener: (engine) => engine.prependListener('queued', () => {}) === engine,
  off: (engine) => engine.off('queued', () => {}) === engine,
  removeListener: (engine) => engine.removeListener('queued', () => {}) === engine,
  removeAllListeners: (engine) => engine.removeAllListeners('queued') === engine,
};

const OPEN = {
  submitJob: 'queued',
  getJob: 'undefined',
  cancelJob: false,
  retryDeadLetters: 0,
  getStats: 'backend,paused,concurrency,queue,jobs,performance,runMs,waitMs,eventsDropped',
  stats: 'number',
  resize: undefined,
  pause: undefined,
  resume: undefined,
  registerProcessor: true,
  validate: 'valid',
  name: undefined,
  closed: 'boolean',
  types: true,
  drain: undefined,
  close: undefined,
  destroy: undefined,
  on: true,
  addListener: true,
  prependListener: true,
  off: true,
  removeListener: true,
  removeAllListeners: true,
};
const SHUT = 'ERR_HOTPATH_CLOSED';
/** Questions are answered until the end. */
const CLOSING = { ...OPEN, submitJob: SHUT, retryDeadLetters: SHUT, registerProcessor: SHUT, resize: SHUT };
const CLOSED = { ...CLOSING, getJob: SHUT, cancelJob: SHUT, pause: SHUT, resume: SHUT, validate: SHUT };

async function busy(engine) {
  engine.registerProcessor('slow', () => new Promise((resolve) => setTimeout(resolve, 20)));
  await engine.submitJob('slow');
  await waitFor(async () => (await engine.getStats()).concurrency.running === 1);
}

/** How a queue gets into a state, and what is expected there. */
const STATES = {
  fresh: { prepare: () => {}, expected: OPEN },
  idle: {
    prepare: async (engine) => {
      await engine.submitJob('quick');
      await waitFor(async () => (await engine.getStats()).jobs.completed === 1);
    },
    expected: OPEN,
  },
  busy: { prepare: busy, expected: OPEN },
  full: {
    prepare: async (engine) => {
      await busy(engine);
      for (let job = 0; job < 50; job++) await engine.submitJob('quick');
    },
    expected: OPEN,
  },
  paused: { prepare: (engine) => engine.pause(), expected: OPEN },
  closing: {
    prepare: async (engine) => {
      await busy(engine);
      engine.close();
    },
    expected: CLOSING,
  },
  drained: { prepare: (engine) => engine.drain(), expected: CLOSED },
  closed: { prepare: (engine) => engine.close(), expected: CLOSED },
  destroyed: { prepare: (engine) => engine.destroy(), expected: CLOSED },
};

const ENDS = ['drain', 'close', 'destroy'];

function open(t, store) {
  const engine = new AsyncProcessingEngine({ maxConcurrentJobs: 1, store });
  engine.registerProcessor('quick', () => {});
  t.after(() => engine.destroy());
  return engine;
}

it('the matrix knows every public member', () => {
  const members = Object.getOwnPropertyNames(AsyncProcessingEngine.prototype).filter((name) => name !== 'constructor');
  assert.deepEqual(members.sort(), Object.keys(OPERATIONS).sort());
});

for (const place of ['memory', 'store']) {
  for (const [state, { prepare, expected }] of Object.entries(STATES)) {
    describe(`state matrix: ${place}, ${state}`, () => {
      for (const [name, operation] of Object.entries(OPERATIONS)) {
        it(name, async (t) => {
          const engine = open(t, place === 'store' ? temporaryDirectory(t) : undefined);
          await prepare(engine);
          assert.deepEqual(await settled(Promise.resolve(operation(engine))), expected[name]);
          assert.equal(engine.closed, expected === OPEN ? ENDS.includes(name) : true);
        });
      }
    });
  }
}

describe('state matrix: inside a listener', () => {
  for (const [name, operation] of Object.entries(OPERATIONS)) {
    it(name, async (t) => {
      const engine = open(t);
      const inside = new Promise((resolve, reject) => {
        engine.once('active', () =>
          Promise.resolve()
            .then(() => operation(engine))
            .then(resolve, reject),
        );
      });
      await engine.submitJob('quick');
      await settled(inside);
    });
  }
});

describe('state matrix: inside a processor', () => {
  for (const [name, operation] of Object.entries(OPERATIONS)) {
    it(name, async (t) => {
      const engine = open(t);
      let inside;
      let called = false;
      engine.registerProcessor('inside', () => {
        // Not awaited: closing waits for the processor.
        inside = operation(engine);
        called = true;
      });
      const { jobId } = await engine.submitJob('inside');
      await waitFor(() => called);
      await settled(Promise.resolve(inside));
      if (!ENDS.includes(name)) {
        await waitFor(async () => (await engine.getJob(jobId)).status === 'completed' || name === 'pause');
      }
    });
  }
});

it('state matrix: in a worker thread', async () => {
  const answers = await runInWorker(
    async ({ load }, { operations }) => {
      const results = {};
      for (const [name, source] of operations) {
        const engine = new (load().AsyncProcessingEngine)();
        engine.registerProcessor('quick', () => {});
        results[name] = await new Function(`return ${source}`)()(engine);
        await engine.close();
      }
      return results;
    },
    { operations: Object.entries(OPERATIONS).map(([name, operation]) => [name, String(operation)]) },
  );
  assert.deepEqual(answers, OPEN);
});
