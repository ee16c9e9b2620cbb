'use strict';

// Builds the native addon with cargo and puts it where lib/native.js looks.
//   node scripts/build.js [--release | --profile <name>] [--if-stale]
// Without a flag it is a debug build, under a name of its own. Cargo decides what to compile again; --if-stale does
// not even start it when no source is newer than the addon.

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { parseArgs } = require('node:util');
const { root, localBuild } = require('../lib/platform.js');

class BuildError extends Error {}

/** Where the addon of a cargo profile goes. @param {string} profile */
function destination(profile) {
  return localBuild(profile === 'dev' ? 'debug' : 'release');
}

/** @param {string} profile */
function isStale(profile) {
  const built = fs.statSync(destination(profile), { throwIfNoEntry: false });
  if (built === undefined) return true;
  const sources = fs
    .readdirSync(path.join(root, 'src'), { recursive: true })
    .map((name) => path.join('src', `${name}`));
  return ['Cargo.toml', 'Cargo.lock', 'build.rs', ...sources].some(
    (name) => fs.statSync(path.join(root, name)).mtimeMs > built.mtimeMs,
  );
}

/** Runs cargo and returns the library that it names in its messages. @param {string} profile */
function compile(profile) {
  const args = ['build', '--locked', '--lib', '--profile', profile, '--message-format=json-render-diagnostics'];
  const cargo = spawnSync('cargo', args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (cargo.error) {
    const missing = /** @type {NodeJS.ErrnoException} */ (cargo.error).code === 'ENOENT';
    throw new BuildError(
      missing
        ? 'cargo was not found. Install Rust from https://rustup.rs (and a C compiler), then run `npm rebuild hotpath`.'
        : `cargo could not be started: ${cargo.error.message}`,
    );
  }
  if (cargo.status !== 0) {
    throw new BuildError(
      `cargo build failed (${cargo.signal ?? `exit code ${cargo.status}`}); its messages are above.`,
    );
  }
  for (const line of cargo.stdout.split('\n').reverse()) {
    if (!line.startsWith('{')) continue;
    const { reason, target, filenames } = JSON.parse(line);
    if (reason !== 'compiler-artifact' || target.name !== 'hotpath' || !target.crate_types.includes('cdylib')) continue;
    const library = filenames.find((/** @type {string} */ name) => /\.(so|dylib|dll)$/.test(name));
    if (library) return library;
  }
  throw new BuildError('cargo build named no library: is the crate type in Cargo.toml still "cdylib"?');
}

/**
 * Copies beside the destination and renames: a process that has the old file mapped keeps it, and nobody ever loads
 * half a file (which would be a bus error, not an exception).
 * @param {string} from
 * @param {string} to
 */
function replace(from, to) {
  fs.mkdirSync(path.dirname(to), { recursive: true });
  const temporary = `${to}.${process.pid}.tmp`;
  try {
    fs.copyFileSync(from, temporary);
    fs.renameSync(temporary, to);
  } catch (error) {
    fs.rmSync(temporary, { force: true });
    throw error;
  }
  // --if-stale compares with the moment of this build; a copy keeps no such promise on every file system.
  const now = new Date();
  fs.utimesSync(to, now, now);
}

/**
 * @param {string} profile a cargo profile: 'dev', 'release' or another one of Cargo.toml
 * @returns {string} the addon's path
 */
function build(profile) {
  const to = destination(profile);
  replace(compile(profile), to);
  return to;
}

function main() {
  const { values } = parseArgs({
    options: { release: { type: 'boolean' }, profile: { type: 'string' }, 'if-stale': { type: 'boolean' } },
  });
  const profile = values.profile ?? (values.release ? 'release' : 'dev');
  if (values['if-stale'] && !isStale(profile)) return;
  console.log(`built ${path.relative(root, build(profile))}`);
}

if (require.main === module) {
  try {
    main();
  } catch (error) {
    console.error(error instanceof BuildError ? `hotpath: ${error.message}` : error);
    process.exitCode = 1;
  }
}

module.exports = { build, BuildError };
