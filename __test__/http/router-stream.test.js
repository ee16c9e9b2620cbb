'use strict';

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const hotpath = require('hotpath');
const { waitFor } = require('../support');
const { allServices, ask, raw, serveRouter } = require('../support/router');

/** Follows a stream: its events as they come. */
async function follow(t, url, lastEventId) {
  const controller = new AbortController();
  t.after(() => controller.abort());
  const headers = lastEventId === undefined ? {} : { 'last-event-id': lastEventId };
  const response = await fetch(url, { signal: controller.signal, headers });
  const events = [];
  let text = '';
  (async () => {
    for await (const piece of response.body) {
      text += Buffer.from(piece).toString();
      const blocks = text.split('\n\n');
      text = blocks.pop();
      for (const block of blocks) {
        const fields = Object.fromEntries(block.split('\n').map((line) => line.split(/: (.*)/s, 2)));
        if (fields.event !== undefined) events.push({ ...fields, data: JSON.parse(fields.data) });
      }
    }
  })().catch(() => {});
  const next = (name) => waitFor(() => events.find(({ event }) => event === name), { what: `an event ${name}` });
  return { events, next, response, stop: () => controller.abort() };
}

describe('the stream', () => {
  it('begins with a greeting and a sample, and tells what happens', async (t) => {
    const services = allServices(t);
    const { base } = await serveRouter(t, services, { authorize: () => true });
    const { events, next, response } = await follow(t, `${base}/stream`);
    assert.equal(response.headers.get('content-type'), 'text/event-stream; charset=utf-8');
    const hello = await next('hello');
    assert.deepEqual([hello.data.resumed, hello.data.intervalMs], [false, 2000]);
    const sample = await next('sample');
    assert.equal(events[0].event, 'hello');
    assert.ok(sample.data.memory.rss > 1e6 && sample.data.cpu >= 0);
    services.performance.alertConfig.memoryUsage.threshold = 0;
    services.performance.collectMetrics();
    const alert = await next('alert');
    assert.deepEqual([alert.data.source, alert.data.type], ['performance', 'HIGH_MEMORY_USAGE']);
    services.performance.clearAlerts();
    assert.equal((await next('resolved')).data.id, alert.data.id);
    services.monitor.triggerAlert('DISK_FULL');
    await waitFor(() => events.some(({ data }) => data.source === 'monitor' && data.id.startsWith('monitor:')));
    services.monitoring.recordRequest(9_000, true);
    services.monitoring.checkAlerts();
    await waitFor(() => events.some(({ data }) => data.source === 'monitoring'));
    await ask(`${base}/metrics`, { method: 'DELETE' });
    await next('reset');
    const cache = new hotpath.MemoryCache({ maxEntries: 10, nearCache: false });
    t.after(() => cache.close());
    for (let index = 0; index < 100; index += 1)
      if (cache.get(`k${index % 20}`) === undefined) cache.set(`k${index % 20}`, 1);
    services.optimization.attach({ advancedCache: cache });
    await ask(`${base}/optimization/run`, { method: 'POST' });
    assert.equal((await next('optimization')).data.action, 'grow-cache');
    await waitFor(() => events.some(({ event, data }) => event === 'optimization' && data.status === 'undone'));
    const ids = events.slice(1).map(({ id }) => Number(id.split('-')[1]));
    assert.deepEqual(
      ids,
      [...ids].sort((left, right) => left - right),
    );
    assert.equal(new Set(ids).size, ids.length);
  });

  it('goes on where it broke off', async (t) => {
    const services = allServices(t);
    const { base } = await serveRouter(t, services, {});
    const first = await follow(t, `${base}/stream`);
    const { id } = await first.next('sample');
    first.stop();
    // Somebody else keeps on listening, or it would do so by itself for a minute.
    services.monitor.triggerAlert('ONE');
    services.monitor.triggerAlert('TWO');
    const second = await follow(t, `${base}/stream`, id);
    assert.equal((await second.next('hello')).data.resumed, true);
    await waitFor(() => second.events.filter(({ event }) => event === 'alert').length === 2);
    assert.deepEqual(
      second.events.filter(({ event }) => event === 'alert').map(({ data }) => data.type),
      ['ONE', 'TWO'],
    );
    for (const unknown of ['00000000-1', `${id.split('-')[0]}-999999`, 'nonsense', '']) {
      const other = await follow(t, `${base}/stream`, unknown);
      assert.equal((await other.next('hello')).data.resumed, false, unknown);
    }
  });

  it('keeps what was told for the dashboard', async (t) => {
    const { base } = await serveRouter(t, allServices(t), {});
    const { next } = await follow(t, `${base}/stream`);
    const sample = await next('sample');
    const { body } = await ask(`${base}/dashboard`);
    assert.deepEqual(body.data.recent[0], sample.data);
  });

  it('has room for a hundred, and lets go of those that leave', async (t) => {
    const { base } = await serveRouter(t, {}, {});
    const streams = await Promise.all(Array.from({ length: 100 }, () => follow(t, `${base}/stream`)));
    const refused = await ask(`${base}/stream`);
    assert.deepEqual([refused.status, refused.body.error.code], [503, 'ERR_TOO_MANY_STREAMS']);
    for (const { stop } of streams) stop();
    await waitFor(async () => {
      const controller = new AbortController();
      const { status } = await fetch(`${base}/stream`, { signal: controller.signal });
      controller.abort();
      return status === 200;
    });
  });

  it('survives services that are closed', async (t) => {
    const services = allServices(t);
    const { base, origin } = await serveRouter(t, services, {});
    services.performance.close();
    const { next } = await follow(t, `${base}/stream`);
    await next('hello');
    // A client that sends its id in a way that no browser does.
    const answer = await raw(
      origin,
      'GET /api/performance/stream HTTP/1.1\r\nHost: x\r\nLast-Event-ID: a\r\nLast-Event-ID: b\r\n\r\n',
    );
    assert.match(answer, /^HTTP\/1\.1 200/);
  });
});
