const { barChart } = require('./bars.js');
const { draw } = require('./drawing.js');
const { lineChart } = require('./lines.js');

/**
 * A trial's chart: lines along the run if it declares them, else bars.
 *
 * @param {import('../../harness/types.js').Trial} trial
 * @param {import('../../harness/types.js').TrialResult} result
 * @returns {string} SVG
 */
function chart(trial, result) {
  return draw(trial, trial.lines ? lineChart(trial, result) : barChart(trial, result));
}

module.exports = { chart };
