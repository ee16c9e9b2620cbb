// What the demo application does under load.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { LoadTester } = require('../..');
const places = require('../../examples/express-app/places.js');

/** Users at a time, each of whom asks twice a second. */
const USERS = 1000;
const ASKS = 20;
const THINK_SECONDS = 0.5;
const ARRIVE_SECONDS = 5;

/** @typedef {import('./index.js').Row} Row */

/** @param {{ url: string, output: string }} demo @returns {Promise<Row[]>} */
async function measureDemo({ url, output }) {
  const tester = new LoadTester({ logger: false });
  const users = await crowd(tester, url);
  const hot = `${url}${places.examplePaths(1)[0]}`;
  const fastest = await tester.runLoadTest({ url: hot, concurrency: 32, durationMs: 8000 });
  const { hitRatio } = await json(`${url}/stats`);
  const { data: memory } = await json(`${url}/api/performance/memory/stats`);
  const { system } = await json(`${url}/performance/metrics`);
  const [cold, cached] = figures(output, 'latency p50');
  const hits = hitRatio * 100;
  const errors = 100 - users.successRate;
  const rss = memory.current.rss / 2 ** 20;
  const crowdHow = `${USERS} users at a time, each with a connection and a request every half second`;
  const rows = /** @type {[string, string, string, number, string, boolean, string][]} */ ([
    ['000', 'cache hit ratio', '> 95 %', hits, '%', hits > 95, 'Zipf over 300 questions, front and all levels'],
    ['000', 'response time p95', '< 100 ms', users.latency.p95, 'ms', users.latency.p95 < 100, crowdHow],
    [
      '000',
      'memory',
      '< 500 MB',
      rss,
      'MB',
      rss < 500,
      'resident set of the process, three threads with the data set each',
    ],
    [
      '000',
      'throughput',
      '> 10,000 req/s',
      fastest.requestsPerSecond,
      'req/s',
      fastest.requestsPerSecond > 10_000,
      'one cached answer from the front, closed loop, generator on the same two cores',
    ],
    ['001', 'response time p50', '< 100 ms', users.latency.p50, 'ms', users.latency.p50 < 100, crowdHow],
    ['001', 'response time p95', '< 500 ms', users.latency.p95, 'ms', users.latency.p95 < 500, crowdHow],
    ['001', 'response time p99', '< 1,000 ms', users.latency.p99, 'ms', users.latency.p99 < 1000, crowdHow],
    [
      '001',
      'throughput',
      '1,000, better 5,000 req/s',
      fastest.requestsPerSecond,
      'req/s',
      fastest.requestsPerSecond >= 5000,
      'as above',
    ],
    ['001', 'errors', '< 0.1 %', errors, '%', errors < 0.1, crowdHow],
    [
      '002',
      'retrieval through the cache',
      '3-5x faster',
      cold / cached,
      'x',
      cold / cached >= 5,
      'median of first answers through that of cached ones',
    ],
    ['002', 'hit rate', '> 90 %', hits, '%', hits > 90, 'as above'],
    ['003', 'latency of cached items', '99 % less', (1 - cached / cold) * 100, '%', cached / cold <= 0.01, 'as above'],
    ['003', 'average latency', '50-150 ms', users.averageResponseTime, 'ms', users.averageResponseTime < 150, crowdHow],
    ['003', 'success rate', '96-98 %', users.successRate, '%', users.successRate >= 98, crowdHow],
    ['004', 'response time p95', '< 450 ms', users.latency.p95, 'ms', users.latency.p95 < 450, crowdHow],
    [
      '004',
      'throughput with 1,000 users',
      '2,000 req/s',
      users.steadyRate,
      'req/s',
      users.steadyRate >= 2000 * 0.95,
      `${crowdHow}: 2,000 are asked for`,
    ],
    ['004', 'errors', '< 0.2 %', errors, '%', errors < 0.2, crowdHow],
    ['004', 'hit rate', '> 87 %', hits, '%', hits > 87, 'as above'],
    [
      '004',
      'memory of the machine',
      '< 65 %',
      Number.parseFloat(system.memory),
      '%',
      Number.parseFloat(system.memory) < 65,
      'of what the process may use',
    ],
  ]);
  return rows.map(([document, what, target, value, unit, met, how]) => ({
    document,
    what,
    target,
    value,
    unit,
    met,
    how,
  }));
}

/** A thousand users who arrive within seconds, ask again and again, and go. @param {LoadTester} tester @param {string} target */
async function crowd(tester, target) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'hotpath-headline-'));
  const file = path.join(folder, 'users.json');
  const popular = places.examplePaths(300).flatMap((one, rank) => Array(Math.ceil(60 / (rank + 1))).fill(one.slice(1)));
  const steps = [{ get: '/{{ popular }}' }, { think: THINK_SECONDS }];
  const config = { target, phases: [{ duration: ARRIVE_SECONDS, arrivalCount: USERS }], variables: { popular } };
  fs.writeFileSync(file, JSON.stringify({ config, scenarios: [{ flow: [{ loop: steps, count: ASKS }] }] }));
  // Between the last arrival and the first departure all of them are there.
  /** @type {{ at: number, requests: number }[]} */
  const seen = [];
  const note = (/** @type {any} */ { totalTime, totalRequests }) =>
    seen.push({ at: totalTime, requests: totalRequests });
  tester.on('progress', note);
  try {
    const result = await tester.runScenario(file);
    const from = seen.find(({ at }) => at >= ARRIVE_SECONDS * 1000);
    const to = seen.findLast(({ at }) => at <= ASKS * THINK_SECONDS * 1000);
    const steadyRate = from && to && to.at > from.at ? ((to.requests - from.requests) * 1000) / (to.at - from.at) : 0;
    return { ...result, steadyRate };
  } finally {
    tester.off('progress', note);
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** @param {string} url */
async function json(url) {
  return /** @type {Promise<any>} */ ((await fetch(url)).json());
}

/** The figures of a row of the demo's own table. @param {string} output @param {string} label */
function figures(output, label) {
  const line = output.split('\n').find((text) => text.trim().startsWith(label)) ?? '';
  return (line.replace(label, '').match(/\d[\d,.]*/g) ?? []).map((number) => Number(number.replaceAll(',', '')));
}

module.exports = { measureDemo };
