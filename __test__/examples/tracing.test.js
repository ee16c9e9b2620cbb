'use strict';

const assert = require('node:assert/strict');
const { after, before, describe, it } = require('node:test');
const { context, trace } = require('@opentelemetry/api');
const { AsyncLocalStorageContextManager } = require('@opentelemetry/context-async-hooks');
const { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } = require('@opentelemetry/sdk-trace');
const { MemoryCache } = require('hotpath');
const { tracedGetOrSet } = require('../../examples/tracing/traced-cache.js');

describe('the tracing example', () => {
  const exporter = new InMemorySpanExporter();
  const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] });
  const cache = new MemoryCache();
  before(() => {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    trace.setGlobalTracerProvider(provider);
  });
  after(async () => {
    cache.close();
    await provider.shutdown();
    trace.disable();
    context.disable();
  });

  /** The spans since the last call, by name. */
  async function spans() {
    await provider.forceFlush();
    const found = new Map(exporter.getFinishedSpans().map((span) => [span.name, span]));
    exporter.reset();
    return found;
  }

  it('tells hits from misses, with the load as a child of the miss', async () => {
    assert.equal(await tracedGetOrSet(cache, 'user', 'user:1', async () => 'Ada'), 'Ada');
    const missed = await spans();
    assert.deepEqual([...missed.keys()].sort(), ['cache user', 'load user']);
    assert.equal(missed.get('cache user').attributes['cache.hit'], false);
    assert.equal(missed.get('load user').parentSpanContext.spanId, missed.get('cache user').spanContext().spanId);
    assert.equal(await tracedGetOrSet(cache, 'user', 'user:1', assert.fail), 'Ada');
    const hit = await spans();
    assert.deepEqual([...hit.keys()], ['cache user']);
    assert.equal(hit.get('cache user').attributes['cache.hit'], true);
  });

  it('records what went wrong', async () => {
    const loading = tracedGetOrSet(cache, 'user', 'user:2', async () => {
      throw new Error('no such user');
    });
    await assert.rejects(loading, /no such user/);
    const failed = await spans();
    assert.equal(failed.get('load user').events[0].name, 'exception');
    assert.equal(failed.get('cache user').status.code, 2);
  });
});
