'use strict';

// One table of what the load measured.

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const ms = (value) => (value === undefined ? '-' : `${value.toFixed(value < 10 ? 2 : 1)} ms`);
const mb = (bytes) => `${(bytes / 2 ** 20).toFixed(bytes < 10 * 2 ** 20 ? 2 : 1)} MB`;

function report({ load, services, heapBefore, heapAfter, places }) {
  const { cache, memory, disk, pool } = services;
  const rows = [
    ['', 'cold', 'cached'],
    ['latency p50', ms(load.cold.p50), ms(load.cached.p50)],
    ['latency p99', ms(load.cold.p99), ms(load.cached.p99)],
    ['requests', whole.format(load.cold.requests), whole.format(load.cached.requests)],
    [],
    ['requests per second', whole.format(load.perSecond)],
    ['failed requests', whole.format(load.failures)],
    ['hit ratio', `${(services.hitRatio() * 100).toFixed(2)} %`],
    ['questions worked out', whole.format(cache.stats.loads)],
    ['answers held by the engine', whole.format(memory.stats.entries)],
    ['bytes held by the engine', mb(memory.stats.bytes)],
    ['answers on the disk', whole.format(disk.stats.entries)],
    ['tasks per worker thread that was started', whole.format(pool.stats.jobs.completed / pool.stats.workers.total)],
    [`JavaScript heap: ${whole.format(places)} places`, mb(heapBefore)],
    ['JavaScript heap after the load', mb(heapAfter)],
  ];
  const width = Math.max(...rows.map(([label = '']) => label.length));
  const line = ([label = '', ...figures]) => label.padEnd(width) + figures.map((text) => text.padStart(14)).join('');
  return `\n${rows.map((row) => `  ${line(row)}`.trimEnd()).join('\n')}`;
}

module.exports = { report };
