'use strict';

// Every public member of the classes that monitor, in every state that they can be in.

const assert = require('node:assert/strict');
const { after, before, describe, it } = require('node:test');
const hotpath = require('hotpath');
const { errors, runInWorker } = require('../support');
const { MONITORS } = require('../support/monitors');

for (const [name, { make, uses, always, end, fill }] of Object.entries(MONITORS)) {
  describe(`state matrix of ${name}`, () => {
    it('knows every public member', () => {
      const members = Object.getOwnPropertyNames(hotpath[name].prototype).filter((member) => member !== 'constructor');
      assert.deepEqual(members.sort(), Object.keys(uses).sort());
    });

    const full = make();
    before(() => fill(full));
    after(() => full[end]());

    for (const [member, use] of Object.entries(uses)) {
      it(`${member}: new, busy, full, closed and closed twice`, async () => {
        const fresh = make();
        await use(fresh);
        fresh[end]();

        const busy = make();
        busy.start?.();
        const used = use(busy);
        if (!busy.closed) {
          busy.collectSystemMetrics?.();
          busy.collectMetrics?.();
        }
        await used;
        busy[end]();

        await use(member === end ? make() : full);

        for (const closed of [fresh, busy]) {
          closed[end]();
          if (always.includes(member)) await use(closed);
          else await assert.rejects(async () => use(closed), errors.closed);
        }
      });
    }
  });
}

describe('state matrix: inside a listener', () => {
  for (const name of ['PerformanceMonitor', 'PerformanceMonitoringEngine', 'MemoryMonitor']) {
    const { make, uses } = MONITORS[name];
    for (const [member, use] of Object.entries(uses)) {
      it(`${name}.${member}`, async () => {
        const monitor = make();
        let answer;
        let heard = 0;
        const listen = () => {
          heard += 1;
          // Only the first: what it does may raise another.
          if (heard === 1) answer = Promise.resolve(use(monitor));
        };
        raise(monitor, listen);
        assert.ok(heard > 0);
        await answer;
        monitor.close();
        monitor.close();
      });
    }
  }
});

/** Has an alert fire now. */
function raise(monitor, listener) {
  if (monitor instanceof hotpath.MemoryMonitor) {
    const eager = new hotpath.MemoryMonitor({ threshold: 1e-9, criticalThreshold: 1, logger: { warn() {}, log() {} } });
    eager.once('warning', listener);
    eager.checkMemoryUsage();
    eager.close();
    return;
  }
  monitor.on('alert', listener);
  if (monitor instanceof hotpath.PerformanceMonitor) {
    monitor.triggerAlert('BY_HAND');
  } else {
    monitor.recordRequest(1, false);
    monitor.checkAlerts();
  }
}

it('state matrix: in a worker thread', async () => {
  const names = await runInWorker(async ({ require: load }) => {
    const { MONITORS: kinds } = load('./monitors');
    const used = [];
    for (const [name, { make, uses, end }] of Object.entries(kinds)) {
      for (const [member, use] of Object.entries(uses)) {
        const monitor = make();
        await use(monitor);
        monitor[end]();
        used.push(`${name}.${member}`);
      }
    }
    return used;
  });
  const all = Object.entries(MONITORS).flatMap(([name, { uses }]) => Object.keys(uses).map((use) => `${name}.${use}`));
  assert.deepEqual(names, all);
});

describe('a listener that throws', () => {
  it('keeps nobody from hearing of the other alerts', async () => {
    const { PerformanceMonitor } = hotpath;
    const monitor = new PerformanceMonitor({
      logger: {
        warn() {
          throw new Error('the logger, expected by the test');
        },
      },
      options: { enabled: false },
    });
    const surfaced = [];
    const heard = [];
    const before = process.rawListeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.on('uncaughtException', (error) => surfaced.push(error.message));
    monitor.on('alert', () => {
      throw new Error('the listener, expected by the test');
    });
    monitor.on('alert', ({ type }) => heard.push(type));
    monitor.triggerAlert('FIRST');
    monitor.triggerAlert('SECOND');
    await new Promise(setImmediate);
    process.removeAllListeners('uncaughtException');
    for (const listener of before) process.on('uncaughtException', listener);
    monitor.close();
    assert.deepEqual(heard, ['FIRST', 'SECOND']);
    assert.equal(surfaced.length, 4);
    assert.match(surfaced[0], /the logger/);
  });
});
