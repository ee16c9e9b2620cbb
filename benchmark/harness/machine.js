const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

/**
 * What a reader needs to judge the figures, and nothing that names the machine.
 *
 * @returns {import('./types.js').Machine}
 */
function machine() {
  const processors = os.cpus();
  return {
    cpu: processors[0]?.model.trim() ?? 'unknown',
    cores: os.availableParallelism?.() ?? processors.length,
    memoryBytes: os.totalmem(),
    os: `${os.type()} ${os.arch()}`,
    node: process.version,
  };
}

/**
 * The installed version of a package. Its package.json is looked for by hand: not every package exports it.
 *
 * @param {string} name
 * @returns {string}
 */
function versionOf(name) {
  const own = readManifest(path.join(__dirname, '..', '..', 'package.json'));
  if (own?.name === name) return own.version;
  const folders = require.resolve.paths(name) ?? [];
  const manifest = folders.map((folder) => readManifest(path.join(folder, name, 'package.json'))).find(Boolean);
  return manifest?.version ?? 'not installed';
}

/** @param {string} file */
function readManifest(file) {
  return fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')) : undefined;
}

module.exports = { machine, versionOf };
