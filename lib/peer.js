'use strict';

// Packages that an application brings along, because it uses them: hotpath only joins them.

const { HotpathError } = require('./errors.js');

/**
 * @param {string} name
 * @returns {any}
 */
function requirePeer(name) {
  try {
    return require(name);
  } catch (error) {
    const { code, message } = /** @type {NodeJS.ErrnoException} */ (error);
    if (code !== 'MODULE_NOT_FOUND' || !message.includes(`'${name}'`)) throw error;
    throw new HotpathError(`This needs the package ${name}: npm install ${name}`, {
      code: 'ERR_HOTPATH_MISSING_PEER',
      package: name,
      cause: error,
    });
  }
}

module.exports = { requirePeer };
