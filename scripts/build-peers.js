'use strict';

// Builds the native parts of packages that tests and benchmarks compare with, where `npm ci --ignore-scripts` has left
// them out. Needs what node-gyp needs: Python, make and a C++ compiler.

const { execFileSync, spawnSync } = require('node:child_process');
const path = require('node:path');

const PACKAGES = ['sqlite3', 'zstd-napi'];
const root = path.join(__dirname, '..');

/** In a process of its own: a failed load is remembered, and a native addon cannot be unloaded. @param {string} name */
function loads(name) {
  return spawnSync(process.execPath, ['-e', `require(${JSON.stringify(name)})`], { cwd: root }).status === 0;
}

function main() {
  const missing = PACKAGES.filter((name) => !loads(name));
  if (missing.length === 0) return;
  console.log(`building ${missing.join(', ')}`);
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  // node-gyp compiles one file after the other unless it is told.
  const env = { ...process.env, JOBS: 'max' };
  execFileSync(npm, ['rebuild', ...missing], { cwd: root, env, stdio: ['ignore', 'ignore', 'inherit'] });
  const broken = missing.filter((name) => !loads(name));
  if (broken.length > 0) throw new Error(`${broken.join(', ')} cannot be built here`);
}

main();
