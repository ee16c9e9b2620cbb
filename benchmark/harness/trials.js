const fs = require('node:fs');
const path = require('node:path');

const ROOT = path.join(__dirname, '..');

/**
 * The trials of every area: of each folder whose index lists some. In `only`, `name` selects a trial and `name/case` one
 * case of it.
 *
 * @param {string[]} [only]
 * @returns {import('./types.js').FoundTrial[]}
 */
function findTrials(only = []) {
  const trials = fs
    .readdirSync(ROOT)
    .filter((area) => fs.existsSync(path.join(ROOT, area, 'index.js')))
    .flatMap(trialsOf);
  const names = trials.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  // Results are kept by name.
  if (twice) throw new Error(`Two trials are called ${twice}`);
  if (only.length === 0) return trials;
  return only.map((wanted) => select(trials, wanted));
}

/** @param {string} area */
function trialsOf(area) {
  /** @type {string[]} */
  const names = require(path.join(ROOT, area));
  return names.map((name) => loadTrial(path.join(ROOT, area, `${name}.trial.js`)));
}

/** @param {string} file */
function loadTrial(file) {
  return { ...require(file), area: path.basename(path.dirname(file)), file };
}

/**
 * @param {import('./types.js').FoundTrial[]} trials
 * @param {string} wanted
 */
function select(trials, wanted) {
  const [name, caseName] = wanted.split('/');
  const trial = trials.find((candidate) => candidate.name === name);
  if (!trial || (caseName !== undefined && !(caseName in trial.cases))) {
    const known = trials.map((candidate) => candidate.name).join(', ');
    throw new Error(`There is no trial "${wanted}". Known: ${known}`);
  }
  return caseName === undefined ? trial : { ...trial, cases: { [caseName]: trial.cases[caseName] } };
}

/**
 * @param {import('./types.js').Trial} trial
 * @param {string} caseName
 * @param {import('./types.js').Mode} mode
 * @returns {import('./types.js').Settings}
 */
function settingsOf(trial, caseName, mode) {
  return { ...trial.settings[mode], ...trial.cases[caseName].settings };
}

/**
 * The contender whose floors are judged.
 *
 * @param {import('./types.js').Trial} trial
 */
function subjectOf(trial) {
  return Object.keys(trial.contenders)[0];
}

/**
 * What a trial's functions work with; made anew from the job in each process and worker thread.
 *
 * @param {import('./types.js').Job} job
 * @returns {import('./types.js').Context}
 */
function contextOf(job) {
  const trial = loadTrial(job.file);
  const settings = /** @type {Required<import('./types.js').Settings>} */ (settingsOf(trial, job.case, job.mode));
  const contender = /** @type {Required<import('./types.js').Contender>} */ (trial.contenders[job.contender]);
  return { job, contender, settings, open: () => contender.open(contender.options(settings)) };
}

module.exports = { findTrials, loadTrial, settingsOf, subjectOf, contextOf };
