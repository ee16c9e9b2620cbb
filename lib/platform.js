'use strict';

// Names of the native addon's files. Apart from native.js because the build scripts need them before one exists.

const fs = require('node:fs');
const path = require('node:path');

const root = path.join(__dirname, '..');

/** Node's report without the network interfaces, whose names can take seconds to resolve. */
function report() {
  const settings = /** @type {NodeJS.ProcessReport & { excludeNetwork?: boolean }} */ (process.report);
  const before = settings.excludeNetwork;
  settings.excludeNetwork = true;
  try {
    return /** @type {any} */ (settings.getReport());
  } finally {
    settings.excludeNetwork = before;
  }
}

/**
 * Whether this Node.js runs on musl. Reads the loader's name out of the executable's own header (PT_INTERP, a read
 * of 2 KB) since a report takes milliseconds; a repackaged executable that hides it there is asked for the report.
 */
function isMusl() {
  if (process.platform !== 'linux') return false;
  try {
    const file = fs.openSync(process.execPath, 'r');
    try {
      const head = Buffer.alloc(2048);
      fs.readSync(file, head, 0, head.length, 0);
      const text = head.toString('latin1');
      if (text.includes('/ld-musl-')) return true;
      if (text.includes('/ld-linux')) return false;
    } finally {
      fs.closeSync(file);
    }
  } catch {
    // The report below needs no access to the executable.
  }
  return report().header.glibcVersionRuntime === undefined;
}

/** The C library in words, for messages: 'glibc 2.36', 'musl', or undefined outside Linux. */
function libc() {
  if (process.platform !== 'linux') return undefined;
  return isMusl() ? 'musl' : `glibc ${report().header.glibcVersionRuntime ?? '(unknown version)'}`;
}

/** `<platform>-<arch>[-musl]`: the end of a prebuilt package's name and the middle of a local build's. */
function target() {
  return `${process.platform}-${process.arch}${isMusl() ? '-musl' : ''}`;
}

/**
 * Where `scripts/build.js` puts the addon. Debug builds have their own name, so that a test run never leaves a slow
 * addon behind for a benchmark to measure.
 * @param {'debug' | 'release'} kind
 */
function localBuild(kind) {
  return path.join(root, 'build', `hotpath.${target()}${kind === 'debug' ? '.debug' : ''}.node`);
}

module.exports = { root, libc, target, localBuild };
