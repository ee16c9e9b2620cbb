'use strict';

const native = require('../native.js');

const CODE_UNITS = 0x10000;

/**
 * Tells the native side, once a process, how this JavaScript engine folds letters: whatever version of Unicode it has,
 * patterns then mean the same on both sides.
 */
function ensureCaseTable() {
  if (!native.needsCaseTable()) return;
  const upper = new Uint16Array(CODE_UNITS);
  for (let unit = 0; unit < CODE_UNITS; unit++) {
    const form = String.fromCharCode(unit).toUpperCase();
    upper[unit] = form.length === 1 ? form.charCodeAt(0) : unit;
  }
  native.installCaseTable(Buffer.from(upper.buffer));
}

module.exports = { ensureCaseTable };
