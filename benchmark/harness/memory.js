const { PerformanceObserver } = require('node:perf_hooks');
const { setTimeout: wait } = require('node:timers/promises');
const { turn } = require('./timing.js');

/**
 * Flags for processes whose memory is compared over time: they can be told to collect, and their nursery is small. Left
 * alone it grows by tens of megabytes when and as V8 likes, which would count as data.
 */
const STEADY = ['--expose-gc', '--max-semi-space-size=1'];

/** Collects all garbage now; the process runs with --expose-gc. */
function collect() {
  if (typeof globalThis.gc !== 'function') throw new Error('This trial needs --expose-gc among its nodeOptions');
  globalThis.gc();
}

/**
 * Watches the pauses of the garbage collector. Entries are delivered between turns of the event loop, so a loop that is
 * watched has to yield.
 */
function watchPauses() {
  let longest = 0;
  let total = 0;
  const observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) {
      longest = Math.max(longest, duration);
      total += duration;
    }
  });
  observer.observe({ entryTypes: ['gc'] });
  return {
    /** @returns {Promise<{ longest: number, total: number }>} milliseconds */
    async stop() {
      await turn();
      await turn();
      observer.disconnect();
      return { longest, total };
    },
  };
}

/** How long one full collection stops the thread, in milliseconds. */
function fullCollection() {
  const before = process.hrtime.bigint();
  collect();
  return Number(process.hrtime.bigint() - before) / 1e6;
}

/** The resident set once it no longer shrinks: freed pages go back to the system in the background. */
async function settledResidentSet() {
  let lowest = process.memoryUsage.rss();
  for (let still = 0; still < 5; still += 1) {
    await wait(20);
    const now = process.memoryUsage.rss();
    if (now < lowest) still = 0;
    lowest = Math.min(lowest, now);
  }
  return lowest;
}

module.exports = { STEADY, collect, watchPauses, fullCollection, settledResidentSet };
