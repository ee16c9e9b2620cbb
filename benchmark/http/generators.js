// Load generators: each keeps so many requests under way for so long, from one thread, and tells how many were answered
// and how much processor time it took.

const { spawnSync } = require('node:child_process');
const { wrkProgram } = require('./nginx.js');

/** @typedef {{ url: string, seconds: number, connections: number }} Load */
/** @typedef {{ requests: number, seconds: number, processorSeconds: number, failures: number }} Loaded */

/** Processor time of this process, in seconds. @param {NodeJS.CpuUsage} [since] */
function processor(since) {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1e6;
}

/** @param {Load} load @returns {Promise<Loaded>} */
async function hotpath({ url, seconds, connections }) {
  const { LoadTester } = require('../..');
  const since = process.cpuUsage();
  const test = { url, durationMs: seconds * 1000, concurrency: connections, threads: 1 };
  const result = await new LoadTester().runLoadTest(test);
  return {
    requests: result.totalRequests,
    seconds: result.totalTime / 1000,
    processorSeconds: processor(since),
    failures: result.failedRequests,
  };
}

/** @param {Load} load @returns {Promise<Loaded>} */
async function autocannon({ url, seconds, connections }) {
  const cannon = require('autocannon');
  const since = process.cpuUsage();
  const result = await cannon({ url, duration: seconds, connections });
  return {
    requests: result.requests.total,
    seconds: result.duration,
    processorSeconds: processor(since),
    failures: result.errors + result.non2xx,
  };
}

/** A program of its own: the shell says what it took. @param {Load} load @returns {Promise<Loaded>} */
async function wrk({ url, seconds, connections }) {
  const command = `TIMEFORMAT='%3U %3S'; time ${wrkProgram()} -t1 -c${connections} -d${seconds}s ${url}`;
  const { stdout, stderr, status } = spawnSync('bash', ['-c', command], { encoding: 'utf8' });
  const [, requests, took] = /(\d+) requests in ([\d.]+)s/.exec(stdout) ?? [];
  if (status !== 0 || requests === undefined) throw new Error(`wrk failed: ${stdout}${stderr}`);
  const times = stderr.trim().split(/\s+/).map(Number);
  const [, failures = '0'] = /Non-2xx or 3xx responses: (\d+)/.exec(stdout) ?? [];
  return {
    requests: Number(requests),
    seconds: Number(took),
    processorSeconds: times[0] + times[1],
    failures: Number(failures) + (stdout.includes('Socket errors') ? 1 : 0),
  };
}

module.exports = { autocannon, hotpath, wrk };
