const { monitorEventLoopDelay } = require('node:perf_hooks');
const { digestOf } = require('../harness/digest.js');
const { bareIoredis, cacheService } = require('./cache-service-contenders.js');
const { withServer } = require('./redis-contenders.js');

/** Commands that take longer than this are written down by the server, in microseconds. */
const NOTED_US = 100;
const NOTES = 100_000;

/** With its own `delPattern`, as applications write it: a scan, and a deletion for each page of it. */
const scanning = {
  ...bareIoredis,
  /** @param {Record<string, unknown>} options */
  open({ url, ...options }) {
    const { Redis } = require('ioredis');
    const client = new Redis(/** @type {string} */ (url), /** @type {any} */ (options));
    return {
      get: (/** @type {string} */ key) => client.get(key),
      set: (/** @type {string} */ key, /** @type {unknown} */ value) => client.set(key, `${value}`),
      async delPattern(/** @type {string} */ pattern) {
        let deleted = 0;
        for await (const keys of client.scanStream({ match: `${pattern}:*`, count: 1000 })) {
          if (keys.length > 0) deleted += await client.unlink(keys);
        }
        return deleted;
      },
      close: () => client.disconnect(),
    };
  },
};

/**
 * With a connection of the trial's own.
 *
 * @template T
 * @param {import('../harness/types.js').Context} context
 * @param {(cache: any, control: any) => Promise<T>} use
 */
function withControl(context, use) {
  return withServer(context, async (cache, server) => {
    const { Redis } = require('ioredis');
    const control = new Redis(server.url);
    try {
      return await use(cache, control);
    } finally {
      control.disconnect();
    }
  });
}

/** @type {import('../harness/types.js').Trial} */
module.exports = {
  name: 'delete-pattern',
  title: 'Deleting a million keys by a pattern',
  description:
    '`delPattern` over a million keys, beside as many others, on a server of its own. The server notes how long its ' +
    'commands take, and the client how long its event loop is blocked. ioredis scans and unlinks page by page.',
  settings: {
    smoke: { rounds: 1, entries: 2_000 },
    quick: { rounds: 3, entries: 1_000_000 },
    full: { rounds: 5, entries: 1_000_000 },
  },
  cases: { million: { title: 'a million of two' } },
  measures: {
    time: { label: 'time in all', unit: 'milliseconds', better: 'lower', chart: true },
    command: { label: 'longest command of the server', unit: 'milliseconds', better: 'lower', chart: true },
    blocked: { label: 'longest block of the event loop', unit: 'milliseconds', better: 'lower', chart: true },
  },
  floors: [
    { measure: 'command', atMost: 10 },
    { measure: 'blocked', atMost: 10 },
  ],
  contenders: { hotpath: cacheService, ioredis: /** @type {any} */ (scanning) },

  check: (context) =>
    withControl(context, async (cache, control) => {
      await control.debug('POPULATE', '500', 'temp');
      await control.debug('POPULATE', '500', 'kept');
      return digestOf([await cache.delPattern('temp'), (await control.keys('*temp*')).length]);
    }),

  run: (context) =>
    withControl(context, async (cache, control) => {
      const { entries } = context.settings;
      await cache.get('a first connection');
      await control.debug('POPULATE', `${entries}`, 'temp');
      await control.debug('POPULATE', `${entries}`, 'kept');
      await control.config('SET', 'slowlog-log-slower-than', `${NOTED_US}`);
      await control.config('SET', 'slowlog-max-len', `${NOTES}`);
      await control.slowlog('RESET');
      const delay = monitorEventLoopDelay({ resolution: 1 });
      delay.enable();
      const before = process.hrtime.bigint();
      const deleted = await cache.delPattern('temp');
      const time = Number(process.hrtime.bigint() - before) / 1e6;
      delay.disable();
      const notes = await control.slowlog('GET', NOTES);
      const longest = notes.reduce(
        (/** @type {number} */ most, /** @type {any[]} */ note) => Math.max(most, Number(note[2])),
        NOTED_US,
      );
      return {
        measures: { time, command: longest / 1000, blocked: Math.max(0, delay.max / 1e6 - 1) },
        checksum: deleted,
      };
    }),
};
