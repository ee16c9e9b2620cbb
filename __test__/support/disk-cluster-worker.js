'use strict';

// A cluster worker of the test of several processes: writes and reads the keys that the others write and read.

const [, , root, directory] = process.argv;
const { DiskCache } = require(root);

/** The primary starts as many. */
const WORKERS = 4;

async function work() {
  const cache = new DiskCache({ directory });
  const report = { wrong: [], seen: 0, sets: 1 };
  // All at once, or the first is done before the last has started.
  await cache.increment('ready');
  while ((await cache.get('ready')) < WORKERS) await new Promise((resolve) => setImmediate(resolve));
  for (let i = 0; i < 200; i += 1) {
    const key = `shared:${i % 20}`;
    const value = { by: process.pid, i, again: [process.pid, i], text: String(i).repeat(200) };
    await Promise.all([cache.set(key, value), cache.increment('count')]);
    report.sets += 2;
    const read = await cache.get(`shared:${(i * 7) % 20}`);
    if (read === undefined) continue;
    if (read.again[0] !== read.by || read.again[1] !== read.i || read.text !== String(read.i).repeat(200)) {
      report.wrong.push(read);
    }
    if (read.by !== process.pid) report.seen += 1;
  }
  await cache.close();
  process.send(report, () => process.disconnect());
}

work();
