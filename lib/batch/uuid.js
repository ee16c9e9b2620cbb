'use strict';

const { randomUUID } = require('node:crypto');

let lastTime = 0;
let counter = 0;
/** The part that all UUIDs of a millisecond have in common. */
let prefix = '';

/**
 * A UUID of version 7 (RFC 9562): they sort by the time at which they were made, and within a millisecond by a counter
 * of twelve bits. Who makes more than 4,096 in one borrows from the next.
 */
function timeOrderedUuid() {
  const now = Date.now();
  if (now > lastTime || counter === 0xfff) {
    lastTime = Math.max(now, lastTime + 1);
    counter = 0;
    const hex = lastTime.toString(16).padStart(12, '0');
    prefix = `${hex.slice(0, 8)}-${hex.slice(8)}-7`;
  } else {
    counter++;
  }
  return prefix + counter.toString(16).padStart(3, '0') + randomUUID().slice(18);
}

module.exports = { timeOrderedUuid };
