'use strict';

// Compiles the type tests as users' projects would, and says how many assertions that were.
//   node scripts/test-types.js [folder]      __test__/types by default

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const root = path.join(__dirname, '..');
const RESOLUTIONS = [
  { module: 'node16', moduleResolution: 'node16' },
  { module: 'esnext', moduleResolution: 'bundler' },
];
const ASSERTION = /\bexpectType<|@ts-expect-error/g;

/** @param {string} folder */
function assertions(folder) {
  const sources = fs.readdirSync(folder).filter((name) => name.endsWith('.test.ts'));
  return sources.reduce((sum, name) => {
    const text = fs.readFileSync(path.join(folder, name), 'utf8');
    return sum + (text.match(ASSERTION)?.length ?? 0);
  }, 0);
}

function main() {
  const folder = path.resolve(root, process.argv[2] ?? '__test__/types');
  const tsc = require.resolve('typescript/bin/tsc');
  for (const { module, moduleResolution } of RESOLUTIONS) {
    const args = [tsc, '-p', folder, '--module', module, '--moduleResolution', moduleResolution];
    const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
    if (status !== 0) {
      console.error(`types: errors under moduleResolution ${moduleResolution}`);
      process.exitCode = 1;
      return;
    }
  }
  const names = RESOLUTIONS.map(({ moduleResolution }) => moduleResolution).join(' and ');
  console.log(`types: ${assertions(folder)} assertions hold under ${names}`);
}

main();
