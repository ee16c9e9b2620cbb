const { setImmediate: turn } = require('node:timers/promises');

/** Operations between two turns of the event loop: a server's timers and completions get their say, as in an application. */
const SLICE = 10_000;

/**
 * Times a loop, in nanoseconds an operation. All of it counts: garbage collection, the turns of the event loop, and,
 * as processor time, what native threads do meanwhile.
 *
 * @param {{ operations: number, slice?: number }} size
 * @param {(from: number, to: number) => number} body runs operations `from` up to, but not including, `to`; what it
 *   read goes into the number it returns, or the compiler could drop the reads
 */
async function timed({ operations, slice = SLICE }, body) {
  let checksum = 0;
  const processorBefore = process.cpuUsage();
  const before = process.hrtime.bigint();
  for (let from = 0; from < operations; from += slice) {
    checksum += body(from, Math.min(from + slice, operations));
    await turn();
  }
  const elapsed = Number(process.hrtime.bigint() - before);
  const processor = process.cpuUsage(processorBefore);
  return {
    measures: {
      time: elapsed / operations,
      processor: ((processor.user + processor.system) * 1000) / operations,
    },
    checksum,
  };
}

/**
 * Times a loop after a warm-up, a fifth of it unless the trial asks for another.
 *
 * @param {{ operations: number, slice?: number, warmUp?: number }} size
 * @param {(from: number, to: number) => number} body
 */
async function timedWarm(size, body) {
  await timed({ ...size, operations: size.warmUp ?? Math.ceil(size.operations / 5) }, body);
  return timed(size, body);
}

/** The measures that `timed` fills. @type {(what: string) => Record<string, import('./types.js').Measure>} */
const timeMeasures = (what) => ({
  time: { label: `time per ${what}`, unit: 'nanoseconds', better: 'lower', chart: true },
  processor: { label: `processor time per ${what}`, unit: 'nanoseconds', better: 'lower', detail: true },
});

module.exports = { timed, timedWarm, timeMeasures, turn };
