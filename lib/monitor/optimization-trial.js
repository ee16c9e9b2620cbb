'use strict';

// A change on trial: measured before, made, measured after, and kept only if the measurements speak for it.
//
// Both measurements last equally long, with a slice between them that does not count, and are cut into slices; each slice gives one number. Welch's test says whether the
// two sets of numbers differ by more than chance.

const { pause } = require('./clock.js');
const { mean, welch } = require('./statistics.js');

/** From here on a difference is taken for real. */
const SIGNIFICANCE = 0.05;

/**
 * What has been counted so far: slices are made of the differences of two readings. A `gauge` is a state instead.
 * @typedef {{ sum: number, count: number } | { gauge: number } | undefined} Reading
 */

/**
 * @typedef {object} Proposal
 * @property {string} area
 * @property {string} action
 * @property {string} target
 * @property {string} reason
 * @property {Record<string, [any, any]>} change from, to
 * @property {string} measured
 * @property {string} unit
 * @property {'higher' | 'lower'} better
 * @property {() => Reading} read
 * @property {() => Promise<void> | void} apply
 * @property {() => Promise<void> | void} undo
 * @property {boolean} [frees] costs nothing and gives something back: kept unless it made things worse
 * @property {boolean} [once] not a setting: done, and measured at once before and after
 * @property {number} [leastGain] a smaller improvement is none; in the unit
 * @property {Record<string, number>} evidence
 * @property {'low' | 'medium' | 'high'} severity
 * @property {string} advice
 * @property {boolean} [automatic] false for what only people may do
 */

/** @typedef {{ value: number | null, samples: number, slices: number[] }} Measurement */

/**
 * @param {import('./clock.js').Clock} clock
 * @param {() => Reading} read
 * @param {{ trialMs: number, slices: number }} settings
 * @param {AbortSignal} signal
 * @returns {Promise<Measurement>}
 */
async function measure(clock, read, { trialMs, slices }, signal) {
  const numbers = [];
  let [sum, count] = [0, 0];
  let earlier = read();
  for (let slice = 0; slice < slices && !signal.aborted; slice += 1) {
    await pause(clock, trialMs / slices, signal);
    const now = read();
    const [ofSlice, counted] = difference(earlier, now);
    earlier = now;
    if (counted === 0) continue;
    numbers.push(ofSlice / counted);
    sum += ofSlice;
    count += counted;
  }
  return { value: count === 0 ? null : sum / count, samples: count, slices: numbers };
}

/** @param {Reading} earlier @param {Reading} now @returns {[number, number]} */
function difference(earlier, now) {
  if (now === undefined) return [0, 0];
  if ('gauge' in now) return [now.gauge, 1];
  if (earlier === undefined || 'gauge' in earlier) return [0, 0];
  const count = now.count - earlier.count;
  // After a reset there is less than before.
  return count > 0 && now.sum >= earlier.sum ? [now.sum - earlier.sum, count] : [0, 0];
}

/**
 * @param {Proposal} proposal
 * @param {Measurement} before
 * @param {Measurement} after
 * @param {number} minSamples
 */
function judge({ better, leastGain = 0, read }, before, after, minSamples) {
  const counted = read() !== undefined && !('gauge' in /** @type {object} */ (read()));
  const least = counted ? minSamples : 3;
  const enough = before.samples >= least && after.samples >= least;
  if (!enough || before.slices.length < 3 || after.slices.length < 3) {
    return { verdict: 'too little to tell', pValue: null };
  }
  const pValue = welch(before.slices, after.slices);
  const gain = (mean(after.slices) - mean(before.slices)) * (better === 'higher' ? 1 : -1);
  if (pValue >= SIGNIFICANCE || Math.abs(gain) < leastGain) return { verdict: 'no difference', pValue };
  return { verdict: gain > 0 ? 'improved' : 'worse', pValue };
}

/**
 * Runs a trial to its end and fills in its record.
 * @param {Proposal} proposal
 * @param {any} record
 * @param {{ clock: import('./clock.js').Clock, config: any, signal: AbortSignal }} settings
 */
async function runTrial(proposal, record, { clock, config, signal }) {
  if (proposal.once) return runOnce(proposal, record);
  const before = await measure(clock, proposal.read, config, signal);
  record.before = shown(before);
  if (signal.aborted) return Object.assign(record, { status: 'undone', error: 'ended before the change was made' });
  await proposal.apply();
  // Threads have to start, and caches to fill: what happens at first is no measure of what will be.
  await pause(clock, config.trialMs / config.slices, signal);
  const after = await measure(clock, proposal.read, config, signal);
  record.after = shown(after);
  const { verdict, pValue } = signal.aborted
    ? { verdict: 'too little to tell', pValue: null }
    : judge(proposal, before, after, config.minSamples);
  const keeps = verdict === 'improved' || (proposal.frees === true && verdict !== 'worse' && !signal.aborted);
  if (!keeps) await proposal.undo();
  return Object.assign(record, { verdict, pValue, status: keeps ? 'kept' : 'undone' });
}

/** @param {Proposal} proposal @param {any} record */
async function runOnce({ read, apply, better }, record) {
  const value = (/** @type {Reading} */ reading) =>
    reading !== undefined && 'gauge' in reading ? reading.gauge : null;
  const before = value(read());
  record.before = before === null ? null : { value: before, samples: 1 };
  await apply();
  const after = value(read());
  record.after = after === null ? null : { value: after, samples: 1 };
  let verdict = null;
  if (before !== null && after !== null) {
    const gain = (after - before) * (better === 'higher' ? 1 : -1);
    verdict = gain > 0 ? 'improved' : gain < 0 ? 'worse' : 'no difference';
  }
  return Object.assign(record, { verdict, status: 'done' });
}

/** @param {Measurement} measurement */
function shown({ value, samples }) {
  return value === null ? null : { value, samples };
}

module.exports = { judge, measure, runTrial };
