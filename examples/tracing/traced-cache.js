'use strict';

// Spans around what a cache does, for any tracer that @opentelemetry/api finds, as docs/guide-tracing.md explains it.

const { SpanStatusCode, trace } = require('@opentelemetry/api');

const tracer = trace.getTracer('example');

/**
 * `cache.getOrSet` within a span, which tells whether the value was there. The loader runs in the span's context, so the
 * spans of its queries are children of it.
 *
 * @template T
 * @param {{ getOrSet(key: string, loader: () => Promise<T>, options?: object): Promise<T> }} cache
 * @param {string} name what is cached, for the span: a key may hold personal data, a name does not
 * @param {string} key
 * @param {() => Promise<T>} loader
 * @param {object} [options] those of getOrSet
 * @returns {Promise<T>}
 */
function tracedGetOrSet(cache, name, key, loader, options) {
  return tracer.startActiveSpan(`cache ${name}`, async (span) => {
    let loaded = false;
    const load = () => {
      loaded = true;
      return tracer.startActiveSpan(`load ${name}`, (child) => finishing(child, loader));
    };
    return finishing(span, async () => {
      const value = await cache.getOrSet(key, load, options);
      span.setAttribute('cache.hit', !loaded);
      return value;
    });
  });
}

/** Ends a span with the outcome of the work. @param {import('@opentelemetry/api').Span} span */
async function finishing(span, work) {
  try {
    return await work();
  } catch (error) {
    span.recordException(error);
    span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
    throw error;
  } finally {
    span.end();
  }
}

module.exports = { tracedGetOrSet };
