'use strict';

const { createHash } = require('node:crypto');
const fs = require('node:fs');
const { parentPort } = require('node:worker_threads');

/** Tells its progress every so many bytes. */
const CHUNK_BYTES = 256 * 1024;

/**
 * @param {string} file
 * @returns {Promise<string>} its SHA-256
 */
module.exports = async (file) => {
  const hash = createHash('sha256');
  for await (const chunk of fs.createReadStream(file, { highWaterMark: CHUNK_BYTES })) {
    hash.update(chunk);
    parentPort?.postMessage({ bytes: chunk.length });
  }
  return hash.digest('hex');
};
