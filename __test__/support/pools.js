'use strict';

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const FIXTURES = path.join(__dirname, '..', 'workers', 'fixtures');
const fixture = (name) => path.join(FIXTURES, name);

/** A pool that is recounted and terminated when the test ends. */
function openPool(t, options, file = 'tasks.js') {
  const { WorkerPool } = require('../..');
  const pool = new WorkerPool(fixture(file), { maxWorkers: 2, ...options });
  t.after(async () => {
    if (!pool.closed) pool.validate();
    await pool.terminate();
  });
  return pool;
}

/** A directory that is removed when the test ends. */
function temporaryDirectory(t) {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'hotpath-'));
  t.after(() => fs.rmSync(directory, { recursive: true, force: true, maxRetries: 10 }));
  return directory;
}

/** What a task came to: `{ value }` or `{ error }`. */
function outcomeOf(promise) {
  return promise.then(
    (value) => ({ value }),
    (error) => ({ error }),
  );
}

/** Threads of this process, on Linux; elsewhere undefined. */
function threadCount() {
  try {
    return fs.readdirSync('/proc/self/task').length;
  } catch {
    return undefined;
  }
}

module.exports = { fixture, openPool, temporaryDirectory, outcomeOf, threadCount };
