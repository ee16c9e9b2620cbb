const { spreadOf } = require('../harness/statistics.js');
const { subjectOf } = require('../harness/trials.js');
const { judge } = require('../harness/verdicts.js');
const { formatFigure } = require('./format.js');
const { table } = require('./table.js');

/** Where the README wants its table. */
const PLACE = /(<!-- figures -->\n)[\s\S]*?(<!-- \/figures -->)/;

/**
 * The README with the headline figures in their place.
 *
 * @param {string} readme
 * @param {import('./page.js').Entry[]} entries
 */
function withFigures(readme, entries) {
  const rows = entries.flatMap(headlines);
  if (rows.length === 0) return readme;
  const figures = table(['', 'hotpath', 'compared with', 'ratio'], rows);
  return readme.replace(PLACE, (_, opening, closing) => `${opening}\n${figures}\n\n${closing}`);
}

/** @param {import('./page.js').Entry} entry */
function headlines({ trial, result }) {
  return judge(trial, result).flatMap(({ floor, case: caseName, spread }) => {
    if (floor.headline === undefined || floor.against === undefined) return [];
    const { contenders } = result.cases[caseName];
    const figure = (/** @type {string} */ name) =>
      formatFigure(spreadOf(contenders[name].measures[floor.measure]).median, trial.measures[floor.measure].unit);
    return [
      [
        floor.headline,
        figure(subjectOf(trial)),
        `${figure(floor.against)} (${floor.against})`,
        `**${formatFigure(spread.median, 'ratio')}**`,
      ],
    ];
  });
}

module.exports = { withFigures };
