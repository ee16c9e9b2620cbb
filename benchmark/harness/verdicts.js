const { spreadOf, advantage, inverse } = require('./statistics.js');
const { subjectOf } = require('./trials.js');

/**
 * Judges a trial's floors on the cases that a result holds.
 *
 * @param {import('./types.js').Trial} trial
 * @param {import('./types.js').TrialResult} result
 * @returns {import('./types.js').Verdict[]}
 */
function judge(trial, result) {
  return trial.floors.flatMap((floor) =>
    Object.keys(result.cases)
      .filter((name) => floor.case === undefined || floor.case === name)
      .map((name) => verdictOn(trial, floor, name, result.cases[name].contenders)),
  );
}

/**
 * @param {import('./types.js').Trial} trial
 * @param {import('./types.js').Floor} floor
 * @param {string} caseName
 * @param {Record<string, import('./types.js').ContenderResult>} contenders
 * @returns {import('./types.js').Verdict}
 */
function verdictOn(trial, floor, caseName, contenders) {
  const spread = judgedValue(trial, floor, contenders);
  const reaches = (/** @type {number} */ bound) =>
    floor.atMost === undefined ? spread.median >= bound : spread.median <= bound;
  return {
    floor,
    case: caseName,
    spread,
    met: reaches(/** @type {number} */ (floor.atMost ?? floor.atLeast)),
    moonshotMet: floor.moonshot === undefined ? undefined : reaches(floor.moonshot),
  };
}

/**
 * @param {import('./types.js').Trial} trial
 * @param {import('./types.js').Floor} floor
 * @param {Record<string, import('./types.js').ContenderResult>} contenders
 */
function judgedValue(trial, floor, contenders) {
  const own = contenders[subjectOf(trial)].measures[floor.measure];
  if (floor.against === undefined) return spreadOf(own);
  const peer = contenders[floor.against].measures[floor.measure];
  const better = advantage(trial.measures[floor.measure], own, peer);
  return floor.atMost === undefined ? better : inverse(better);
}

module.exports = { judge };
