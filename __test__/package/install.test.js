'use strict';

// The install script in a copy of the package, with a stand-in for cargo: what matters here is everything around it.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { afterEach, beforeEach, describe, it } = require('node:test');
const { root, target, localBuild } = require('../../lib/platform.js');

/** Any addon that loads: the one that this test run uses. */
const ADDON = process.env.HOTPATH_NATIVE_PATH ?? localBuild('debug');

describe('installation', { skip: process.platform === 'win32' && 'the stand-in is a script with a #! line' }, () => {
  let folder;
  let built;

  beforeEach(() => {
    folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'hotpath-install-')));
    built = path.join(folder, 'build', `hotpath.${target()}.node`);
    for (const name of ['lib', 'scripts', 'package.json']) {
      fs.cpSync(path.join(root, name), path.join(folder, name), { recursive: true });
    }
    fs.mkdirSync(path.join(folder, 'src'));
    for (const name of ['Cargo.toml', 'Cargo.lock', 'build.rs', 'src/lib.rs'])
      fs.writeFileSync(path.join(folder, name), '');
    fs.mkdirSync(path.join(folder, 'bin'));
  });

  afterEach(() => fs.rmSync(folder, { recursive: true, force: true, maxRetries: 10 }));

  /** Puts a `cargo` on the path that runs this JavaScript. */
  function standIn(script) {
    fs.writeFileSync(path.join(folder, 'bin', 'cargo'), `#!${process.execPath}\n${script}`, { mode: 0o755 });
  }

  /** A `cargo` that names this file as what it built. */
  function standInBuilds(library) {
    const artifact = {
      reason: 'compiler-artifact',
      target: { name: 'hotpath', crate_types: ['cdylib', 'rlib'] },
      filenames: [library],
    };
    const output = `a line that is no message\n{"reason":"build-script-executed"}\n${JSON.stringify(artifact)}\n`;
    standIn(`process.stdout.write(${JSON.stringify(output)});`);
  }

  function run(script, args = [], env = {}) {
    const { status, stdout, stderr } = spawnSync(process.execPath, [path.join(folder, 'scripts', script), ...args], {
      encoding: 'utf8',
      env: { PATH: path.join(folder, 'bin'), HOTPATH_NATIVE_PATH: '', ...env },
    });
    return { status, stdout, stderr };
  }

  it('without cargo ends with one clear line', () => {
    const { status, stderr } = run('install.js');
    assert.equal(status, 1);
    assert.match(stderr, /^hotpath: cargo was not found\. Install Rust from https:\/\/rustup\.rs .*\n$/);
  });

  it('does nothing when asked to, or when it is only being packed', () => {
    const nothing = { status: 0, stdout: '', stderr: '' };
    assert.deepEqual(run('install.js', [], { HOTPATH_SKIP_BUILD: '1' }), nothing);
    assert.deepEqual(run('install.js', [], { _PACOTE_NO_PREPARE_: 'git+ssh://example/hotpath.git' }), nothing);
  });

  it('does nothing when an addon loads', () => {
    fs.mkdirSync(path.dirname(built));
    fs.copyFileSync(ADDON, built);
    assert.deepEqual(run('install.js'), { status: 0, stdout: '', stderr: '' });
  });

  it('builds, replacing an addon that does not load', () => {
    const library = path.join(folder, 'libhotpath.so');
    fs.copyFileSync(ADDON, library);
    standInBuilds(library);
    fs.mkdirSync(path.dirname(built));
    fs.writeFileSync(built, 'half a file');
    const { status, stdout, stderr } = run('install.js');
    assert.equal(status, 0, stderr);
    assert.match(stdout, /building it with cargo/);
    assert.deepEqual(fs.readdirSync(path.dirname(built)), [path.basename(built)], 'no temporary file stays');
    assert.ok(fs.readFileSync(built).equals(fs.readFileSync(ADDON)));
  });

  it('fails when cargo fails, names no library, or builds one that does not load', () => {
    standIn('console.error("error: linker `cc` not found"); process.exit(101);');
    assert.match(run('install.js').stderr, /linker `cc` not found\nhotpath: cargo build failed \(exit code 101\)/);
    standIn('');
    assert.match(run('install.js').stderr, /named no library/);
    const broken = path.join(folder, 'broken.so');
    fs.writeFileSync(broken, 'not a library');
    standInBuilds(broken);
    const { status, stderr } = run('install.js');
    assert.equal(status, 1);
    assert.match(stderr, /does not load/);
  });

  it('asks cargo for the release profile, or for the debug build under its own name', () => {
    const library = path.join(folder, 'libhotpath.so');
    fs.writeFileSync(library, 'anything');
    standInBuilds(library);
    assert.equal(run('build.js').status, 0);
    assert.equal(run('build.js', ['--release']).status, 0);
    assert.deepEqual(fs.readdirSync(path.dirname(built)), [`hotpath.${target()}.debug.node`, path.basename(built)]);
    standIn('process.exit(process.argv.includes("--locked") && process.argv.includes("release") ? 3 : 4);');
    assert.match(run('build.js', ['--release']).stderr, /exit code 3/);
    assert.match(run('build.js').stderr, /exit code 4/);
  });

  it('compiles again only when a source is newer, if told so', () => {
    standInBuilds(__filename.replace(/\.js$/, '.so'));
    assert.notEqual(run('build.js', ['--release', '--if-stale']).status, 0, 'nothing built yet: it must try');
    fs.mkdirSync(path.dirname(built), { recursive: true });
    fs.writeFileSync(built, '');
    const soon = Date.now() / 1000 + 60;
    fs.utimesSync(built, soon, soon);
    standIn('process.exit(7);');
    assert.deepEqual(run('build.js', ['--release', '--if-stale']), { status: 0, stdout: '', stderr: '' });
    fs.utimesSync(path.join(folder, 'src', 'lib.rs'), soon + 60, soon + 60);
    assert.match(run('build.js', ['--release', '--if-stale']).stderr, /exit code 7/);
  });
});
