const { spreadOf } = require('../../harness/statistics.js');
const { subjectOf } = require('../../harness/trials.js');
const { measuredCases } = require('../cases.js');
const { formatTick } = require('../format.js');
const { panels, TEXT } = require('./drawing.js');

/**
 * Medians of the declared series along the run, one panel each.
 *
 * @param {import('../../harness/types.js').Trial} trial
 * @param {import('../../harness/types.js').TrialResult} result
 */
function lineChart(trial, result) {
  const { x, series } = /** @type {NonNullable<typeof trial.lines>} */ (trial.lines);
  const { contenders } = result.cases[measuredCases(trial, result)[0]];
  const drawn = Object.entries(series);
  const points = medians(contenders[subjectOf(trial)].series?.[drawn[0][0]] ?? []);
  return {
    height: 340,
    option: {
      grid: panels(drawn.length, { left: 70, gap: 80, top: 96 }),
      xAxis: drawn.map((_, gridIndex) => ({
        gridIndex,
        type: 'category',
        data: points.map((_, index) => index + 1),
        name: x,
        nameLocation: 'middle',
        nameGap: 30,
        nameTextStyle: TEXT,
        axisLabel: TEXT,
      })),
      yAxis: drawn.map(([, { label, unit }], gridIndex) => ({
        gridIndex,
        type: 'value',
        name: label,
        nameTextStyle: TEXT,
        axisLabel: { ...TEXT, formatter: (/** @type {number} */ value) => formatTick(value, unit) },
      })),
      series: drawn.flatMap(([key], panel) =>
        Object.entries(contenders).map(([name, contender]) => ({
          name,
          type: 'line',
          xAxisIndex: panel,
          yAxisIndex: panel,
          data: medians(contender.series?.[key] ?? []),
        })),
      ),
    },
  };
}

/** @param {number[][]} rounds */
const medians = (rounds) => rounds[0].map((_, at) => spreadOf(rounds.map((round) => round[at])).median);

module.exports = { lineChart };
