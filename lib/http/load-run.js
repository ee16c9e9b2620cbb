'use strict';

// One load test under way: native threads do it, this thread looks in now and then.

const native = require('../native.js');
const { pending } = require('../environment.js');
const { HotpathAbortError } = require('../errors.js');
const { ProgressBar } = require('./progress-bar.js');

const EMPTY = Buffer.alloc(0);

/**
 * Runs a plan to its end, or until it is stopped, and gives what was found out.
 * @param {{ plan: object, body?: Buffer, share: (figures: any) => number }} test `share` tells how much of it is done
 * @param {object} watching
 * @param {AbortSignal | undefined} watching.signal
 * @param {NodeJS.WriteStream | undefined} watching.progressBar
 * @param {number} watching.intervalMs
 * @param {(figures: any) => void} watching.onProgress
 * @param {(stop: () => void) => void} watching.onStart gets what ends it early
 * @returns {Promise<any>}
 */
async function runPlan({ plan, body = EMPTY, share }, { signal, progressBar, intervalMs, onProgress, onStart }) {
  if (signal?.aborted) throw new HotpathAbortError('The load test was aborted', { cause: signal.reason });
  /** @type {number | undefined} */
  let run;
  const report = pending(
    (operation) => {
      run = native.startLoad(operation, JSON.stringify(plan), body);
    },
    (text) => JSON.parse(text),
  );
  // Refused: the rejection says why.
  if (run === undefined) return report;
  const stop = () => native.stopLoad(run);
  onStart(stop);
  signal?.addEventListener('abort', stop, { once: true });
  const bar = progressBar && new ProgressBar(progressBar);
  const look = () => {
    const figures = JSON.parse(native.loadProgress(run));
    const seen = { ...figures, progress: Math.min(1, share(figures)) };
    bar?.show(seen);
    onProgress(seen);
  };
  const timer = setInterval(look, intervalMs);
  try {
    return await report;
  } finally {
    clearInterval(timer);
    signal?.removeEventListener('abort', stop);
    bar?.clear();
    native.releaseLoad(run);
  }
}

module.exports = { runPlan };
