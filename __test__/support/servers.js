'use strict';

// Real servers for tests: each on a port and in a folder of its own, stopped at the end of the test that started it.

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { need } = require('../../scripts/programs.js');
const { waitFor } = require('./wait.js');

const HOST = '127.0.0.1';

/** Servers that still run: none of them outlives the process that started it. */
const running = new Set();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** A port of 127.0.0.1 that nobody listens on. */
function freePort() {
  return new Promise((resolve, reject) => {
    const server = net.createServer().once('error', reject);
    server.listen(0, HOST, () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** True once somebody accepts connections. */
function accepts(port) {
  return new Promise((resolve) => {
    const socket = net.connect(port, HOST);
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

/** A folder that is removed with the test. */
function temporaryFolder(t, prefix = 'hotpath-') {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), prefix));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true, maxRetries: 10 }));
  return folder;
}

/** Starts a program that ends with this process at the latest. */
function launch(command, args, options) {
  const child = spawn(command, args, options);
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

/**
 * Starts a program and waits until it accepts connections.
 * @param {string} command
 * @param {string[]} args
 * @param {{ port: number, uid?: number, gid?: number, env?: NodeJS.ProcessEnv }} options
 */
async function start(command, args, { port, ...options }) {
  const child = launch(command, args, { stdio: ['ignore', 'ignore', 'pipe'], ...options });
  let complaints = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    complaints += text;
  });
  const up = async () => {
    if (child.exitCode !== null) throw new Error(`${command} ended: ${complaints}`);
    return accepts(port);
  };
  await waitFor(up, { what: `${path.basename(command)} on port ${port}` });
  return child;
}

/** Ends a process and waits for its end. */
async function stop(child, signal = 'SIGTERM') {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  await ended;
}

module.exports = { HOST, freePort, launch, need, start, stop, temporaryFolder };
