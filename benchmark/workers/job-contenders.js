// The job queues that are compared. Packages are loaded when a contender opens.

/** @typedef {import('../harness/types.js').Contender} Contender */

/** The type of all jobs. */
const TYPE = 'job';

/** @type {Contender} */
const hotpath = {
  package: 'hotpath',
  options: ({ workers }) => ({ maxConcurrentJobs: workers }),
  open(options) {
    const { AsyncProcessingEngine } = require('../../lib/workers/index.js');
    const engine = new AsyncProcessingEngine(options);
    return {
      pause: () => engine.pause(),
      resume: () => engine.resume(),
      process: (/** @type {(data: any) => any} */ processor) => engine.registerProcessor(TYPE, processor),
      add: (/** @type {any} */ data, /** @type {number} */ priority) => engine.submitJob(TYPE, data, { priority }),
      close: () => engine.close(),
    };
  },
};

/** In memory, with priorities, and without retries, progress or cancellation of what runs. @type {Contender} */
const pQueue = {
  package: 'p-queue',
  options: ({ workers }) => ({ concurrency: workers }),
  async open(options) {
    const { default: PQueue } = await import('p-queue');
    const queue = new PQueue(options);
    /** @type {(data: any) => any} */
    let processor = () => {};
    return {
      pause: () => queue.pause(),
      resume: () => queue.start(),
      process(/** @type {(data: any) => any} */ given) {
        processor = given;
      },
      add: (/** @type {any} */ data, /** @type {number} */ priority) => queue.add(() => processor(data), { priority }),
      close: () => queue.clear(),
    };
  },
};

/** In Redis. @type {Contender} */
const bullmq = {
  package: 'bullmq',
  options: ({ workers }) => ({ concurrency: workers }),
  open({ port, ...options }) {
    const { Queue, Worker } = require('bullmq');
    const connection = { host: '127.0.0.1', port: /** @type {number} */ (port), maxRetriesPerRequest: null };
    const queue = new Queue(TYPE, { connection });
    /** @type {any} */
    let worker;
    return {
      pause: () => {},
      process(/** @type {(data: any) => any} */ processor) {
        const limits = { removeOnComplete: { count: 1000 }, autorun: false };
        worker = new Worker(TYPE, async (job) => processor(job.data), { connection, ...options, ...limits });
        worker.on('error', () => {});
      },
      resume: () => void worker.run(),
      add: (/** @type {any} */ data) => queue.add(TYPE, data),
      async close() {
        await worker?.close();
        await queue.close();
      },
    };
  },
};

module.exports = { hotpath, pQueue, bullmq };
