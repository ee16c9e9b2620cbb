'use strict';

// Counts the words of all files below a folder, as durable jobs: node examples/durable-jobs/main.js [folder]
// Ctrl-C (or kill -9) at any time: started again, it goes on where it was.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { parseArgs } = require('node:util');
const { AsyncProcessingEngine } = require('../..');
const { ProgressBar } = require('../hash-files/progress-bar.js');

const OPTIONS = /** @type {const} */ ({
  store: { type: 'string', default: path.join(os.tmpdir(), 'hotpath-durable-jobs') },
  pace: { type: 'string', default: '20' },
});

/** @param {string} folder */
function filesBelow(folder) {
  return fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath ?? entry.path, entry.name));
}

/** A processor may run twice for a job whose process died: counting words again does no harm. @param {{ file: string, paceMs: number }} data */
async function countWords({ file, paceMs }) {
  const text = await fs.promises.readFile(file, 'utf8');
  // So that there is time for Ctrl-C.
  await new Promise((resolve) => setTimeout(resolve, paceMs));
  return text.split(/\s+/).filter(Boolean).length;
}

async function main() {
  const { positionals, values } = parseArgs({ allowPositionals: true, options: OPTIONS });
  const interrupted = new Promise((resolve) => {
    process.once('SIGINT', () => resolve(true));
  });
  const folder = path.resolve(positionals[0] ?? path.join(__dirname, '..', '..', 'src'));
  const engine = new AsyncProcessingEngine({
    store: values.store,
    maxConcurrentJobs: 4,
    maxFinishedJobs: Number.POSITIVE_INFINITY,
  });
  const files = filesBelow(folder);
  // The name makes submitting safe to repeat: what is known already is not added again.
  await Promise.all(
    files.map((file) => {
      const id = `words:${file}`;
      return engine.submitJob('words', { file, paceMs: Number(values.pace) }, { id });
    }),
  );

  const known = await Promise.all(files.map((file) => engine.getJob(`words:${file}`)));
  const done = known.filter((job) => job?.status === 'completed').length;
  console.log(done === 0 ? `${files.length} files` : `${files.length} files, ${done} of them done by an earlier run`);
  const bar = new ProgressBar(files.length);
  bar.advance(done);
  engine.on('completed', () => bar.advance(1));
  engine.on('dead', ({ jobId, error }) => console.error(`\n${jobId}: ${error.message}`));

  engine.registerProcessor('words', countWords);
  const stopped = await Promise.race([interrupted, allDone(engine)]);
  // What is being worked on ends; what waits stays in the store.
  if (stopped === true) {
    const { queue } = await engine.getStats();
    await engine.close();
    bar.end();
    console.log(`Stopped; about ${queue.pending} jobs wait in ${values.store}. Start again to go on.`);
    return;
  }
  const jobs = await Promise.all(files.map((file) => engine.getJob(`words:${file}`)));
  const words = jobs.reduce((sum, job) => sum + Number(job?.result ?? 0), 0);
  await engine.close();
  bar.end();
  console.log(`${words} words in ${files.length} files`);
  fs.rmSync(values.store, { recursive: true, force: true });
}

/** Resolves when nothing waits and nothing is worked on. @param {AsyncProcessingEngine} engine */
async function allDone(engine) {
  for (;;) {
    const { pending, active } = (await engine.getStats()).queue;
    if (pending + active === 0 || engine.closed) return false;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

main();
