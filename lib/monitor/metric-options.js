'use strict';

// What metrics are defined with, checked and put into native form.

const { invalidArgType, outOfRange } = require('../errors.js');
const check = require('../validate.js');

const METRIC_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

/** Series of one metric; more label sets than this are nearly always a mistake: an id where a kind should stand. */
const MAX_SERIES = 10_000;

/** The smallest difference that a histogram without labels tells apart, by the unit that its name ends in. */
const RESOLUTIONS = Object.freeze({ _seconds: 1e-9, _milliseconds: 1e-6, _ms: 1e-6, _bytes: 1 });

const OPTIONS = Object.freeze(['help', 'labelNames', 'maxSeries']);

/** @param {unknown} value @param {string} path */
function metricName(value, path) {
  const name = check.nonEmptyString(value, path);
  if (!METRIC_NAME.test(name)) throw outOfRange('a metric name ([a-zA-Z_:][a-zA-Z0-9_:]*)', path, value);
  return name;
}

/** @param {unknown} value @param {string} path @param {string} kind */
function labelNames(value, path, kind) {
  if (!Array.isArray(value)) throw invalidArgType('an array of label names', path, value);
  const names = value.map((name, index) => {
    const at = `${path}[${index}]`;
    check.nonEmptyString(name, at);
    const reserved = name.startsWith('__') || (kind === 'histogram' && name === 'le');
    if (reserved || !LABEL_NAME.test(name)) throw outOfRange('a label name that is not reserved', at, name);
    return name;
  });
  if (new Set(names).size !== names.length) throw outOfRange('label names that differ', path, value);
  return names;
}

/** @param {unknown} value @param {string} path */
function buckets(value, path) {
  if (!Array.isArray(value)) throw invalidArgType('an array of numbers', path, value);
  const bounds = value.filter((bound) => bound !== Number.POSITIVE_INFINITY);
  bounds.forEach((bound, index) => {
    check.finiteNumber(bound, `${path}[${index}]`);
    if (index > 0 && bound <= bounds[index - 1]) throw outOfRange('ascending numbers', `${path}[${index}]`, bound);
  });
  if (bounds.length > 1_000) throw outOfRange('at most 1000 buckets', path, value);
  return bounds;
}

/**
 * @param {'counter' | 'gauge' | 'histogram'} kind
 * @param {unknown} name
 * @param {unknown} options
 */
function metricOptions(kind, name, options) {
  const path = 'options';
  const known = kind === 'histogram' ? [...OPTIONS, 'buckets', 'resolution'] : OPTIONS;
  const given = check.options(options, path, known);
  const checkedName = metricName(name, 'name');
  const suffix = Object.keys(RESOLUTIONS).find((end) => checkedName.endsWith(end));
  const resolution = suffix ? RESOLUTIONS[/** @type {keyof typeof RESOLUTIONS} */ (suffix)] : 1e-6;
  return {
    name: checkedName,
    help: given.help === undefined ? checkedName : check.string(given.help, `${path}.help`),
    kind,
    labelNames: given.labelNames === undefined ? [] : labelNames(given.labelNames, `${path}.labelNames`, kind),
    buckets: given.buckets === undefined ? undefined : buckets(given.buckets, `${path}.buckets`),
    resolution:
      given.resolution === undefined ? resolution : check.positiveFiniteNumber(given.resolution, `${path}.resolution`),
    maxSeries: given.maxSeries === undefined ? MAX_SERIES : check.positiveInteger(given.maxSeries, `${path}.maxSeries`),
  };
}

module.exports = { metricOptions };
