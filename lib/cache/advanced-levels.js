'use strict';

// The levels of an advanced cache, opened. What is on disk is shared by its directory, what is in memory by the name and
// the directory together: memory of another directory would know nothing of this one.

const path = require('node:path');
const { HotpathConflictError } = require('../errors.js');
const { namedConflict } = require('../native-errors.js');
const { defaultDirectory } = require('./advanced-options.js');
const { DiskCache } = require('./disk-cache.js');
const { openFaceMemory } = require('./face-memory.js');

const CLASS = 'AdvancedCache';

/** What options of the levels are called in those of the cache. */
const MEMORY_WORDS = { maxBytes: 'memoryLimit', ttlMs: 'maxAge' };
const DISK_WORDS = /** @type {Record<string, string>} */ ({ maxAgeMs: 'maxAge' });

/** @typedef {ReturnType<typeof import('./advanced-options.js').advancedCacheOptions>} Options */

/**
 * Opens a directory. What was not given explicitly is no demand on a cache that is open there.
 * @param {string} directory
 * @param {Record<string, number | undefined>} limits those given explicitly
 * @param {string | undefined} name
 * @returns {DiskCache}
 */
function openDisk(directory, limits, name) {
  try {
    // Under its name, so that one name is one directory.
    return new DiskCache({ directory, ...limits, name: name && `${CLASS} ${name}` });
  } catch (error) {
    if (!(error instanceof HotpathConflictError)) throw error;
    const { option, existing, requested } = /** @type {any} */ (error);
    // Others have the directory open, by another name or none.
    if (option === 'name') return openDisk(directory, limits, undefined);
    throw namedConflict(name ?? 'the cache in this directory', DISK_WORDS[option] ?? option, existing, requested);
  }
}

/**
 * Opens all levels or none. `streams` is `disk` unless streams have a limit of their own.
 * @param {Options} options
 */
function openLevels(options) {
  const { name, directory = defaultDirectory(), streamLimit, memoryLimit, maxAge, explicit } = options;
  /** @type {DiskCache[]} */
  const opened = [];
  const open = (/** @type {string} */ folder, /** @type {number | undefined} */ diskLimit) => {
    const cache = openDisk(folder, { diskLimit, maxAgeMs: explicit.maxAge }, folder === directory ? name : undefined);
    opened.push(cache);
    return cache;
  };
  try {
    const disk = open(directory, explicit.diskLimit);
    const streams = streamLimit === undefined ? disk : open(path.join(directory, 'streams'), streamLimit);
    const memory = openFaceMemory(
      `${CLASS} ${disk.directory}`,
      { maxBytes: memoryLimit, ttlMs: maxAge },
      name === undefined ? {} : { name, maxBytes: explicit.memoryLimit, ttlMs: explicit.maxAge },
      MEMORY_WORDS,
    );
    return { memory, disk, streams };
  } catch (error) {
    for (const cache of opened) cache.close();
    throw error;
  }
}

module.exports = { openLevels };
