'use strict';

// The order in which an object has its properties: those named like an index of a list first, by size, then the others as
// they came. node-cache keeps its keys in an object, so this is the order of its lists and of its events.

const ZERO = 48;
const NINE = 57;
/** The largest index of a list; larger numbers are names like any other. */
const MOST = 2 ** 32 - 2;

/** @param {string} name */
function isIndex(name) {
  const first = name.charCodeAt(0);
  if (!(first >= ZERO && first <= NINE)) return false;
  const number = Number(name);
  return number <= MOST && `${number}` === name && Number.isInteger(number);
}

/** @param {string[]} names each of them once @returns {string[]} */
function inPropertyOrder(names) {
  if (!names.some(isIndex)) return names;
  const indexes = names.filter(isIndex).sort((one, other) => Number(one) - Number(other));
  return [...indexes, ...names.filter((name) => !isIndex(name))];
}

module.exports = { inPropertyOrder };
