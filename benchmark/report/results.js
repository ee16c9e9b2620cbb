const fs = require('node:fs');
const path = require('node:path');

const FOLDER = path.join(__dirname, '..', 'results');

/**
 * Keeps a result. Cases that this run left out stay as they were, if they were measured on the same machine with the
 * same versions at the same size; else they go, since one page must not mix them.
 *
 * @param {import('../harness/types.js').TrialResult} result
 */
function saveResult(result) {
  const before = readResults().find((each) => each.trial === result.trial);
  const kept = before && sameConditions(before, result) ? before.cases : {};
  fs.mkdirSync(FOLDER, { recursive: true });
  const merged = { ...result, cases: { ...kept, ...result.cases } };
  fs.writeFileSync(path.join(FOLDER, `${result.trial}.json`), `${JSON.stringify(merged, undefined, 2)}\n`);
}

/**
 * @param {import('../harness/types.js').TrialResult} one
 * @param {import('../harness/types.js').TrialResult} other
 */
function sameConditions(one, other) {
  /** @param {import('../harness/types.js').TrialResult} result */
  const conditions = ({ mode, machine, versions }) => JSON.stringify([mode, machine, versions]);
  return conditions(one) === conditions(other);
}

/** @returns {import('../harness/types.js').TrialResult[]} */
function readResults() {
  if (!fs.existsSync(FOLDER)) return [];
  return fs
    .readdirSync(FOLDER)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => JSON.parse(fs.readFileSync(path.join(FOLDER, file), 'utf8')));
}

module.exports = { saveResult, readResults };
