'use strict';

// The three ways to say how many bytes a cache or a budget may hold.

const native = require('../native.js');
const { invalidArgType, outOfRange } = require('../errors.js');
const check = require('../validate.js');

const MIB = 1024 * 1024;

/** At most one of them may be given. */
const LIMITS = Object.freeze(['maxBytes', 'maxMemoryMB', 'maxMemory']);

/** The bytes that one of three options means. @param {Record<string, any>} given @param {string} path */
function byteLimit(given, path) {
  const names = LIMITS.filter((name) => given[name] !== undefined);
  if (names.length > 1) throw invalidArgType(`only one of ${LIMITS.join(', ')}`, path, given);
  switch (names[0]) {
    case 'maxBytes':
      return check.positiveInteger(given.maxBytes, `${path}.maxBytes`);
    case 'maxMemoryMB':
      return Math.max(1, Math.floor(check.positiveFiniteNumber(given.maxMemoryMB, `${path}.maxMemoryMB`) * MIB));
    case 'maxMemory':
      return share(given.maxMemory, `${path}.maxMemory`);
    default:
      return undefined;
  }
}

/** The bytes that a percentage like '20%' of this process's memory means. @param {unknown} value @param {string} path */
function share(value, path) {
  const bytes = native.memoryShare(check.string(value, path));
  if (bytes === null) throw outOfRange("a share of the memory such as '20%'", path, value);
  return bytes;
}

module.exports = { LIMITS, MIB, byteLimit };
