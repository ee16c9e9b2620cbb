const { advantage } = require('../harness/statistics.js');
const { subjectOf } = require('../harness/trials.js');
const { measuredCases } = require('./cases.js');
const { formatFigure } = require('./format.js');

/**
 * Every measure in which another package did better than hotpath: nobody has to look for them.
 *
 * @param {import('./page.js').Entry[]} entries
 */
function losses(entries) {
  const lines = entries.flatMap(lossesIn);
  return lines.length === 0 ? 'In nothing measured here.' : lines.join('\n');
}

/** @param {import('./page.js').Entry} entry */
function lossesIn({ trial, result }) {
  const subject = subjectOf(trial);
  const peers = Object.keys(trial.contenders).filter((name) => trial.contenders[name].package !== 'hotpath');
  return measuredCases(trial, result).flatMap((name) =>
    peers.flatMap((peer) =>
      Object.entries(trial.measures).flatMap(([key, measure]) => {
        const { contenders } = result.cases[name];
        const { median } = advantage(measure, contenders[subject].measures[key], contenders[peer].measures[key]);
        if (measure.detail || median >= 1) return [];
        const factor = formatFigure(1 / median, 'ratio');
        return [`- ${trial.title}, ${trial.cases[name].title}: ${peer} is ${factor} better in ${measure.label}.`];
      }),
    ),
  );
}

module.exports = { losses };
