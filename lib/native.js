'use strict';

// The sole loader of the native addon. Search order: HOTPATH_NATIVE_PATH alone when it is set (an absolute path; for
// tests and for builds kept elsewhere), else the prebuilt package of this platform, the release build, the debug build.

const fs = require('node:fs');
const path = require('node:path');
const { mismatch } = require('./binary.js');
const { HotpathLoadError } = require('./errors.js');
const platform = require('./platform.js');

/** @typedef {{ path: string, reason: string, error?: unknown }} Attempt */

function remedy() {
  return process.env.HOTPATH_NATIVE_PATH
    ? 'Correct HOTPATH_NATIVE_PATH, or unset it to load the installed addon.'
    : 'Run `npm rebuild hotpath` to build it from source; that needs Rust (https://rustup.rs) and a C compiler. ' +
        'Where npm blocks install scripts, allow the one of hotpath first (`npm install-scripts approve hotpath`).';
}

/** @param {string} file */
function loadFile(file) {
  if (!path.isAbsolute(file)) throw new Error('HOTPATH_NATIVE_PATH must be an absolute path');
  // Not require(): it would run a file of any other extension as JavaScript.
  const addon = { exports: {} };
  process.dlopen(addon, path.toNamespacedPath(file));
  return addon.exports;
}

function candidates() {
  const override = process.env.HOTPATH_NATIVE_PATH;
  if (override) return [override];
  return [`@hotpath/${platform.target()}`, platform.localBuild('release'), platform.localBuild('debug')];
}

/**
 * @param {string} request
 * @param {unknown} error
 * @returns {Attempt}
 */
function failed(request, error) {
  const {
    code,
    requireStack,
    message = String(error),
  } = /** @type {NodeJS.ErrnoException & { requireStack?: string[] }} */ (error);
  // Missing is the ordinary case and needs no cause; a module missing INSIDE the prebuilt package is another matter.
  const packageMissing = code === 'MODULE_NOT_FOUND' && requireStack?.[0] === __filename;
  const fileMissing = path.isAbsolute(request) && !fs.existsSync(request);
  if (packageMissing || fileMissing) return { path: request, reason: 'not found' };
  const words = message.startsWith(`${request}: `) ? message.slice(request.length + 2) : message;
  const hint = mismatch(request);
  return { path: request, reason: hint === undefined ? words : `${words} (${hint})`, error };
}

/** @param {Attempt[]} attempts */
function loadError(attempts) {
  const libc = platform.libc();
  const where = [`${process.platform} ${process.arch}`, libc, `Node.js ${process.version}`].filter(Boolean).join(', ');
  const tried = attempts.map(({ path: place, reason }) => `  ${place}: ${reason}`).join('\n');
  const causes = attempts.flatMap(({ error }) => (error === undefined ? [] : [error]));
  return new HotpathLoadError(`Cannot load the native addon of hotpath (${where}). Tried:\n${tried}\n${remedy()}`, {
    cause: causes.length > 1 ? new AggregateError(causes, 'Several addons were found and none loads') : causes[0],
    attempts: attempts.map(({ path: place, reason }) => ({ path: place, reason })),
    platform: process.platform,
    arch: process.arch,
    libc,
    nodeVersion: process.version,
    remedy: remedy(),
  });
}

function load() {
  /** @type {Attempt[]} */
  const attempts = [];
  for (const request of candidates()) {
    try {
      return request.startsWith('@') ? require(request) : loadFile(request);
    } catch (error) {
      attempts.push(failed(request, error));
    }
  }
  throw loadError(attempts);
}

/** @type {any} */
const native = load();

module.exports = native;
