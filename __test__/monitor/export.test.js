'use strict';

const assert = require('node:assert/strict');
const http = require('node:http');
const { describe, it } = require('node:test');
const { parse } = require('csv-parse/sync');
const { errors, waitFor } = require('../support');
const { metric, service } = require('../support/metrics');
const { assertMetrics, startPrometheus } = require('../support/prometheus');

/** Metrics of every kind, with text that needs escaping. */
function fill(metrics) {
  const names = { counter: metric('odd_total'), gauge: metric('odd'), histogram: metric('odd_seconds') };
  const help = 'Backslash \\ and\nline end';
  const counter = metrics.counter(names.counter, { help, labelNames: ['path', 'kind'] });
  counter.labels({ path: '/a"b\\c\nd', kind: 'é\u{1f600}' }).inc(2);
  counter.labels({ path: '\ud800', kind: '' }).inc(1.5);
  metrics.gauge(names.gauge).set(-1e-9);
  const histogram = metrics.histogram(names.histogram, { labelNames: ['a'], buckets: [0.1, 1] });
  for (const value of [0, 0.1, 0.5, 1e9]) histogram.labels({ a: 'x' }).record(value);
  return names;
}

async function bytesOf(stream) {
  const pieces = [];
  for await (const piece of stream) pieces.push(piece);
  return Buffer.concat(pieces);
}

describe('the Prometheus text', () => {
  it('is accepted by promtool, escaped as it must be', async (t) => {
    const metrics = service(t);
    const { counter, gauge, histogram } = fill(metrics);
    metrics.recordRequest(5);
    const text = await metrics.getPrometheusMetrics();
    assertMetrics(text);
    assert.ok(text.includes(`# HELP ${counter} Backslash \\\\ and\\nline end\n`));
    assert.ok(text.includes(`${counter}{path="/a\\"b\\\\c\\nd",kind="é\u{1f600}"} 2\n`));
    assert.ok(text.includes(`${counter}{path="\ufffd",kind=""} 1.5\n`));
    assert.ok(text.includes(`${gauge} -1e-9\n`) || text.includes(`${gauge} -0.000000001\n`));
    const buckets = [...text.matchAll(new RegExp(`${histogram}_bucket\\{a="x",le="(.*?)"\\} (\\d+)`, 'g'))];
    assert.deepEqual(
      buckets.map(([, end, count]) => [end, Number(count)]),
      [
        ['0.1', 2],
        ['1', 3],
        ['+Inf', 4],
      ],
    );
  });

  it('does not pass a check that can fail', () => {
    assert.throws(() => assertMetrics('# TYPE a counter\na{b="c} 1\n'), /promtool/);
  });

  it('comes in pieces of a stream, the same in sum', async (t) => {
    const metrics = service(t);
    const many = metrics.counter(metric('many_total'), { labelNames: ['number'] });
    for (let number = 0; number < 10_000; number += 1) many.labels({ number }).inc(number);
    let pieces = 0;
    let text = '';
    for await (const piece of metrics.stream()) {
      pieces += 1;
      text += piece;
    }
    assert.ok(pieces > 2);
    const own = (whole) => whole.split('\n').filter((line) => line.startsWith(many.name));
    assert.equal(own(text).length, 10_000);
    assert.deepEqual(own(text), own(await metrics.getPrometheusMetrics()));
  });

  it('can be left in the middle', async (t) => {
    const metrics = service(t);
    const stream = metrics.stream();
    await new Promise((resolve) => stream.once('readable', resolve));
    stream.destroy();
    await waitFor(() => stream.closed);
    assert.ok((await metrics.getPrometheusMetrics()).length > 0);
  });
});

describe('other formats', () => {
  it('OpenMetrics', async (t) => {
    const metrics = service(t);
    const { counter } = fill(metrics);
    const text = await metrics.export('openmetrics');
    assert.ok(text.endsWith('# EOF\n'));
    assert.ok(text.includes(`# TYPE ${counter.replace(/_total$/, '')} counter`));
    assert.ok(text.includes('le="1.0"'));
  });

  it('JSON', async (t) => {
    const metrics = service(t);
    const names = fill(metrics);
    const families = JSON.parse(await metrics.export());
    const find = (name) => families.find((family) => family.name === name);
    assert.equal(find(names.counter).type, 'counter');
    assert.deepEqual(find(names.counter).series[0], { labels: { path: '/a"b\\c\nd', kind: 'é\u{1f600}' }, value: 2 });
    const [series] = find(names.histogram).series;
    assert.deepEqual(series.buckets, [
      { le: 0.1, count: 2 },
      { le: 1, count: 3 },
      { le: '+Inf', count: 4 },
    ]);
    assert.deepEqual([series.count, series.min, series.max], [4, 0, 1e9]);
  });

  it('CSV', async (t) => {
    const metrics = service(t);
    const names = fill(metrics);
    const rows = parse(await metrics.export('csv'), { columns: true });
    const found = rows.filter((row) => row.name === names.counter);
    assert.deepEqual(found[0], {
      name: names.counter,
      type: 'counter',
      labels: 'path=/a"b\\c\nd;kind=é\u{1f600}',
      statistic: 'value',
      value: '2',
    });
    assert.ok(rows.some((row) => row.name === names.histogram && row.statistic === 'p95'));
  });

  it('no others', async (t) => {
    const metrics = service(t);
    assert.throws(() => metrics.stream('xml'), errors.outOfRange('format'));
    await assert.rejects(metrics.export('protobuf'), errors.outOfRange('format'));
    await assert.rejects(metrics.export(5), errors.invalidType('format'));
  });
});

describe('a scrape', () => {
  async function serve(t, metrics) {
    const server = http.createServer(metrics.scrape);
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.after(() => server.close());
    return `127.0.0.1:${server.address().port}`;
  }

  it('is answered in the form that is asked for', async (t) => {
    const metrics = service(t);
    const address = await serve(t, metrics);
    const typeFor = async (accept) => {
      const response = await fetch(`http://${address}/metrics`, { headers: { accept } });
      await response.arrayBuffer();
      return response.headers.get('content-type').split(';')[0];
    };
    assert.equal(await typeFor('*/*'), 'text/plain');
    assert.equal(await typeFor('text/html'), 'text/plain');
    assert.equal(
      await typeFor('application/openmetrics-text;version=1.0.0;q=0.8,text/plain;q=0.5'),
      'application/openmetrics-text',
    );
    assert.equal(await typeFor('application/openmetrics-text;q=0.3,text/plain;q=0.5'), 'text/plain');
    const protobuf = 'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited';
    assert.equal(await typeFor(`${protobuf},text/plain;q=0.5`), 'application/vnd.google.protobuf');
  });

  it('by a real Prometheus brings classic histograms', async (t) => {
    const metrics = service(t);
    const histogram = metrics.histogram(metric('scraped_seconds'), { labelNames: ['route'] });
    for (let value = 0; value < 100; value += 1) histogram.labels({ route: '/a' }).record(value / 100);
    const prometheus = await startPrometheus(t, await serve(t, metrics));
    const count = await prometheus.answer(`${histogram.name}_count{route="/a"}`);
    assert.equal(count.value[1], '100');
    const bucket = await prometheus.answer(`${histogram.name}_bucket{le="0.5"}`);
    assert.equal(bucket.value[1], '51');
    assert.equal((await prometheus.answer('up')).value[1], '1');
  });

  it('by a real Prometheus brings native histograms', async (t) => {
    const metrics = service(t);
    const labelled = metrics.histogram(metric('native_seconds'), { labelNames: ['route'] });
    const plain = metrics.histogram(metric('plain_seconds'));
    for (let value = 1; value <= 1_000; value += 1) {
      labelled.labels({ route: '/a' }).record(value / 1_000);
      plain.record(value / 1_000);
    }
    const prometheus = await startPrometheus(t, await serve(t, metrics), { features: ['native-histograms'] });
    for (const { name } of [labelled, plain]) {
      const median = Number((await prometheus.answer(`histogram_quantile(0.5, ${name})`)).value[1]);
      assert.ok(Math.abs(median - 0.5) < 0.015, `${name}: ${median}`);
      const count = await prometheus.answer(`histogram_count(${name})`);
      assert.equal(count.value[1], '1000');
    }
  });
});

describe('bytes', () => {
  it('of a stream are those of the format', async (t) => {
    const metrics = service(t);
    fill(metrics);
    const bytes = await bytesOf(metrics.stream('protobuf'));
    assert.ok(bytes.length > 100);
    assert.equal(metrics.contentType('protobuf').startsWith('application/vnd.google.protobuf'), true);
  });
});
