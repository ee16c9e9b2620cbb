'use strict';

// The errors of node-cache: plain Errors whose name and `errorcode` say what happened.

/** @type {Record<string, (data: { type?: string }) => string>} */
const MESSAGES = {
  ENOTFOUND: ({ type }) => `Key \`${type}\` not found`,
  ECACHEFULL: () => 'Cache max keys amount exceeded',
  EKEYTYPE: ({ type }) => `The key argument has to be of type \`string\` or \`number\`. Found: \`${type}\``,
  EKEYSTYPE: () => 'The keys argument has to be an array.',
  ETTLTYPE: () => 'The ttl argument has to be a number.',
};

/**
 * @param {keyof typeof MESSAGES} code
 * @param {{ type?: string }} [data]
 */
function nodeCacheError(code, data = {}) {
  const error = new Error(MESSAGES[code](data));
  return Object.assign(error, { name: code, errorcode: code, data });
}

module.exports = { nodeCacheError };
