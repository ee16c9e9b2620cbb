'use strict';

// Runs gates one after the other and stops at the first that fails; quiet on success, all of the output on failure.
//   node scripts/gate.js <gate>...      see gates.js; HOTPATH_VERBOSE=1 shows everything as it comes
//   node scripts/gate.js --canaries     shows that each gate notices a failure

const { spawn } = require('node:child_process');
const path = require('node:path');
const { scripts } = require('../package.json');
const { gates } = require('./gates.js');

/** @typedef {import('./gates.js').Gate} Gate */
/** @typedef {{ status: number | string | null, output: string }} Outcome */

const root = path.join(__dirname, '..');
/** A gate that hangs must not use up the whole time of a CI run. */
const TIMEOUT_MS = 30 * 60 * 1000;

/** Kills a command with all that it started. @param {import('node:child_process').ChildProcess} child */
function killAll(child) {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(process.platform === 'win32' ? child.pid : -child.pid, 'SIGKILL');
  } catch {
    // It ended by itself in this very moment.
  }
}

/** @param {string} command @returns {Promise<Outcome>} */
function run(command) {
  const binaries = path.join(root, 'node_modules', '.bin');
  const PATH = `${binaries}${path.delimiter}${process.env.PATH}`;
  const child = spawn(command, {
    cwd: root,
    shell: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, PATH, NO_COLOR: '1', CARGO_TERM_COLOR: 'never' },
    // A process group of its own, so that a timeout reaches what the shell has started, too.
    detached: process.platform !== 'win32',
  });
  const kill = () => killAll(child);
  const timer = setTimeout(kill, TIMEOUT_MS);
  process.once('exit', kill);
  return new Promise((resolve, reject) => {
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        output += text;
        if (process.env.HOTPATH_VERBOSE) process.stdout.write(text);
      });
    }
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      process.off('exit', kill);
      resolve({ status: signal ?? code, output });
    });
  });
}

/** What a gate's output says it has checked. @param {Gate} gate @param {string} output */
function counted({ count }, output) {
  if (count === undefined) return undefined;
  return [...output.matchAll(count)].reduce((sum, match) => sum + Number(match[1]), 0);
}

/** Why an outcome is a failure; undefined when it is none. @param {Gate} gate @param {Outcome} outcome */
function complaint(gate, { status, output }) {
  if (status !== 0) return `ended with ${status}`;
  const checked = counted(gate, output);
  if (checked !== undefined && checked < (gate.minimum ?? 1)) {
    return `checked only ${checked}, expected at least ${gate.minimum ?? 1}: does it still run everything?`;
  }
  return undefined;
}

/** Why a canary proves nothing; undefined when it failed as it should. @param {Gate} gate @param {Outcome} outcome */
function canaryComplaint({ sign = /$/ }, { status, output }) {
  if (status === 0) return 'passed, so the gate would not notice a failure';
  return sign.test(output) ? undefined : `failed, but not for the reason it was made for (${sign})`;
}

/**
 * @param {string} name
 * @param {string} command
 * @param {(outcome: Outcome) => string | undefined} judge
 * @param {RegExp} [closing]
 */
async function pass(name, command, judge, closing) {
  const started = Date.now();
  const outcome = await run(command);
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  const reason = judge(outcome);
  if (reason !== undefined) {
    if (!process.env.HOTPATH_VERBOSE) process.stdout.write(outcome.output);
    console.error(`✖ ${name} ${reason} (${seconds} s): ${command}`);
    return false;
  }
  console.log(`✔ ${name} (${seconds} s)`);
  if (closing) for (const line of outcome.output.split('\n')) if (closing.test(line)) console.log(`  ${line}`);
  return true;
}

/** @param {string} name */
function runGate(name) {
  const gate = gates[name];
  if (gate === undefined || scripts[name] === undefined) throw new Error(`There is no gate ${name}`);
  return pass(name, scripts[name], (outcome) => complaint(gate, outcome), gate.closing);
}

/** @param {readonly string[]} names @returns {Promise<boolean>} */
async function runGates(names) {
  for (const name of names) if (!(await runGate(name))) return false;
  return true;
}

/** @returns {Promise<boolean>} */
async function runCanaries() {
  for (const [name, gate] of Object.entries(gates)) {
    if (gate.canary === undefined) continue;
    if (!(await pass(`${name} (canary)`, gate.canary, (outcome) => canaryComplaint(gate, outcome)))) return false;
  }
  return true;
}

// Without this, Ctrl-C ends this process and leaves the gate's group running.
process.once('SIGINT', () => process.exit(130));

async function main() {
  const names = process.argv.slice(2);
  const green = names[0] === '--canaries' ? await runCanaries() : await runGates(names);
  process.exitCode = green ? 0 : 1;
}

if (require.main === module) main();

module.exports = { complaint, canaryComplaint, runGates, runCanaries };
