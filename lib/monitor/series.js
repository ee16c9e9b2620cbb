'use strict';

// Handles on single series. Each knows its place in the ring; recording is a check and two stores.

const native = require('../native.js');
const { invalidArgType, outOfRange } = require('../errors.js');
const { openRecorder, record, slotOf } = require('./recorder.js');

/** @param {unknown} value @param {string} what @param {string} path @returns {never} */
function refuse(value, what, path) {
  throw typeof value === 'number' ? outOfRange(what, path, value) : invalidArgType(what, path, value);
}

class CounterSeries {
  #target;
  #slot;

  /** @param {number} target */
  constructor(target) {
    openRecorder();
    this.#target = target;
    this.#slot = slotOf(target);
  }

  /** @param {number} [by] */
  inc(by = 1) {
    if (typeof by !== 'number' || !(by >= 0 && by < Number.POSITIVE_INFINITY)) {
      refuse(by, 'a non-negative finite number', 'by');
    }
    record(this.#slot, by);
  }

  get value() {
    return native.metricValue(this.#target) ?? 0;
  }
}

class GaugeSeries {
  #target;
  #addSlot;
  #setSlot;

  /** @param {number} target */
  constructor(target) {
    openRecorder();
    this.#target = target;
    this.#addSlot = slotOf(target);
    this.#setSlot = slotOf(target, true);
  }

  /** @param {number} value */
  set(value) {
    if (typeof value !== 'number') refuse(value, 'a number', 'value');
    record(this.#setSlot, value);
  }

  /** @param {number} [by] */
  inc(by = 1) {
    if (typeof by !== 'number' || !Number.isFinite(by)) refuse(by, 'a finite number', 'by');
    record(this.#addSlot, by);
  }

  /** @param {number} [by] */
  dec(by = 1) {
    if (typeof by !== 'number' || !Number.isFinite(by)) refuse(by, 'a finite number', 'by');
    record(this.#addSlot, -by);
  }

  get value() {
    return native.metricValue(this.#target) ?? 0;
  }
}

class HistogramSeries {
  #target;
  #slot;

  /** @param {number} target */
  constructor(target) {
    openRecorder();
    this.#target = target;
    this.#slot = slotOf(target);
  }

  /** @param {number} value */
  record(value) {
    if (typeof value !== 'number' || !(value >= 0 && value < Number.POSITIVE_INFINITY)) {
      refuse(value, 'a non-negative finite number', 'value');
    }
    record(this.#slot, value);
  }

  /** Starts a stopwatch; what it returns records the seconds since, and returns them. */
  startTimer() {
    const begin = process.hrtime.bigint();
    return () => {
      const seconds = Number(process.hrtime.bigint() - begin) / 1e9;
      this.record(seconds);
      return seconds;
    };
  }

  get value() {
    const [count = 0, sum = 0, min = 0, max = 0, p50 = 0, p95 = 0, p99 = 0] = native.metricValue(this.#target) ?? [];
    return { count, sum, min, max, avg: count === 0 ? 0 : sum / count, p50, p95, p99 };
  }
}

module.exports = { CounterSeries, GaugeSeries, HistogramSeries };
