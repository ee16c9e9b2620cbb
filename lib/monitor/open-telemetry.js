'use strict';

// A bridge to OpenTelemetry: a MetricProducer, which any MetricReader of its SDK takes as a further source.

const native = require('../native.js');
const { requirePeer } = require('../peer.js');
const { metricsService } = require('./singletons.js');

/** Numbers of OpenTelemetry's SDK for kinds of data points, and for sums since the start. */
const DATA_POINT = Object.freeze({ histogram: 0, gauge: 2, counter: 3 });
const CUMULATIVE = 1;

/** @type {Readonly<Record<string, string>>} */
const INSTRUMENT = Object.freeze({ histogram: 'HISTOGRAM', gauge: 'GAUGE', counter: 'COUNTER' });

/** @param {number} ms @returns {[number, number]} seconds and nanoseconds, as OpenTelemetry has time */
function hrTime(ms) {
  return [Math.floor(ms / 1000), Math.round((ms % 1000) * 1e6)];
}

class OpenTelemetryProducer {
  #valueType;
  #begin = hrTime(performance.timeOrigin);

  constructor() {
    // The SDK's own enumeration, so that the package is there when somebody collects.
    this.#valueType = requirePeer('@opentelemetry/api').ValueType.DOUBLE;
  }

  /** All metrics of the process as an SDK's reader wants them. */
  async collect() {
    const families = JSON.parse(await metricsService.export('json'));
    const end = hrTime(Date.now());
    const metrics = families.map((/** @type {any} */ family) => this.#metric(family, end));
    const scope = { name: 'hotpath', version: native.version ?? '' };
    return { resourceMetrics: { resource: emptyResource(), scopeMetrics: [{ scope, metrics }] }, errors: [] };
  }

  /** @param {any} family @param {[number, number]} endTime */
  #metric({ name, help, type, series }, endTime) {
    const kind = /** @type {keyof typeof DATA_POINT} */ (type);
    const unit = /_(seconds|bytes)(_total)?$/.exec(name)?.[1];
    return {
      descriptor: {
        name,
        description: help,
        type: INSTRUMENT[kind],
        unit: unit === 'seconds' ? 's' : unit === 'bytes' ? 'By' : '',
        valueType: this.#valueType,
        advice: {},
      },
      aggregationTemporality: CUMULATIVE,
      dataPointType: DATA_POINT[kind],
      ...(kind === 'counter' ? { isMonotonic: true } : {}),
      dataPoints: series.map((/** @type {any} */ one) => ({
        startTime: this.#begin,
        endTime,
        attributes: one.labels,
        value: kind === 'histogram' ? histogram(one) : one.value,
      })),
    };
  }
}

/** @param {any} series */
function histogram({ count, sum, min, max, buckets }) {
  const counts = buckets.map((/** @type {any} */ bucket, /** @type {number} */ index) =>
    index === 0 ? bucket.count : bucket.count - buckets[index - 1].count,
  );
  const boundaries = buckets.slice(0, -1).map((/** @type {any} */ { le }) => le);
  return { count, sum, min: min ?? undefined, max: max ?? undefined, buckets: { boundaries, counts } };
}

/** What describes the process is the application's SDK's business. */
function emptyResource() {
  return { attributes: {}, merge: (/** @type {any} */ other) => other ?? emptyResource(), getRawAttributes: () => [] };
}

module.exports = { OpenTelemetryProducer };
