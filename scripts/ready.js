'use strict';

// Everything that CI checks, in the order in which a mistake shows soonest.
//   node scripts/ready.js                 before a pull request
//   node scripts/ready.js --after-tests   without `npm test`, for a CI that has just run it

const { execFileSync } = require('node:child_process');
const path = require('node:path');
const { runGates, runCanaries } = require('./gate.js');

const CHECKS = ['format:rust', 'lint', 'typecheck', 'lint:rust'];
const TESTS = ['build:debug', 'build:peers', 'build:programs', 'test:rust', 'test:node', 'test:types', 'test:package'];
const PRODUCT = ['build', 'check:package', 'bench:smoke'];

/** The working tree as git sees it. Compared, not required to be clean: `ready` is run before a commit, too. */
function tree() {
  const git = (/** @type {string[]} */ ...args) =>
    execFileSync('git', args, { cwd: path.join(__dirname, '..'), encoding: 'utf8', maxBuffer: 1 << 28 });
  return git('status', '--porcelain') + git('diff', 'HEAD');
}

function generatedFilesAreFresh(before) {
  if (tree() === before) return true;
  console.error('✖ the checks changed files that git tracks: commit what they generate');
  console.error(execFileSync('git', ['status', '--short'], { cwd: path.join(__dirname, '..'), encoding: 'utf8' }));
  return false;
}

async function main() {
  const tests = process.argv.includes('--after-tests') ? [] : TESTS;
  const before = tree();
  const green =
    (await runGates([...CHECKS, ...tests])) &&
    (await runCanaries()) &&
    (await runGates(PRODUCT)) &&
    generatedFilesAreFresh(before);
  console.log(green ? 'ready' : 'not ready');
  process.exitCode = green ? 0 : 1;
}

main();
