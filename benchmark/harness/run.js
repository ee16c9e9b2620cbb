const { inProcess } = require('./processes.js');
const { settingsOf } = require('./trials.js');
const { machine, versionOf } = require('./machine.js');

/**
 * Runs all cases of a trial.
 *
 * @param {import('./types.js').FoundTrial} trial
 * @param {import('./types.js').Mode} mode
 * @returns {Promise<import('./types.js').TrialResult>}
 */
async function runTrial(trial, mode) {
  const packages = new Set(Object.values(trial.contenders).map((contender) => contender.package));
  /** @type {import('./types.js').TrialResult} */
  const result = {
    trial: trial.name,
    area: trial.area,
    mode,
    date: new Date().toISOString(),
    machine: machine(),
    versions: Object.fromEntries([...packages].map((name) => [name, versionOf(name)])),
    cases: {},
  };
  for (const name of Object.keys(trial.cases)) {
    const settings = settingsOf(trial, name, mode);
    await assertEqualAnswers(trial, name, mode);
    result.cases[name] = { settings, contenders: await runRounds(trial, name, mode, settings) };
  }
  return result;
}

/**
 * Nothing is timed before all contenders have given the same answers to the same questions.
 *
 * @param {import('./types.js').FoundTrial} trial
 * @param {string} caseName
 * @param {import('./types.js').Mode} mode
 */
async function assertEqualAnswers(trial, caseName, mode) {
  // Side by side: nothing is measured here.
  const digests = await Promise.all(
    Object.keys(trial.contenders).map(async (contender) => [
      contender,
      await inProcess({ file: trial.file, case: caseName, contender, mode, action: 'check' }, trial.nodeOptions),
    ]),
  );
  assertSame(Object.fromEntries(digests), `answers in ${trial.name}/${caseName}`);
}

/**
 * @param {import('./types.js').FoundTrial} trial
 * @param {string} caseName
 * @param {import('./types.js').Mode} mode
 * @param {import('./types.js').Settings} settings
 */
async function runRounds(trial, caseName, mode, settings) {
  const names = Object.keys(trial.contenders);
  /** @type {Record<string, import('./types.js').Outcome[]>} */
  const outcomes = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round < settings.rounds; round += 1) {
    for (const contender of rotate(names, round)) {
      outcomes[contender].push(
        await inProcess({ file: trial.file, case: caseName, contender, mode, action: 'run' }, trial.nodeOptions),
      );
    }
    assertSame(
      Object.fromEntries(names.map((name) => [name, outcomes[name][round].checksum])),
      `timed reads in ${trial.name}/${caseName}`,
    );
  }
  return Object.fromEntries(
    names.map((name) => [name, byMeasure(outcomes[name], trial.contenders[name].options(settings))]),
  );
}

/**
 * @template T
 * @param {T[]} list
 * @param {number} by
 * @returns {T[]}
 */
function rotate(list, by) {
  const first = by % list.length;
  return [...list.slice(first), ...list.slice(0, first)];
}

/**
 * @param {import('./types.js').Outcome[]} outcomes one a round
 * @param {Record<string, unknown>} options
 * @returns {import('./types.js').ContenderResult}
 */
function byMeasure(outcomes, options) {
  const { measures, series } = outcomes[0];
  return {
    options,
    measures: Object.fromEntries(
      Object.keys(measures).map((name) => [name, outcomes.map((outcome) => outcome.measures[name])]),
    ),
    series:
      series &&
      Object.fromEntries(
        Object.keys(series).map((name) => [name, outcomes.map((outcome) => outcome.series?.[name] ?? [])]),
      ),
  };
}

/**
 * @param {Record<string, unknown>} values by contender
 * @param {string} what
 */
function assertSame(values, what) {
  const given = Object.entries(values).filter(([, value]) => value !== undefined);
  const [first, ...others] = given;
  const different = others.find(([, value]) => value !== first[1]);
  if (different) throw new Error(`Different ${what}: ${first[0]} gave ${first[1]}, ${different[0]} ${different[1]}`);
}

module.exports = { runTrial };
