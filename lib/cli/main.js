'use strict';

// `npx hotpath <command>`. Exit codes: 0 all is well, 1 it failed, 2 wrong use, 130 ended by Ctrl-C.

const { nearest } = require('../nearest.js');
const { UsageError } = require('./arguments.js');

/** @type {Record<string, () => { run(args: string[]): Promise<number>, usage: string }>} */
const COMMANDS = {
  bench: () => require('./bench.js'),
  demo: () => require('./demo.js'),
  load: () => require('./load.js'),
};

const USAGE = `Usage: npx hotpath <command> [options]

  load <url or scenario file>   put a server under load and measure its answers
  bench                         a short comparison of hotpath with plain JavaScript, on this machine
  demo                          an application that shows hotpath whole, with its dashboard

  npx hotpath <command> --help  what a command takes
  --version                     the version of hotpath`;

/** @param {string[]} args */
async function main(args) {
  const code = await run(args).catch(failed);
  process.exitCode = code;
}

/** @param {string[]} args @returns {Promise<number>} */
async function run([command, ...args]) {
  if (command === undefined || command === 'help' || command === '--help' || command === '-h') {
    console.log(USAGE);
    return command === undefined ? 2 : 0;
  }
  if (command === '--version' || command === '-v') {
    console.log(require('../../package.json').version);
    return 0;
  }
  if (!Object.hasOwn(COMMANDS, command)) {
    const near = nearest(command, Object.keys(COMMANDS));
    throw new UsageError(`Unknown command ${command.slice(0, 40)}; the nearest is ${near}`);
  }
  const { run: runCommand, usage } = COMMANDS[command]();
  if (args.includes('--help') || args.includes('-h')) {
    console.log(usage);
    return 0;
  }
  return runCommand(args);
}

/** @param {any} error */
function failed(error) {
  const usage = error instanceof UsageError || ['ERR_INVALID_ARG_TYPE', 'ERR_OUT_OF_RANGE'].includes(error?.code);
  const known = usage || String(error?.code).startsWith('ERR_HOTPATH') || error?.code === 'MODULE_NOT_FOUND';
  console.error(known ? `hotpath: ${error.message}` : error);
  return usage ? 2 : 1;
}

module.exports = { main };
