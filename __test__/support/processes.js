'use strict';

const path = require('node:path');
const { spawn } = require('node:child_process');
const { settled, waitFor } = require('./wait');

const ENTRY = path.join(__dirname, 'child-entry.js');

/**
 * Runs `body(context, data)` in a child process. What it says arrives as `said` (JSON values, in order);
 * `ended` resolves with { code, signal, said, stderr } once it is gone. `launcher` is a command that runs what follows it.
 */
function startChild(body, data, { nodeArgs = [], env = {}, launcher = [] } = {}) {
  const message = JSON.stringify({ source: String(body), data });
  const [command, ...args] = [...launcher, process.execPath, ...nodeArgs, ENTRY, message];
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
  const said = () =>
    stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  const ended = new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, said: said(), stderr }));
  });
  return {
    child,
    ended,
    hears: (wanted, limits) =>
      waitFor(() => said().includes(wanted), { what: `a child to say ${wanted} (stderr: ${stderr})`, ...limits }),
  };
}

/** Runs `body` in a child process to its end, which must come by itself within the limit. */
async function runInChild(body, { data, timeoutMs = 60_000, ...options } = {}) {
  const { child, ended } = startChild(body, data, options);
  try {
    return await settled(ended, { timeoutMs, what: 'a child process to exit by itself' });
  } finally {
    child.kill('SIGKILL');
  }
}

module.exports = { startChild, runInChild };
