const fs = require('node:fs');
const path = require('node:path');
const { findTrials } = require('../harness/trials.js');
const { chart } = require('./charts');
const { page } = require('./page.js');
const { withFigures } = require('./readme.js');
const { readResults } = require('./results.js');

const ROOT = path.join(__dirname, '..', '..');
const README = path.join(ROOT, 'README.md');

/** Charts lie beside the page, in a folder of their own. */
const CHARTS = 'benchmarks';

/** Writes docs/benchmarks.md, its charts and the README's figures from the kept results. */
function publish() {
  for (const [name, text] of Object.entries(renderAll(readResults()))) {
    const file = path.join(ROOT, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, text);
  }
}

/**
 * @param {import('../harness/types.js').TrialResult[]} results
 * @returns {Record<string, string>} contents by path
 */
function renderAll(results) {
  const entries = findTrials().flatMap((trial) => {
    const result = results.find((each) => each.trial === trial.name);
    return result ? [{ trial, result, chartFile: `${CHARTS}/${trial.name}.svg` }] : [];
  });
  const charts = entries.map(({ trial, result, chartFile }) => [`docs/${chartFile}`, chart(trial, result)]);
  return {
    'docs/benchmarks.md': page(entries),
    'README.md': withFigures(fs.readFileSync(README, 'utf8'), entries),
    ...Object.fromEntries(charts),
  };
}

module.exports = { publish, renderAll };
