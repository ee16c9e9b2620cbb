const { formatSpread } = require('./format.js');

/** @typedef {import('../harness/types.js').Trial} Trial */
/** @typedef {import('../harness/types.js').Verdict} Verdict */

/**
 * A verdict in words, for the console and for the page.
 *
 * @param {Trial} trial
 * @param {Verdict} verdict
 */
function wordsOf(trial, { floor, case: caseName, spread, met, moonshotMet }) {
  const { label } = trial.measures[floor.measure];
  const bound = floor.atMost === undefined ? `at least ${floor.atLeast}x` : `at most ${floor.atMost}x`;
  return {
    what: `${label}, ${trial.cases[caseName].title}`,
    against: floor.against ?? 'itself',
    measured: formatSpread(spread, 'ratio'),
    floor: floor.moonshot === undefined ? bound : `${bound} (moonshot ${floor.moonshot}x)`,
    verdict: met ? (moonshotMet ? 'met, moonshot too' : 'met') : 'MISSED',
  };
}

module.exports = { wordsOf };
