const fs = require('node:fs');
const { performance } = require('node:perf_hooks');

/** Where Linux counts the nanoseconds that the main thread has had a processor. */
const SCHEDULE = `/proc/self/task/${process.pid}/schedstat`;

/** Nanoseconds that this thread has worked: on a processor where the system tells, else outside the event loop's wait. */
function worked() {
  try {
    return Number(fs.readFileSync(SCHEDULE, 'utf8').split(' ', 1)[0]);
  } catch {
    return performance.eventLoopUtilization().active * 1e6;
  }
}

/**
 * Times asynchronous operations of which always so many are under way, in nanoseconds an operation, after a warm-up of a
 * fifth of them.
 *
 * @param {{ operations: number, inFlight: number }} size
 * @param {(index: number) => Promise<number>} ask one operation; what it read goes into the number
 */
async function inFlight(size, ask) {
  await round({ ...size, operations: Math.ceil(size.operations / 5) }, ask);
  return round(size, ask);
}

/** @param {{ operations: number, inFlight: number }} size @param {(index: number) => Promise<number>} ask */
async function round({ operations, inFlight: lanes }, ask) {
  let next = 0;
  let checksum = 0;
  const lane = async () => {
    while (next < operations) {
      // Not `+=` on what is awaited: the sum would be read before the wait, and other lanes add to it meanwhile.
      const read = await ask(next++);
      checksum += read;
    }
  };
  const processorBefore = process.cpuUsage();
  const workedBefore = worked();
  const before = process.hrtime.bigint();
  await Promise.all(Array.from({ length: lanes }, lane));
  const elapsed = Number(process.hrtime.bigint() - before);
  const mainThread = worked() - workedBefore;
  const processor = process.cpuUsage(processorBefore);
  return {
    measures: {
      time: elapsed / operations,
      mainThread: mainThread / operations,
      processor: ((processor.user + processor.system) * 1000) / operations,
    },
    checksum,
  };
}

/** The measures that `inFlight` fills. @type {(what: string) => Record<string, import('./types.js').Measure>} */
const inFlightMeasures = (what) => ({
  time: { label: `time per ${what}`, unit: 'nanoseconds', better: 'lower', chart: true },
  mainThread: { label: `time of the main thread per ${what}`, unit: 'nanoseconds', better: 'lower', chart: true },
  processor: { label: `processor time of the client per ${what}`, unit: 'nanoseconds', better: 'lower', detail: true },
});

module.exports = { inFlight, inFlightMeasures };
