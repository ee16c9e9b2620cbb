'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { startChild, runInChild, startWorker, settled, together, waitFor } = require('../support');
const { temporaryDirectory, openDisk, filesOf } = require('../support/disks');

describe('DiskCache, several processes', () => {
  it('4 cluster workers read and write the same keys', { timeout: 120_000 }, async (t) => {
    const directory = temporaryDirectory(t);
    const { said, code, stderr } = await runInChild(
      async ({ root, say, require: get }, { there, entry }) => {
        const cluster = get('node:cluster');
        cluster.setupPrimary({ exec: entry, args: [root, there] });
        const reports = [];
        for (let i = 0; i < 4; i += 1) cluster.fork().on('message', (report) => reports.push(report));
        let gone = 0;
        await new Promise((resolve) => cluster.on('exit', () => ++gone === 4 && resolve()));
        say(reports);
      },
      {
        data: { there: directory, entry: path.join(__dirname, '..', 'support', 'disk-cluster-worker.js') },
        timeoutMs: 110_000,
      },
    );
    assert.equal(code, 0, stderr);
    const [reports] = said;
    assert.equal(reports.length, 4, stderr);
    for (const { wrong, seen } of reports) {
      assert.deepEqual(wrong, []);
      assert.ok(seen > 0, 'each worker sees what others wrote');
    }
    const cache = openDisk(t, { directory });
    assert.equal(await cache.get('count'), 4 * 200);
    assert.equal(
      cache.stats.sets,
      reports.reduce((sum, report) => sum + report.sets, 0),
    );
    assert.equal(cache.stats.rebuilt, false);
  });

  it('30 times kill -9 while writing: opens each time, and no value is wrong', { timeout: 240_000 }, async (t) => {
    const directory = temporaryDirectory(t);
    let survivors = 0;
    for (let round = 0; round < 30; round += 1) {
      const { child, hears, ended } = startChild(
        async ({ load, say }, { there, turn }) => {
          const { DiskCache } = load();
          const cache = new DiskCache({ directory: there, diskLimit: 20_000_000, streamThresholdBytes: 50_000 });
          if (cache.stats.rebuilt) say('rebuilt');
          for (let i = 0; ; i += 1) {
            const fill = (i * 31 + turn) % 256;
            const sizes = [10, 1_000, 5_000, 100_000];
            const writes = sizes.map((size, index) =>
              cache.set(`k${(i * 4 + index) % 400}`, { fill, bytes: Buffer.alloc(size, fill) }),
            );
            writes.push(cache.setStream(`s${i % 5}`, [Buffer.alloc(40_000, fill), Buffer.alloc(40_000, fill)]));
            writes.push(cache.delete(`k${(i * 7) % 400}`));
            if (i % 20 === 0) await Promise.all(writes);
            if (i === 20 + turn) say('written');
          }
        },
        { there: directory, turn: round },
      );
      await hears('written');
      child.kill('SIGKILL');
      const { said, stderr } = await ended;
      assert.ok(!said.includes('rebuilt'), `round ${round}`);
      assert.equal(stderr, '');
      // In a process of its own: each of them opens after a kill.
      const check = await runInChild(
        async ({ load, say }, there) => {
          const { DiskCache } = load();
          const cache = new DiskCache({ directory: there, diskLimit: 20_000_000, streamThresholdBytes: 50_000 });
          let sound = 0;
          const wrong = [];
          for (const key of await cache.keys()) {
            const value = await cache.get(key);
            if (value === undefined) continue;
            const bytes = Buffer.isBuffer(value) ? value : value.bytes;
            const fill = Buffer.isBuffer(value) ? value[0] : value.fill;
            if (bytes.every((byte) => byte === fill)) sound += 1;
            else wrong.push(key);
          }
          await cache.validate();
          const { rebuilt, damaged } = cache.stats;
          await cache.close();
          say({ sound, wrong, rebuilt, damaged });
        },
        { data: directory },
      );
      assert.equal(check.code, 0, check.stderr);
      const { sound, ...report } = check.said[0];
      assert.deepEqual(report, { wrong: [], rebuilt: false, damaged: 0 }, `round ${round}`);
      survivors += sound;
    }
    assert.ok(survivors > 30 * 50);
    const cache = openDisk(t, { directory });
    // What the killed writers left half is collected at the opening.
    await waitFor(() => filesOf(cache).length === cache.stats.files);
    assert.deepEqual(fs.readdirSync(directory).sort(), ['checkpoint', 'data.mdb', 'files', 'lock.mdb', 'opening.lock']);
  });

  it('a process that awaits stays, one that does not leaves by itself', async (t) => {
    const directory = temporaryDirectory(t);
    const awaits = await runInChild(
      async ({ load, say }, there) => {
        const { DiskCache } = load();
        const cache = new DiskCache({ directory: there });
        await cache.set('key', 'value');
        say(await cache.get('key'));
      },
      { data: directory },
    );
    assert.deepEqual([awaits.code, awaits.said], [0, ['value']]);
    const idle = await runInChild(
      ({ load, say }, there) => {
        const { DiskCache } = load();
        const cache = new DiskCache({ directory: there });
        cache.on('set', () => {});
        say(cache.getSync('key'));
      },
      { data: directory },
    );
    assert.deepEqual([idle.code, idle.said], [0, ['value']]);
    const exits = await runInChild(
      ({ load }, there) => {
        const { DiskCache } = load();
        const cache = new DiskCache({ directory: there });
        for (let i = 0; i < 1_000; i += 1) cache.set(`k${i}`, Buffer.alloc(1_000));
        process.exit(7);
      },
      { data: directory },
    );
    assert.equal(exits.code, 7, exits.stderr);
    assert.equal(openDisk(t, { directory }).getSync('key'), 'value');
  });
});

describe('DiskCache, several threads', () => {
  it('count together', async (t) => {
    const cache = openDisk(t);
    await together(
      3,
      async ({ load }, { directory }) => {
        const { DiskCache } = load();
        const mine = new DiskCache({ directory });
        for (let i = 0; i < 100; i += 1) await mine.increment('count');
        await mine.close();
      },
      { directory: cache.directory },
    );
    assert.equal(cache.getSync('count'), 300);
  });

  it('come and go with operations in flight', { timeout: 120_000 }, async (t) => {
    const cache = openDisk(t);
    for (let round = 0; round < 12; round += 1) {
      const thread = startWorker(
        async ({ load, say }, { directory, turn }) => {
          const { DiskCache } = load();
          const mine = new DiskCache({ directory });
          mine.on('set', () => {});
          for (let i = 0; i < 200; i += 1) mine.set(`k${i}`, { i, bytes: Buffer.alloc(500) }).catch(() => {});
          mine.setStream('stream', [Buffer.alloc(2_000_000)]).catch(() => {});
          const stream = await mine.getStream('stream');
          stream?.read();
          mine.keys().catch(() => {});
          say('under way');
          if (turn % 3 === 1) process.exit(0);
          if (turn % 3 === 2) throw new Error('expected by the test');
          for (;;) await mine.get('k1');
        },
        { directory: cache.directory, turn: round },
      );
      await thread.said('under way');
      if (round % 3 === 0) await thread.terminate();
      await settled(thread.exited, { what: 'a worker to leave' });
      assert.equal(await cache.set('still', round), true);
    }
    await cache.validate();
  });
});
