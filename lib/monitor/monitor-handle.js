'use strict';

// A handle on a native monitor: names of samples and windows, and the alerts over them. Those on a default monitor are
// opened at their first use, so that the singletons cost nothing before.

const native = require('../native.js');
const { HotpathClosedError, HotpathConflictError } = require('../errors.js');
const { namedConflict, translated } = require('../native-errors.js');
const { TIME_SLOT, openRecorder, record, slotOf } = require('./recorder.js');

const NOT_OPENED = -1;

/** How the names of default monitors end. They live as long as the process. */
const DEFAULT = ':default';

const collected = new FinalizationRegistry((/** @type {number} */ handle) => native.collectMonitor(handle));

/** Names that this thread remembers the places of. Native code bounds them, too; this bounds what a flood could fill. */
const REMEMBERED_NAMES = 10_000;

class MonitorHandle {
  #handle = NOT_OPENED;
  #closed = false;
  #name;
  #settings;
  #explicit;
  #label;
  /** @type {Map<string, number>} */
  #samples = new Map();
  /** @type {Map<string, number>} */
  #windows = new Map();
  #capacity;
  #retentionMs;

  /**
   * @param {object} settings
   * @param {string} settings.label what errors call it
   * @param {string} [settings.name] shared, in native form
   * @param {Record<string, number>} [settings.settings] what handles of one name have in common
   * @param {readonly string[]} [settings.explicit] those that were asked for; of the others, what is there holds
   * @param {number} [settings.capacity] samples that are kept of each name
   * @param {number} [settings.retentionMs] how long
   */
  constructor({ label, name, settings = {}, explicit = [], capacity = 1_000, retentionMs = Number.POSITIVE_INFINITY }) {
    this.#label = label;
    this.#name = name;
    this.#settings = { ...settings };
    this.#explicit = explicit;
    this.#capacity = capacity;
    this.#retentionMs = retentionMs;
    // A shared monitor lives from its first handle on, and a conflict is the constructor's to tell.
    if (name !== undefined && !name.endsWith(DEFAULT)) this.open();
  }

  get closed() {
    return this.#closed;
  }

  /** The native handle. */
  open() {
    if (this.#closed) throw new HotpathClosedError(`The ${this.#label} is closed`);
    if (this.#handle === NOT_OPENED) {
      openRecorder();
      this.#handle = this.#openShared();
      collected.register(this, this.#handle, this);
    }
    return this.#handle;
  }

  /** What holds for all handles of this name. */
  get settings() {
    this.open();
    return this.#settings;
  }

  /** Opens the monitor, and takes over what it has and nobody asked of it. @returns {number} */
  #openShared() {
    for (;;) {
      const options = Object.entries(this.#settings).map(([key, value]) => [key, String(value)]);
      try {
        return translated(() => native.openMonitor(this.#name, options));
      } catch (error) {
        if (!(error instanceof HotpathConflictError)) throw error;
        const { engine, option, existing, requested } = /** @type {any} */ (error);
        // In native code names of all kinds of monitors stand beside each other.
        const name = engine.slice(engine.indexOf(':') + 1);
        if (this.#explicit.includes(option)) throw namedConflict(name, option, existing, requested);
        this.#settings[option] = Number(existing);
      }
    }
  }

  close() {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#handle === NOT_OPENED) return;
    collected.unregister(this);
    native.closeMonitor(this.#handle);
  }

  /** @param {string} name */
  #sampleTarget(name) {
    const known = this.#samples.get(name);
    if (known !== undefined && !this.#closed) return known;
    const handle = this.open();
    const target = translated(() => native.monitorSamples(handle, name, this.#capacity, this.#retentionMs));
    return remember(this.#samples, name, target);
  }

  /**
   * Remembers a value.
   * @param {string} name
   * @param {number} value
   */
  recordValue(name, value) {
    record(slotOf(this.#sampleTarget(name)), value);
  }

  /**
   * Remembers a value and its time.
   * @param {string} name
   * @param {number} value
   * @param {number} time
   * @param {string} [note]
   */
  recordAt(name, value, time, note) {
    const target = this.#sampleTarget(name);
    if (note !== undefined) {
      native.noteSample(target, time, value, note);
      return;
    }
    record(TIME_SLOT, time);
    record(slotOf(target), value);
  }

  /**
   * The values of a name after a time.
   * @param {string} name
   * @param {number} since
   * @returns {{ value: number, time: number, note: string | undefined }[]}
   */
  points(name, since) {
    const flat = native.monitorPoints(this.open(), name, since);
    const points = [];
    for (let index = 0; index < flat.length; index += 3) {
      points.push({ value: flat[index], time: flat[index + 1], note: flat[index + 2] });
    }
    return points;
  }

  /**
   * Statistics of the values after a time, or null without any.
   * @param {string} name
   * @param {number} since
   */
  stats(name, since) {
    const list = native.monitorStats(this.open(), name, since);
    if (list.length === 0) return null;
    const [count, min, max, avg, p50, p95, p99] = list;
    return { count, min, max, avg, p50, p95, p99 };
  }

  /** All names of samples. @returns {string[]} */
  names() {
    return native.monitorNames(this.open(), false);
  }

  /**
   * The slot of a rolling window.
   * @param {string} name
   * @param {number} lengthMs
   * @param {number} slices
   * @param {number} bits
   */
  windowSlot(name, lengthMs, slices, bits) {
    return slotOf(this.#windowTarget(name, lengthMs, slices, bits));
  }

  /** @param {string} name @param {number} lengthMs @param {number} slices @param {number} bits */
  #windowTarget(name, lengthMs, slices, bits) {
    const known = this.#windows.get(name);
    if (known !== undefined && !this.#closed) return known;
    const handle = this.open();
    const target = translated(() => native.monitorWindow(handle, name, lengthMs, slices, bits));
    return remember(this.#windows, name, target);
  }

  /** All names of windows. @returns {string[]} */
  windowNames() {
    return native.monitorNames(this.open(), true);
  }

  /**
   * What happened in a window.
   * @param {string} name
   * @param {number} lengthMs
   * @param {number} slices
   * @param {number} bits
   */
  windowSummary(name, lengthMs, slices, bits) {
    const list = native.windowSummary(this.#windowTarget(name, lengthMs, slices, bits));
    const [count = 0, failures = 0, sum = 0, min = 0, max = 0, p50 = 0, p95 = 0, p99 = 0] = list;
    const [total = 0, totalFailures = 0, totalSum = 0] = list.slice(8);
    const avg = count === 0 ? 0 : sum / count;
    return { count, failures, sum, avg, min, max, p50, p95, p99, total, totalFailures, totalSum };
  }

  /** Forgets all values, and begins all windows afresh. */
  reset() {
    native.resetMonitor(this.open());
  }
}

/** A target that may not be remembered comes as a negative number. @param {Map<string, number>} targets @param {string} name @param {number} target */
function remember(targets, name, target) {
  if (target < 0) return -target;
  if (targets.size >= REMEMBERED_NAMES) targets.clear();
  targets.set(name, target);
  return target;
}

module.exports = { MonitorHandle };
