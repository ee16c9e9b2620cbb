'use strict';

// Real servers for tests: each on a port and in a folder of its own, stopped at the end of the test that started it.

const { execFileSync, spawn } = require('node:child_process');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { waitFor } = require('./wait.js');

/** Where Debian's packages put what is not meant to be called by hand. */
const ELSEWHERE = ['/usr/sbin', '/usr/local/bin'];

/** The path of a program, or undefined. */
function find(program, folders = []) {
  const places = [...folders, ...(process.env.PATH ?? '').split(path.delimiter), ...ELSEWHERE];
  return places.map((folder) => path.join(folder, program)).find((file) => fs.existsSync(file));
}

/**
 * The path of a program, which the distribution's package brings if it is not there.
 * @param {string} program
 * @param {{ debian: string, folders?: () => string[] }} options
 */
function need(program, { debian, folders = () => [] }) {
  const found = find(program, folders());
  if (found) return found;
  if (process.getuid?.() === 0 && find('apt-get')) {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    execFileSync('apt-get', ['update'], { stdio: 'ignore' });
    execFileSync('apt-get', ['install', '-y', '--no-install-recommends', debian], { stdio: 'ignore', env });
  }
  const installed = find(program, folders());
  if (!installed) throw new Error(`${program} is missing: install the package ${debian}`);
  return installed;
}

/** A port of 127.0.0.1 that nobody listens on. */
function freePort() {
  return new Promise((resolve, reject) => {
    const server = net.createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** True once somebody accepts connections. */
function accepts(port) {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

/** A folder that is removed with the test. */
function temporaryFolder(t, prefix = 'hotpath-') {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), prefix));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

/**
 * Starts a program and waits until it accepts connections.
 * @param {string} command
 * @param {string[]} args
 * @param {{ port: number, uid?: number, gid?: number, env?: NodeJS.ProcessEnv }} options
 */
async function start(command, args, { port, ...options }) {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'], ...options });
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

module.exports = { find, freePort, need, start, stop, temporaryFolder };
