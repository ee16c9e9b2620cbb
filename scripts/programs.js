'use strict';

// The programs that tests and benchmarks run beside the product: real servers, a real browser, real checkers.
//   node scripts/programs.js      installs what is missing, in one go, with the distribution's package manager

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

/** Debian keeps each version of PostgreSQL in a folder of its own, away from PATH. */
function postgresFolders() {
  const base = '/usr/lib/postgresql';
  return fs.existsSync(base) ? fs.readdirSync(base).map((version) => path.join(base, version, 'bin')) : [];
}

/** Which of Debian's packages brings a program. @type {Record<string, string>} */
const PACKAGES = {
  'redis-server': 'redis-server',
  'redis-cli': 'redis-tools',
  openssl: 'openssl',
  initdb: 'postgresql',
  postgres: 'postgresql',
  pg_basebackup: 'postgresql',
  pg_isready: 'postgresql',
  prometheus: 'prometheus',
  promtool: 'prometheus',
  nginx: 'nginx-light',
  wrk: 'wrk',
  chromium: 'chromium',
};

/** Where a program is, or undefined. @param {string} program @returns {string | undefined} */
function find(program) {
  const onPath = (process.env.PATH ?? '').split(path.delimiter);
  // What only root is meant to call stands where others do not look.
  const places = [...onPath, '/usr/sbin', ...postgresFolders()];
  return places.map((folder) => path.join(folder, program)).find((file) => fs.existsSync(file));
}

/** @param {string} program @returns {string} where it is; throws when it is not there */
function need(program) {
  if (!Object.hasOwn(PACKAGES, program)) throw new Error(`scripts/programs.js does not know ${program}`);
  const found = find(program);
  if (found) return found;
  throw new Error(`${program} is missing (Debian: apt-get install ${PACKAGES[program]})`);
}

function install() {
  const missing = Object.keys(PACKAGES).filter((program) => !find(program));
  const packages = [...new Set(missing.map((program) => PACKAGES[program]))];
  if (packages.length === 0) return;
  console.log(`installing ${packages.join(', ')}`);
  const root = process.getuid?.() === 0 ? [] : ['sudo', '--non-interactive'];
  // In run level 1 a package does not start its service.
  const env = ['env', 'DEBIAN_FRONTEND=noninteractive', 'RUNLEVEL=1'];
  const apt = (/** @type {string[]} */ ...args) => {
    const [command, ...rest] = [...root, ...env, 'apt-get', '-qq', ...args];
    return spawnSync(command, rest, { stdio: ['ignore', 'ignore', 'inherit'] }).status === 0;
  };
  const done = apt('update') && apt('install', '--yes', '--no-install-recommends', ...packages);
  if (!done) throw new Error(`the tests need ${missing.join(', ')} (Debian's packages ${packages.join(', ')})`);
}

if (require.main === module) install();

module.exports = { find, need };
