'use strict';

// What the two argument errors must look like, once: class, code, and the message template (`Expected ... but received ...`).

const escape = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

function invalidType(path = '') {
  return {
    name: 'TypeError',
    code: 'ERR_INVALID_ARG_TYPE',
    message: new RegExp(`^Expected .+ for .*${escape(path)}.* but received .+`, 's'),
  };
}

function outOfRange(path = '') {
  return {
    name: 'RangeError',
    code: 'ERR_OUT_OF_RANGE',
    message: new RegExp(`^Expected .+ for .*${escape(path)}.* but received .+ of type \\w+`, 's'),
  };
}

function unknownOption(name, nearest) {
  return {
    name: 'TypeError',
    code: 'ERR_HOTPATH_UNKNOWN_OPTION',
    message: new RegExp(`${escape(name)}.*${escape(nearest)}`, 's'),
  };
}

const closed = { name: 'HotpathClosedError', code: 'ERR_HOTPATH_CLOSED' };
const notANumber = { name: 'HotpathValueError', code: 'ERR_HOTPATH_NOT_A_NUMBER' };

module.exports = { invalidType, outOfRange, unknownOption, closed, notANumber };
