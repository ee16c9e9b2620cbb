'use strict';

// Runs node's tests against the debug addon (Node 20's `node --test` knows no globs).
//   node scripts/test-node.js [file or folder]...      all of __test__ but package/ and canaries/ by default

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { root, localBuild } = require('../lib/platform.js');

/** For one test, and for one file. Generous: it is there to end a hang, never to judge speed. */
const TIMEOUT_MS = 420_000;
const ELSEWHERE = ['package', 'canaries'];

/** @param {string} place @returns {string[]} */
function testFiles(place) {
  if (fs.statSync(place).isFile()) return [place];
  return fs
    .readdirSync(place, { recursive: true })
    .map((name) => path.join(place, `${name}`))
    .filter((file) => file.endsWith('.test.js'));
}

function allFiles() {
  const tests = path.join(root, '__test__');
  const outside = (/** @type {string} */ file) => !ELSEWHERE.includes(path.relative(tests, file).split(path.sep)[0]);
  return testFiles(tests).filter(outside);
}

function main() {
  const places = process.argv.slice(2);
  const files = places.length === 0 ? allFiles() : places.flatMap(testFiles);
  if (files.length === 0) throw new Error(`no test files in ${places.join(', ')}`);
  const { HOTPATH_NATIVE_PATH = localBuild('debug') } = process.env;
  if (!fs.existsSync(HOTPATH_NATIVE_PATH)) throw new Error(`${HOTPATH_NATIVE_PATH} is missing: npm run build:debug`);
  const args = [
    '--expose-gc',
    '--test',
    '--test-reporter=spec',
    `--test-concurrency=${os.availableParallelism()}`,
    `--test-timeout=${TIMEOUT_MS}`,
    ...files.sort(),
  ];
  const { status } = spawnSync(process.execPath, args, {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, HOTPATH_NATIVE_PATH },
  });
  process.exitCode = status ?? 1;
}

main();
