const { once } = require('node:events');
const { Worker, parentPort, workerData } = require('node:worker_threads');
const { contextOf } = require('./trials.js');

/**
 * Worker threads that go through phases together.
 *
 * @param {string} file a worker that calls `servePhases`
 * @param {number} count
 * @param {import('./types.js').Job} job
 */
async function startThreads(file, count, job) {
  const gate = new SharedArrayBuffer(4);
  const workers = Array.from({ length: count }, () => new Worker(file, { workerData: { job, gate, count } }));
  await Promise.all(workers.map((worker) => once(worker, 'online')));
  return {
    /**
     * @param {string} name
     * @returns {Promise<any[]>} what each thread's phase returned
     */
    phase(name) {
      return Promise.all(
        workers.map(async (worker) => {
          const reply = once(worker, 'message');
          worker.postMessage(name);
          return (await reply)[0];
        }),
      );
    },
    stop: () => Promise.all(workers.map((worker) => worker.terminate())),
  };
}

/**
 * The worker's side: answers each phase that the parent names. An error ends the thread, and with it the trial.
 *
 * @param {(context: import('./types.js').Context) => Record<string, () => any>} phasesFor
 */
function servePhases(phasesFor) {
  const phases = phasesFor(contextOf(workerData.job));
  parentPort?.on('message', async (name) => parentPort?.postMessage(await phases[name]()));
}

/** Holds each thread until all have come, then lets them go at once; a gate opens one time only. */
function passGate() {
  const gate = new Int32Array(workerData.gate);
  const arrived = Atomics.add(gate, 0, 1) + 1;
  if (arrived === workerData.count) Atomics.notify(gate, 0);
  else Atomics.wait(gate, 0, arrived);
  while (Atomics.load(gate, 0) < workerData.count);
}

/**
 * The answer of all threads, which has to be one.
 *
 * @template T
 * @param {T[]} answers
 */
function unanimous(answers) {
  if (new Set(answers).size > 1) throw new Error(`Threads disagree: ${answers.join(', ')}`);
  return answers[0];
}

module.exports = { startThreads, servePhases, passGate, unanimous };
