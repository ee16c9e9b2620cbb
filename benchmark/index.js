const { availableParallelism } = require('node:os');
const { readCommandLine, USAGE } = require('./harness/command-line.js');
const { findTrials } = require('./harness/trials.js');
const { runTrial } = require('./harness/run.js');
const { judge } = require('./harness/verdicts.js');
const { describeResult, describeVerdict } = require('./report/console.js');
const { saveResult } = require('./report/results.js');
const { publish, renderAll } = require('./report/publish.js');
const QUICK_SET = require('./quick-set.js');

/** @typedef {ReturnType<typeof readCommandLine>} CommandLine */

async function main() {
  const commandLine = readCommandLine(process.argv.slice(2));
  if (commandLine.help) return console.log(USAGE);
  if (commandLine.headline) await require('./headline/headline.js').headline();
  else if (!commandLine.render) await runAll(commandLine);
  if (commandLine.mode !== 'smoke') publish();
}

/** @param {CommandLine} commandLine */
async function runAll({ mode, only, enforce }) {
  /** @type {import('./harness/types.js').TrialResult[]} */
  const results = [];
  /** @type {import('./harness/types.js').Verdict[]} */
  const missed = [];
  const run = async (/** @type {import('./harness/types.js').FoundTrial} */ trial) => {
    const started = Date.now();
    const result = await runOne(trial, mode);
    if (!result) return;
    results.push(result);
    console.log(`\n${describeResult(trial, result)}`);
    console.log(`  answers equal; took ${Math.round((Date.now() - started) / 1000)} s`);
    // At the size of a smoke test the figures mean nothing.
    if (mode === 'smoke') return;
    const verdicts = judge(trial, result);
    for (const verdict of verdicts) console.log(`  ${describeVerdict(trial, verdict)}`);
    missed.push(...verdicts.filter((verdict) => !verdict.met));
    saveResult(result);
  };
  const names = only.length === 0 && mode === 'quick' ? QUICK_SET : only;
  // One after the other where something is measured.
  await eachOf(findTrials(names), mode === 'smoke' ? availableParallelism() : 1, run);
  if (mode === 'smoke') renderAll(results);
  console.log(`\nTrials completed: ${results.length}. Floors missed: ${missed.length}.`);
  if (enforce && missed.length > 0) process.exitCode ||= 2;
}

/**
 * @template T
 * @param {T[]} items
 * @param {number} atATime
 * @param {(item: T) => Promise<void>} work
 */
async function eachOf(items, atATime, work) {
  const left = items.values();
  const lane = async () => {
    for (const item of left) await work(item);
  };
  await Promise.all(Array.from({ length: atATime }, lane));
}

/**
 * A trial that fails does not keep the others from running; the exit code tells.
 *
 * @param {import('./harness/types.js').FoundTrial} trial
 * @param {import('./harness/types.js').Mode} mode
 */
async function runOne(trial, mode) {
  try {
    return await runTrial(trial, mode);
  } catch (error) {
    console.error(`\n${trial.name} FAILED: ${error instanceof Error ? error.message : error}`);
    process.exitCode = 1;
  }
}

main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
