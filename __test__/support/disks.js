'use strict';

// Disk caches for tests: each in a directory of its own, recounted and closed when the test ends.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

/** A directory that goes with the test. */
function temporaryDirectory(t) {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'hotpath-disk-'));
  t.after(() => fs.rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** A cache that is recounted and closed when the test ends. */
function openDisk(t, options = {}) {
  const { DiskCache } = require('../..');
  const cache = new DiskCache({ directory: options.directory ?? temporaryDirectory(t), ...options });
  t.after(async () => {
    if (cache.closed) return;
    await cache.validate();
    await cache.close();
  });
  return cache;
}

/** The files of large values. */
function filesOf({ directory }) {
  const folder = path.join(directory, 'files');
  return fs.existsSync(folder) ? fs.readdirSync(folder).map((name) => path.join(folder, name)) : [];
}

/** All bytes of a stream. */
async function drained(stream) {
  const pieces = [];
  for await (const piece of stream) pieces.push(piece);
  return Buffer.concat(pieces);
}

module.exports = { temporaryDirectory, openDisk, filesOf, drained };
