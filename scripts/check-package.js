'use strict';

// Checks the package as users get it: packs it, installs the tarball in a folder of its own, and uses it there.
// Takes the release addon that is built already; --build lets the install script build it from the packed sources.

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { root, localBuild } = require('../lib/platform.js');

const SOURCES = path.join(root, '__test__', 'package', 'consumer');
const NEEDED = [
  'bin/hotpath.js',
  'examples/express-app/server.js',
  'index.js',
  'index.d.ts',
  'types/cache.d.ts',
  'lib/native.js',
  'scripts/install.js',
  'scripts/build.js',
];
const NEEDED_TO_BUILD = ['Cargo.toml', 'Cargo.lock', 'build.rs', 'src/lib.rs'];
/** Of the examples, only what `npx hotpath demo` starts. */
const UNWANTED = /^(build|target|node_modules|__test__|benchmark|examples(?!\/express-app)|\.ci)\/|\.node$|\.tgz$/;

const tool = (/** @type {string} */ name) => path.join(root, 'node_modules', '.bin', name);
/** npm runs this script with its own settings in the environment; the installation below must not inherit them. */
const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)));

/**
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd: string, env?: NodeJS.ProcessEnv }} options
 */
function run(command, args, { cwd, env = {} }) {
  return execFileSync(command, args, {
    cwd,
    env: { ...environment, HOTPATH_NATIVE_PATH: '', ...env },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: process.platform === 'win32',
  });
}

/** @param {string} folder @returns {string} the tarball */
function pack(folder) {
  const [{ filename, files }] = JSON.parse(
    run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], { cwd: root }),
  );
  const names = files.map((/** @type {{ path: string }} */ file) => file.path);
  const missing = [...NEEDED, ...NEEDED_TO_BUILD].filter((name) => !names.includes(name));
  const unwanted = names.filter((/** @type {string} */ name) => UNWANTED.test(name));
  if (missing.length + unwanted.length > 0) {
    throw new Error(`the tarball misses [${missing}] and should not have [${unwanted}]`);
  }
  return path.join(folder, filename);
}

/**
 * Installs the tarball in a project outside the repository, where nothing resolves by accident.
 * @param {string} project
 * @param {string} tarball
 * @param {boolean} building
 */
function install(project, tarball, building) {
  fs.cpSync(SOURCES, project, { recursive: true });
  fs.writeFileSync(path.join(project, 'package.json'), JSON.stringify({ name: 'consumer', private: true }));
  const env = building ? { CARGO_TARGET_DIR: path.join(root, 'target') } : { HOTPATH_SKIP_BUILD: '1' };
  run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', tarball], { cwd: project, env });
  if (building) return;
  const build = path.join(project, 'node_modules', 'hotpath', 'build');
  fs.mkdirSync(build);
  fs.copyFileSync(localBuild('release'), path.join(build, path.basename(localBuild('release'))));
}

/** @param {string} project @param {string} module @param {string} moduleResolution */
function compile(project, module, moduleResolution) {
  const types = path.join(root, 'node_modules', '@types');
  const flags = [
    '--noEmit',
    '--strict',
    '--esModuleInterop',
    '--target',
    'es2022',
    '--types',
    'node',
    '--typeRoots',
    types,
  ];
  run(tool('tsc'), [...flags, '--module', module, '--moduleResolution', moduleResolution, 'app.ts'], { cwd: project });
}

/** @param {string} folder @param {boolean} building @returns {[name: string, check: () => void][]} */
function checks(folder, building) {
  const project = path.join(folder, 'project');
  let tarball = '';
  return [
    [
      'pack',
      () => {
        tarball = pack(folder);
      },
    ],
    ['publint', () => void run(tool('publint'), ['--strict', tarball], { cwd: root })],
    // For browsers, and so for bundlers: an ES module and a style sheet, which Node would not resolve as attw wants it.
    [
      'attw',
      () => {
        const browser = ['--exclude-entrypoints', './react', './react/dashboard.css'];
        run(tool('attw'), [tarball, '--no-emoji', ...browser], { cwd: root });
      },
    ],
    ['install the tarball', () => install(project, tarball, building)],
    [
      'the sources in the tarball are complete for cargo',
      () => {
        const args = ['metadata', '--locked', '--no-deps', '--format-version', '1'];
        run('cargo', args, { cwd: path.join(project, 'node_modules', 'hotpath') });
      },
    ],
    ['require', () => void run(process.execPath, ['require.cjs'], { cwd: project })],
    ['import', () => void run(process.execPath, ['import.mjs'], { cwd: project })],
    ['types, moduleResolution node16', () => compile(project, 'node16', 'node16')],
    ['types, moduleResolution bundler', () => compile(project, 'esnext', 'bundler')],
    ['types, moduleResolution node10', () => compile(project, 'commonjs', 'node10')],
  ];
}

function main() {
  const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'hotpath-package-')));
  let passed = 0;
  try {
    for (const [name, check] of checks(folder, process.argv.includes('--build'))) {
      try {
        check();
      } catch (error) {
        const { stdout = '', stderr = '', message } = /** @type {any} */ (error);
        console.error(`${stdout}${stderr}package check failed: ${name}: ${message}`);
        process.exitCode = 1;
        return;
      }
      passed++;
    }
    console.log(`${passed} package checks passed`);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

main();
