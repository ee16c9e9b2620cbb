'use strict';

// Options of the disk cache: checked, and put into the form that the native side takes.

const path = require('node:path');
const check = require('../validate.js');
const { invalidArgType, outOfRange } = require('../errors.js');
const { wellFormed } = require('./memory-arguments.js');

const OPTIONS = Object.freeze(['directory', 'name', 'diskLimit', 'maxAgeMs', 'streamThresholdBytes']);

/** @template T @param {any} value @param {(value: any) => T} read */
function optional(value, read) {
  return value === undefined ? undefined : read(value);
}

/** @param {unknown} directory @returns {string} */
function checkDirectory(directory) {
  if (directory === undefined) throw invalidArgType('a non-empty string', 'options.directory', directory);
  const given = check.nonEmptyString(directory, 'options.directory');
  // The system would take it for the end of the path.
  if (given.includes('\0')) throw outOfRange('a path', 'options.directory', given);
  return path.resolve(given);
}

/** @param {unknown} options */
function diskCacheOptions(options) {
  const given = check.options(options, 'options', OPTIONS);
  return {
    directory: checkDirectory(given.directory),
    name: optional(given.name, (name) => wellFormed(check.nonEmptyString(name, 'options.name'))),
    diskLimit: optional(given.diskLimit, (bytes) => check.positiveInteger(bytes, 'options.diskLimit')),
    maxAgeMs: optional(given.maxAgeMs, (ms) => check.positiveNumber(ms, 'options.maxAgeMs')),
    streamThreshold: optional(given.streamThresholdBytes, (bytes) =>
      check.nonNegativeInteger(bytes, 'options.streamThresholdBytes'),
    ),
  };
}

module.exports = { diskCacheOptions };
