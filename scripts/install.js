'use strict';

// The package's install script: does nothing when an addon loads, else builds one. Downloads nothing itself.
// HOTPATH_SKIP_BUILD=1 leaves everything as it is, for those who bring the addon by another way.

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { root, target } = require('../lib/platform.js');
const { build, BuildError } = require('./build.js');

/** In a process of its own: an addon for another machine may take its process down, and a loaded one cannot be replaced. */
function addonLoads() {
  const child = spawnSync(process.execPath, ['-e', 'require(process.argv[1])', path.join(root, 'lib', 'native.js')], {
    stdio: 'ignore',
  });
  return child.status === 0;
}

/** npm clones a git dependency and installs it there only to pack it: that build would be thrown away. */
function onlyPacking() {
  return process.env._PACOTE_NO_PREPARE_ !== undefined && !root.includes(`${path.sep}node_modules${path.sep}`);
}

/** Cargo's intermediate files are hundreds of megabytes that nobody needs beside an installed dependency. */
function dropIntermediates() {
  const dependency = root.includes(`${path.sep}node_modules${path.sep}`);
  if (dependency) fs.rmSync(path.join(root, 'target'), { recursive: true, force: true });
}

function main() {
  if (process.env.HOTPATH_SKIP_BUILD === '1' || onlyPacking() || addonLoads()) return;
  console.log(`hotpath: no prebuilt addon for ${target()}, building it with cargo (a few minutes)`);
  build('release');
  dropIntermediates();
  if (!addonLoads()) throw new BuildError('the addon was built but does not load; require("hotpath") tells why.');
}

try {
  main();
} catch (error) {
  console.error(error instanceof BuildError ? `hotpath: ${error.message}` : error);
  process.exitCode = 1;
}
