'use strict';

// The same queue in three places, for the contract suite.

const { temporaryDirectory } = require('./pools');
const { waitFor } = require('./wait');

let lastName = 0;

/** A name that no other test uses. */
function freshName() {
  lastName += 1;
  return `jobs-${process.pid}-${lastName}`;
}

/**
 * Ways to open a queue, by name. Each gives a function that opens further handles on the same queue.
 * @param {() => { port: number }} redis
 */
function backends(redis) {
  return {
    memory: () => {
      const name = freshName();
      return (options) => ({ name, ...options });
    },
    store: (t) => {
      const store = temporaryDirectory(t);
      return (options) => ({ store, ...options });
    },
    bullmq: () => {
      const name = freshName();
      const connection = { host: '127.0.0.1', port: redis().port };
      return (options) => ({ backend: 'bullmq', name, connection, ...options });
    },
  };
}

/** A handle that is recounted and closed when the test ends. */
function openJobs(t, options) {
  const { AsyncProcessingEngine } = require('../..');
  const engine = new AsyncProcessingEngine({ retryDelay: 5, ...options });
  t.after(async () => {
    if (!engine.closed) engine.validate();
    await engine.destroy();
  });
  return engine;
}

/** Waits until a job has a status, and gives the job. */
async function jobIn(engine, jobId, ...statuses) {
  return waitFor(
    async () => {
      const job = await engine.getJob(jobId);
      return statuses.includes(job?.status) && job;
    },
    { what: `job ${jobId} to be ${statuses.join(' or ')}` },
  );
}

/** What an engine tells, as [event, details] in order. */
function heard(engine, ...events) {
  const list = [];
  for (const event of events) engine.on(event, (details) => list.push([event, details]));
  return list;
}

module.exports = { backends, freshName, openJobs, jobIn, heard };
