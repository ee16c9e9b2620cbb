'use strict';

// docs/metrics-reference.md and the Grafana dashboard name what is really exported, and all of it.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { before, describe, it } = require('node:test');
const { metricsService, performanceMonitor } = require('hotpath');
const { waitFor } = require('../support');
const { collectGarbage } = require('../support/context').makeContext({});

const docs = (name) => fs.readFileSync(path.join(__dirname, '..', '..', 'docs', name), 'utf8');

/** The names in the first columns of the tables up to the values of a PerformanceMonitor, which are not exported. */
function documentedNames() {
  const [exported] = docs('metrics-reference.md').split("## Names of a PerformanceMonitor's values");
  const cells = exported.split('\n').flatMap((line) => /^\| (`[^|]+`) \|/.exec(line)?.[1] ?? []);
  return cells.flatMap((cell) => [...cell.matchAll(/`([a-z0-9_]+)`/g)].map(([, name]) => name));
}

/** Names of families in the Prometheus text. */
async function exportedNames() {
  const text = await metricsService.getPrometheusMetrics();
  return [...text.matchAll(/^# TYPE (\S+) /gm)].map(([, name]) => name);
}

describe('every metric of its own', () => {
  let exported;
  before(async () => {
    metricsService.recordRequest(5);
    metricsService.recordRoute('GET', '/:id', 200, 5);
    metricsService.recordError('oops');
    metricsService.recordDatabaseQuery(5);
    metricsService.recordCacheOperation(true);
    metricsService.recordWebSocketConnection(true);
    metricsService.recordWebSocketMessage();
    metricsService.getSystemMetrics();
    performanceMonitor.start();
    const full = metricsService.counter('documented_names_total', { labelNames: ['label'], maxSeries: 1 });
    for (const label of ['a', 'b']) full.labels({ label }).inc();
    // The collector's own news come a turn later.
    await waitFor(async () => {
      collectGarbage();
      exported = await exportedNames();
      return exported.includes('nodejs_gc_duration_seconds') && exported.includes('nodejs_eventloop_delay_seconds');
    });
    performanceMonitor.stop();
  });

  it('that is exported, is documented', () => {
    const known = new Set(documentedNames());
    const strangers = exported.filter((name) => !known.has(name) && name !== 'documented_names_total');
    assert.deepEqual(strangers, []);
  });

  it('that is documented, is exported', () => {
    const names = documentedNames();
    assert.ok(names.length > 35, `${names.length} names`);
    const missing = names.filter((name) => !exported.includes(name));
    assert.deepEqual(missing, []);
  });

  it('that the Grafana dashboard draws, is exported', () => {
    const dashboard = JSON.parse(docs('grafana-dashboard.json'));
    const queries = [];
    const collect = (node) => {
      if (typeof node !== 'object' || node === null) return;
      if (typeof node.expr === 'string') queries.push(node.expr);
      Object.values(node).forEach(collect);
    };
    collect(dashboard);
    assert.ok(queries.length > 10, `${queries.length} queries`);
    const names = queries.flatMap((query) => query.match(/\b[a-z]+(?:_[a-z0-9]+)+(?=\{|\[)/g) ?? []);
    assert.ok(names.length >= queries.length);
    const known = (name) => exported.includes(name) || exported.includes(name.replace(/_(bucket|sum|count)$/, ''));
    assert.deepEqual(
      names.filter((name) => !known(name)),
      [],
    );
  });
});
