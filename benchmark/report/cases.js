/**
 * The cases that a result holds, in the trial's order.
 *
 * @param {import('../harness/types.js').Trial} trial
 * @param {import('../harness/types.js').TrialResult} result
 */
const measuredCases = (trial, result) => Object.keys(trial.cases).filter((name) => name in result.cases);

module.exports = { measuredCases };
