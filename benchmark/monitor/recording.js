// Recording durations as a server has them, from a fraction of a millisecond to seconds.

const { digestOf } = require('../harness/digest.js');
const { timedWarm } = require('../harness/timing.js');

const MASK = 4_095;

/** Log-normal around 20 ms; the same for every contender. */
function durations() {
  let state = 42;
  const next = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state + 1) / 4_294_967_297;
  };
  const normal = () => Math.sqrt(-2 * Math.log(next())) * Math.cos(2 * Math.PI * next());
  return Float64Array.from({ length: MASK + 1 }, () => 0.02 * Math.exp(normal()));
}

/** @param {any} recorder */
function writer(recorder) {
  const values = durations();
  return (/** @type {number} */ from, /** @type {number} */ to) => {
    for (let index = from; index < to; index += 1) recorder.record(values[index & MASK], index);
    return 0;
  };
}

module.exports = {
  /** @param {any} context */
  async check({ open, settings }) {
    const recorder = await open();
    writer(recorder)(0, settings.operations);
    return digestOf([await recorder.count()]);
  },

  /** @param {any} context */
  async run({ open, settings }) {
    return timedWarm(settings, writer(await open()));
  },
};
