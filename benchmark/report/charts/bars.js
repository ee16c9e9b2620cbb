const { spreadOf } = require('../../harness/statistics.js');
const { measuredCases } = require('../cases.js');
const { formatFigure, formatTick } = require('../format.js');
const { panels, TEXT } = require('./drawing.js');

const BAR = 16;
const GAP = 6;

/** @typedef {import('../../harness/types.js').Measure} Measure */
/** @typedef {import('../../harness/types.js').Spread} Spread */

/**
 * Medians as bars, with a whisker from the least round to the greatest. Each charted measure has a panel of its own,
 * since their scales differ.
 *
 * @param {import('../../harness/types.js').Trial} trial
 * @param {import('../../harness/types.js').TrialResult} result
 */
function barChart(trial, result) {
  const cases = measuredCases(trial, result);
  const titles = cases.map((name) => trial.cases[name].title);
  const contenders = Object.keys(trial.contenders);
  const measures = Object.entries(trial.measures).filter(([, measure]) => measure.chart);
  const left = 30 + 7 * Math.max(...titles.map((title) => title.length));
  return {
    height: 130 + cases.length * (contenders.length * (BAR + GAP) + 20),
    option: {
      grid: panels(measures.length, { left, gap: 80, top: 74 }),
      xAxis: measures.map(([, measure], panel) => valueAxis(measure, panel)),
      yAxis: measures.map((_, panel) => caseAxis(titles, panel)),
      series: measures.flatMap(([key, measure], panel) => {
        const spreads = contenders.map((name) =>
          cases.map((each) => spreadOf(result.cases[each].contenders[name].measures[key])),
        );
        return [
          ...contenders.map((name, place) => bars(name, panel, spreads[place])),
          ...contenders.map((_, place) => {
            const offset = (place - (contenders.length - 1) / 2) * (BAR + GAP);
            return whiskers(panel, spreads[place], offset, measure);
          }),
        ];
      }),
    },
  };
}

/**
 * @param {Measure} measure
 * @param {number} gridIndex
 */
function valueAxis({ label, unit, better }, gridIndex) {
  return {
    gridIndex,
    type: 'value',
    name: `${label}\n(${better} is better)`,
    nameLocation: 'middle',
    nameGap: 24,
    nameTextStyle: { ...TEXT, lineHeight: 15 },
    splitNumber: 3,
    axisLabel: { ...TEXT, hideOverlap: true, formatter: (/** @type {number} */ value) => formatTick(value, unit) },
  };
}

/**
 * @param {string[]} titles
 * @param {number} gridIndex
 */
function caseAxis(titles, gridIndex) {
  return {
    gridIndex,
    type: 'category',
    inverse: true,
    data: titles,
    axisLabel: { ...TEXT, show: gridIndex === 0 },
    axisTick: { show: false },
  };
}

/**
 * @param {string} name
 * @param {number} panel
 * @param {Spread[]} spreads
 */
function bars(name, panel, spreads) {
  return {
    name,
    type: 'bar',
    xAxisIndex: panel,
    yAxisIndex: panel,
    barWidth: BAR,
    barGap: `${(100 * GAP) / BAR}%`,
    data: spreads.map(({ median }) => median),
  };
}

/**
 * The whiskers over a contender's bars, and the medians in figures beyond both.
 *
 * @param {number} panel
 * @param {Spread[]} spreads
 * @param {number} offset of the contender's bar from the middle of its case, in pixels
 * @param {Measure} measure
 */
function whiskers(panel, spreads, offset, { unit }) {
  return {
    type: 'custom',
    xAxisIndex: panel,
    yAxisIndex: panel,
    data: spreads.map(({ min, max }, index) => [min, max, index]),
    encode: { x: [0, 1], y: 2 },
    renderItem(/** @type {{ dataIndex: number }} */ { dataIndex }, /** @type {any} */ api) {
      const [from, middle] = api.coord([api.value(0), api.value(2)]);
      const [to] = api.coord([api.value(1), api.value(2)]);
      const y = middle + offset;
      const text = formatFigure(spreads[dataIndex].median, unit);
      return {
        type: 'group',
        children: [
          { type: 'line', shape: { x1: from, x2: to, y1: y, y2: y }, style: { stroke: '#000000', lineWidth: 2 } },
          { type: 'text', x: to + 6, y, style: { ...TEXT, text, fill: TEXT.color, verticalAlign: 'middle' } },
        ],
      };
    },
  };
}

module.exports = { barChart };
