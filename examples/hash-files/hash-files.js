'use strict';

// Hashes all files below a folder in worker threads, with a progress bar: node examples/hash-files/hash-files.js [folder]
// Ctrl-C aborts what waits and what runs, and still prints what is known.

const fs = require('node:fs');
const path = require('node:path');
const os = require('node:os');
const { parseArgs } = require('node:util');
const { WorkerPool } = require('../..');
const { ProgressBar } = require('./progress-bar.js');

/** Large files first: the last ones to finish are then small. @param {number} bytes */
const priorityOf = (bytes) => Math.round(Math.log2(bytes + 1));

/** @param {string} folder */
function* filesBelow(folder) {
  for (const entry of fs.readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = path.join(entry.parentPath ?? entry.path, entry.name);
    yield { file, bytes: fs.statSync(file).size };
  }
}

async function main() {
  const { positionals } = parseArgs({ allowPositionals: true });
  const folder = path.resolve(positionals[0] ?? path.join(__dirname, '..', '..', 'src'));
  const files = [...filesBelow(folder)];
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const bar = new ProgressBar(total);
  const abort = new AbortController();
  process.once('SIGINT', () => abort.abort(new Error('Ctrl-C')));

  const pool = new WorkerPool(path.join(__dirname, 'hash-file.js'), {
    maxWorkers: os.availableParallelism(),
    timeout: 60_000,
  });
  pool.on('message', ({ bytes }) => bar.advance(bytes));

  const results = await Promise.allSettled(
    files.map(({ file, bytes }) =>
      pool.execute(file, { priority: priorityOf(bytes), retries: 1, signal: abort.signal }),
    ),
  );
  bar.end();
  const { jobs, workers } = pool.getStats();
  await pool.terminate();

  for (const [index, result] of results.entries()) {
    const name = path.relative(folder, files[index].file);
    console.log(
      result.status === 'fulfilled' ? `${result.value}  ${name}` : `failed: ${result.reason.message}  ${name}`,
    );
  }
  console.error(`${jobs.completed} of ${files.length} files, ${total} bytes, ${workers.total} workers`);
  process.exitCode = jobs.completed === files.length ? 0 : 1;
}

main();
