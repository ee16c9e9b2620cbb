'use strict';

const { outOfRange } = require('../errors.js');
const check = require('../validate.js');

/** Names stand in keys of LMDB, which have 511 bytes. */
const LONGEST_NAME = 480;

/** A name that every provider can take. @param {unknown} name */
function checkContainer(name) {
  const container = check.nonEmptyString(name, 'container');
  if (container.includes('\0') || !container.isWellFormed() || Buffer.byteLength(container) > LONGEST_NAME) {
    throw outOfRange(`a name of at most ${LONGEST_NAME} bytes without NUL`, 'container', name);
  }
  return container;
}

module.exports = { checkContainer };
