const { spreadOf } = require('../harness/statistics.js');
const { formatSpread } = require('./format.js');
const { measuredCases } = require('./cases.js');
const { wordsOf } = require('./verdict.js');

/**
 * @param {import('../harness/types.js').Trial} trial
 * @param {import('../harness/types.js').TrialResult} result
 */
function describeResult(trial, result) {
  const lines = measuredCases(trial, result).flatMap((name) => [
    `  ${trial.cases[name].title}`,
    ...Object.entries(result.cases[name].contenders).map(
      ([contender, { measures }]) => `    ${contender.padEnd(24)} ${figures(trial, measures)}`,
    ),
  ]);
  return [`${trial.name}: ${trial.title}`, ...lines].join('\n');
}

/**
 * @param {import('../harness/types.js').Trial} trial
 * @param {Record<string, number[]>} measures
 */
function figures(trial, measures) {
  return Object.entries(trial.measures)
    .map(([key, { label, unit }]) => `${label} ${formatSpread(spreadOf(measures[key]), unit)}`)
    .join(' | ');
}

/**
 * @param {import('../harness/types.js').Trial} trial
 * @param {import('../harness/types.js').Verdict} verdict
 */
function describeVerdict(trial, verdict) {
  const words = wordsOf(trial, verdict);
  return `${words.verdict}: ${words.what}, against ${words.against}: ${words.measured}; floor ${words.floor}`;
}

module.exports = { describeResult, describeVerdict };
