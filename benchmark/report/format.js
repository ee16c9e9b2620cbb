/**
 * A figure as a person reads it: three digits that count, and the unit that fits.
 *
 * @param {number} value
 * @param {import('../harness/types.js').Unit} unit
 */
function formatFigure(value, unit) {
  const [scaled, suffix] = scale(value, unit);
  return `${digits(scaled)}${suffix}`;
}

/**
 * @param {number} value
 * @param {import('../harness/types.js').Unit} unit
 * @returns {[number, string]}
 */
function scale(value, unit) {
  switch (unit) {
    case 'nanoseconds':
      if (value < 1e3) return [value, ' ns'];
      return value < 1e6 ? [value / 1e3, ' µs'] : [value / 1e6, ' ms'];
    case 'milliseconds':
      return [value, ' ms'];
    case 'bytes':
      return value < 1e4 ? [value, ' bytes'] : [value / 1e6, ' MB'];
    case 'perSecond':
      return value < 1e6 ? [value / 1e3, ' k/s'] : [value / 1e6, ' M/s'];
    case 'percent':
      return [value, ' %'];
    case 'ratio':
      return [value, 'x'];
  }
}

/**
 * The same for the tick of an axis, whose values are round.
 *
 * @param {number} value
 * @param {import('../harness/types.js').Unit} unit
 */
function formatTick(value, unit) {
  if (value === 0) return '0';
  const [scaled, suffix] = scale(value, unit);
  return `${Number(scaled.toPrecision(3)).toLocaleString('en-US')}${suffix}`;
}

/** @param {number} value */
function digits(value) {
  const size = Math.abs(value);
  if (size >= 100) return Math.round(value).toLocaleString('en-US');
  return size >= 10 ? value.toFixed(1) : value.toFixed(2);
}

/**
 * @param {import('../harness/types.js').Spread} spread
 * @param {import('../harness/types.js').Unit} unit
 */
function formatSpread({ median, min, max }, unit) {
  const middle = formatFigure(median, unit);
  return min === max ? middle : `${middle} (${formatFigure(min, unit)} to ${formatFigure(max, unit)})`;
}

module.exports = { formatFigure, formatTick, formatSpread };
