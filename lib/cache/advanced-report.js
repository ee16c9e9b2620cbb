'use strict';

// The statistics of the advanced cache in the words of document 003: sizes and shares as text.

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;

/** @param {number} bytes */
function size(bytes) {
  return bytes >= GIB ? `${(bytes / GIB).toFixed(2)} GB` : `${(bytes / MIB).toFixed(2)} MB`;
}

/** @param {number} part @param {number} whole */
function share(part, whole) {
  return `${(whole === 0 ? 0 : (part / whole) * 100).toFixed(2)}%`;
}

/**
 * @typedef {object} Level
 * @property {number} entries
 * @property {number} bytes
 * @property {number} limit
 * @property {number} hits
 * @property {number} misses
 */

/** @param {Level} level */
function levelReport({ entries, bytes, limit, hits, misses }) {
  return {
    entries,
    size: size(bytes),
    utilization: share(bytes, limit),
    hitRate: share(hits, hits + misses),
  };
}

/** @param {{ memory: Level, disk: Level }} levels */
function report({ memory, disk }) {
  return {
    memory: levelReport(memory),
    disk: levelReport(disk),
    total: {
      entries: memory.entries + disk.entries,
      size: size(memory.bytes + disk.bytes),
      hits: memory.hits + disk.hits,
      // What the last level does not have, nobody has.
      misses: disk.misses,
    },
  };
}

module.exports = { report };
