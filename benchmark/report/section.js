const { advantage, spreadOf } = require('../harness/statistics.js');
const { subjectOf } = require('../harness/trials.js');
const { measuredCases } = require('./cases.js');
const { formatFigure, formatSpread } = require('./format.js');
const { table } = require('./table.js');

/**
 * What a trial did, its chart, its tables, and what the contenders were made with.
 *
 * @param {import('./page.js').Entry} entry
 */
function section({ trial, result, chartFile }) {
  const { run, machine, versions } = conditionsOf(result);
  return [
    `\n## ${trial.title}\n`,
    `${trial.description}\n`,
    `![${trial.title}](${chartFile})\n`,
    `${run}, ${machine}; ${versions}.`,
    ...measuredCases(trial, result).map((name) => caseSection(trial, name, result.cases[name])),
  ].join('\n');
}

/**
 * Under which conditions a result came about, in words.
 *
 * @param {import('../harness/types.js').TrialResult} result
 */
function conditionsOf({ mode, date, machine, versions }) {
  const { cpu, cores, memoryBytes, os, node } = machine;
  return {
    run: `${mode === 'full' ? 'Full' : 'Quick'} run of ${date.slice(0, 10)}`,
    machine: `${cpu}, ${cores} cores, ${Math.round(memoryBytes / 2 ** 30)} GiB, ${os}, Node.js ${node.slice(1)}`,
    versions: Object.entries(versions)
      .map((entry) => entry.join(' '))
      .join(', '),
  };
}

/**
 * @param {import('../harness/types.js').Trial} trial
 * @param {string} name
 * @param {import('../harness/types.js').TrialResult['cases'][string]} measured
 */
function caseSection(trial, name, { settings, contenders }) {
  const subject = subjectOf(trial);
  const measures = Object.entries(trial.measures);
  const head = ['', ...measures.flatMap(([, { label }]) => [label, 'ratio'])];
  const rows = Object.entries(contenders).map(([contender, { measures: values }]) => [
    contender,
    ...measures.flatMap(([key, measure]) => [
      formatSpread(spreadOf(values[key]), measure.unit),
      contender === subject
        ? ''
        : formatFigure(advantage(measure, contenders[subject].measures[key], values[key]).median, 'ratio'),
    ]),
  ]);
  const { rounds, ...sizes } = settings;
  return [
    `\n**${trial.cases[name].title}**, ${rounds} ${rounds === 1 ? 'round' : 'rounds'}\n`,
    `${table(head, rows)}\n`,
    `Settings: \`${JSON.stringify(sizes)}\`\n`,
    ...Object.entries(contenders).map(([contender, { options }]) => `- ${contender}: \`${JSON.stringify(options)}\``),
  ].join('\n');
}

module.exports = { conditionsOf, section };
