'use strict';

// Disk caches for tests: each in a directory of its own, recounted and closed when the test ends.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

/** The caches that a test has opened. @type {WeakMap<object, Set<any>>} */
const opened = new WeakMap();

/** A directory that goes with the test, once its caches are recounted and closed. */
function temporaryDirectory(t) {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'hotpath-disk-'));
  t.after(async () => {
    await closeAll(t);
    fs.rmSync(directory, { recursive: true, force: true, maxRetries: 10 });
  });
  return directory;
}

async function closeAll(t) {
  for (const cache of opened.get(t) ?? []) {
    if (!cache.closed) await cache.validate();
    await cache.close();
  }
}

/** A cache that is recounted and closed when the test ends. */
function openDisk(t, options = {}) {
  const { DiskCache } = require('../..');
  const cache = new DiskCache({ directory: options.directory ?? temporaryDirectory(t), ...options });
  if (!opened.has(t)) opened.set(t, new Set());
  opened.get(t).add(cache);
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
