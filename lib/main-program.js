'use strict';

// Where the program of this process is, which is the same in all of its threads. A worker thread knows only the file
// that it was started with itself, and that of a pool is ours; so the main thread says it to those that it starts.

const fs = require('node:fs');
const path = require('node:path');
const { getEnvironmentData, isMainThread, setEnvironmentData } = require('node:worker_threads');

const KEY = 'hotpath.program';

/** The folder of the file that this thread was started with. An ES module is no `require.main`. */
function ownFolder() {
  if (require.main) return path.dirname(require.main.filename);
  const [, file] = process.argv;
  if (file === undefined) return process.cwd();
  try {
    return path.dirname(fs.realpathSync(file));
  } catch {
    // Without its extension, say.
    return path.dirname(path.resolve(file));
  }
}

if (isMainThread) setEnvironmentData(KEY, ownFolder());

/** @returns {string} */
function programFolder() {
  return /** @type {any} */ (getEnvironmentData(KEY)) ?? ownFolder();
}

module.exports = { programFolder };
