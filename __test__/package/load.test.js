'use strict';

// What a user reads when the addon does not load. Real broken files, each in a process of its own.

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, before, describe, it } = require('node:test');
const { root, target } = require('../../lib/platform.js');

const REPORT = `
  try {
    require(process.argv[1]);
    console.log('{}');
  } catch (error) {
    const { name, code, message, cause } = error;
    const causes = (cause?.errors ?? [cause]).map((one) => one?.code ?? one?.message);
    console.log(JSON.stringify({ ...error, name, code, message, causes }));
  }`;

/** An ELF header for another processor; enough for the operating system to refuse it. */
function foreignElf() {
  const head = Buffer.alloc(64);
  head.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  head.writeUInt16LE(3, 16);
  head.writeUInt16LE(process.arch === 'arm64' ? 62 : 183, 18);
  return Buffer.concat([head, Buffer.alloc(4096)]);
}

describe('an addon that does not load', () => {
  let folder;

  before(() => {
    folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'hotpath-load-')));
    fs.writeFileSync(path.join(folder, 'text.node'), 'this is not a library\n');
    fs.writeFileSync(path.join(folder, 'foreign.node'), foreignElf());
    fs.cpSync(path.join(root, 'lib'), path.join(folder, 'hotpath', 'lib'), { recursive: true });
  });

  after(() => fs.rmSync(folder, { recursive: true, force: true, maxRetries: 10 }));

  /** The error of loading the copy in `folder`, which has neither a build nor a prebuilt package of its own. */
  function loadError(nativePath) {
    const native = path.join(folder, 'hotpath', 'lib', 'native.js');
    const env = { ...process.env, HOTPATH_NATIVE_PATH: nativePath };
    return JSON.parse(execFileSync(process.execPath, ['-e', REPORT, native], { encoding: 'utf8', env }));
  }

  it('is one error that names platform, processor, C library, Node.js version and remedy', () => {
    const error = loadError('');
    assert.equal(error.name, 'HotpathLoadError');
    assert.equal(error.code, 'ERR_HOTPATH_NATIVE_LOAD');
    assert.equal(error.platform, process.platform);
    assert.equal(error.arch, process.arch);
    assert.equal(error.nodeVersion, process.version);
    for (const fact of [process.platform, process.arch, process.version, 'npm rebuild hotpath', 'https://rustup.rs']) {
      assert.ok(error.message.includes(fact), `${fact} in ${error.message}`);
    }
    if (process.platform === 'linux') {
      assert.match(error.libc, /^(glibc \d+\.\d+|musl)$/);
      assert.ok(error.message.includes(error.libc));
    }
  });

  it('lists every place that was tried', () => {
    const { attempts, message } = loadError('');
    assert.deepEqual(
      attempts.map((attempt) => [path.basename(attempt.path), attempt.reason]),
      [
        [target(), 'not found'],
        [`hotpath.${target()}.node`, 'not found'],
        [`hotpath.${target()}.debug.node`, 'not found'],
      ],
    );
    for (const attempt of attempts) assert.ok(message.includes(`${attempt.path}: not found`), message);
  });

  it('gives the words of the operating system, and what the file really is', () => {
    const error = loadError(path.join(folder, 'text.node'));
    assert.deepEqual(error.causes, ['ERR_DLOPEN_FAILED']);
    assert.equal(error.attempts.length, 1, 'HOTPATH_NATIVE_PATH replaces the search');
    assert.match(error.attempts[0].reason, /\w+.* \(the file is not a native addon\)$/);
    assert.match(error.remedy, /HOTPATH_NATIVE_PATH/);
  });

  it('names the processor that the file was built for', { skip: process.platform !== 'linux' }, () => {
    const other = process.arch === 'arm64' ? 'x64' : 'arm64';
    const { attempts } = loadError(path.join(folder, 'foreign.node'));
    assert.match(attempts[0].reason, new RegExp(`\\w+.* \\(the file is built for ${other}\\)$`));
  });

  it('says when HOTPATH_NATIVE_PATH points nowhere or is relative', () => {
    assert.equal(loadError(path.join(folder, 'missing.node')).attempts[0].reason, 'not found');
    assert.match(loadError('build/hotpath.node').attempts[0].reason, /absolute path/);
  });

  it('never runs HOTPATH_NATIVE_PATH as JavaScript', () => {
    const script = path.join(folder, 'script.js');
    fs.writeFileSync(script, 'module.exports = {};\n');
    assert.equal(loadError(script).code, 'ERR_HOTPATH_NATIVE_LOAD');
  });

  it('blames a prebuilt package that is there but broken, and one that misses a module', () => {
    const prebuilt = path.join(folder, 'node_modules', '@hotpath', target());
    fs.mkdirSync(prebuilt, { recursive: true });
    fs.copyFileSync(path.join(folder, 'text.node'), path.join(prebuilt, 'addon.node'));
    const reasonFor = (main) => {
      fs.writeFileSync(path.join(prebuilt, 'index.js'), main);
      return loadError('').attempts[0].reason;
    };
    assert.doesNotMatch(reasonFor("module.exports = require('./addon.node');"), /^not found$/);
    assert.match(reasonFor("require('@hotpath/no-such-module');"), /Cannot find module '@hotpath\/no-such-module'/);
    fs.rmSync(path.join(folder, 'node_modules'), { recursive: true });
  });
});
