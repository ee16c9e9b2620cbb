'use strict';

// The example of durable jobs: stopped in the middle, killed, and started again to the end.

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { it } = require('node:test');
const { AsyncProcessingEngine } = require('../..');
const { temporaryDirectory } = require('../support/pools');
const { settled, waitFor } = require('../support');

const EXAMPLE = path.join(__dirname, '..', '..', 'examples', 'durable-jobs', 'main.js');

it('goes on where it was after Ctrl-C and after kill -9', async (t) => {
  const folder = temporaryDirectory(t);
  const texts = path.join(folder, 'texts');
  fs.mkdirSync(texts);
  for (let file = 0; file < 40; file++) fs.writeFileSync(path.join(texts, `${file}.txt`), 'two words\n'.repeat(file));
  const store = path.join(folder, 'store');
  const start = (paceMs) => {
    const child = spawn(process.execPath, [EXAMPLE, texts, '--store', store, '--pace', String(paceMs)]);
    t.after(() => child.kill('SIGKILL'));
    const run = { child, output: '' };
    child.stdout.setEncoding('utf8').on('data', (text) => (run.output += text));
    child.stderr.setEncoding('utf8').on('data', (text) => (run.output += text));
    run.ended = new Promise((resolve) => child.once('close', (code, signal) => resolve({ code, signal })));
    return run;
  };
  const first = start(50);
  // The store can be watched from here: processes share it.
  await waitFor(() => first.output.includes('40 files'));
  const watch = new AsyncProcessingEngine({ store });
  t.after(() => watch.destroy());
  const completed = (least) => waitFor(async () => (await watch.getStats()).jobs.completed >= least);
  await completed(2);
  first.child.kill('SIGINT');
  assert.deepEqual(await settled(first.ended), { code: 0, signal: null }, first.output);
  assert.match(first.output, /Stopped; about \d+ jobs wait/);
  const second = start(50);
  await waitFor(() => second.output.includes('40 files'));
  await completed((await watch.getStats()).jobs.completed + 2);
  second.child.kill('SIGKILL');
  assert.equal((await settled(second.ended)).signal, 'SIGKILL');
  await watch.close();
  const third = start(0);
  assert.deepEqual(await settled(third.ended, { timeoutMs: 60_000 }), { code: 0, signal: null }, third.output);
  assert.match(third.output, /of them done by an earlier run/);
  assert.match(third.output, /1560 words in 40 files/);
});
