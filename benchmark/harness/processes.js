const { fork } = require('node:child_process');
const path = require('node:path');

const CHILD = path.join(__dirname, 'child.js');

/** No trial comes near it; a contender that hangs must not hang the run. */
const LIMIT_MS = 10 * 60_000;

/**
 * Does a job in a process of its own, so that no contender warms, fills or deoptimises another's.
 *
 * @param {import('./types.js').Job} job
 * @param {string[]} nodeOptions
 * @returns {Promise<any>} what the trial's function returned
 */
function inProcess(job, nodeOptions = []) {
  return new Promise((resolve, reject) => {
    /** @type {any} */
    let outcome;
    let complaints = '';
    const child = fork(CHILD, [JSON.stringify(job)], {
      execArgv: nodeOptions,
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
      timeout: LIMIT_MS,
      killSignal: 'SIGKILL',
    });
    child.stderr?.on('data', (chunk) => {
      complaints = (complaints + chunk).slice(-4000);
    });
    child.on('message', (message) => {
      outcome = message;
    });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === 0 && outcome !== undefined) return resolve(outcome);
      const end = signal ? `was ended by ${signal}` : `exited with code ${code}`;
      reject(new Error(`${job.contender} (${job.action}, case ${job.case}) ${end}\n${complaints}`.trim()));
    });
  });
}

module.exports = { inProcess };
