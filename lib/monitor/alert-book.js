'use strict';

// The alerts of a monitor: rules, and what became of them. When an incident begins and ends is decided natively, for
// all handles on a monitor together (src/engine/monitor/alerts.rs); each handle hears of every change once.

const native = require('../native.js');

/**
 * @typedef {object} Seen
 * @property {number | undefined} value the figure; undefined while there is nothing to tell
 * @property {number} threshold from where on it is bad
 * @property {number} [resolveAt] from where on it is fine again
 * @property {object} [data] what else is to be said of an incident
 */

/**
 * @typedef {object} Incident
 * @property {string} id
 * @property {string} type
 * @property {string} severity
 * @property {number} value
 * @property {number} threshold
 * @property {number} since milliseconds since 1970
 * @property {any} data
 */

/** How far a figure has to come back behind its threshold. */
const HYSTERESIS = 0.1;

class AlertBook {
  #monitor;
  #now;
  #heard = 0;
  /** Numbers of rules by kind and severity. @type {Map<string, number>} */
  #rules = new Map();

  /**
   * @param {import('./monitor-handle.js').MonitorHandle} monitor
   * @param {() => number} [now] tells the time, in milliseconds since 1970
   */
  constructor(monitor, now = () => Date.now()) {
    this.#monitor = monitor;
    this.#now = now;
  }

  /**
   * Tells a rule what is seen.
   * @param {{ type: string, subject?: string, severity: string, above?: boolean, holdMs?: number }} rule
   * @param {Seen} seen
   */
  observe({ type, subject, severity, above = true, holdMs = 0 }, { value, threshold, resolveAt, data }) {
    const handle = this.#monitor.open();
    const kind = subject === undefined ? type : `${type}:${subject}`;
    const key = `${kind}\n${severity}\n${above}\n${holdMs}`;
    let number = this.#rules.get(key);
    if (number === undefined) {
      number = native.alertRule(handle, kind, severity, above, holdMs);
      this.#rules.set(key, /** @type {number} */ (number));
    }
    const seen = {
      value,
      threshold,
      resolveAt: resolveAt ?? threshold * (above ? 1 - HYSTERESIS : 1 + HYSTERESIS / 2),
      note: JSON.stringify(data ?? {}),
    };
    native.alertObserve(handle, number, seen, this.#now());
  }

  /** The incidents that have not ended. @returns {Incident[]} */
  open() {
    return native.openAlerts(this.#monitor.open()).map(publicIncident);
  }

  /**
   * What changed since this handle asked last.
   * @returns {{ began: boolean, time: number, incident: Incident }[]}
   */
  changes() {
    const transitions = native.alertTransitions(this.#monitor.open(), this.#heard);
    if (transitions.length > 0) this.#heard = transitions[transitions.length - 1].number;
    return transitions.map((/** @type {any} */ { began, time, incident }) => ({
      began,
      time,
      incident: publicIncident(incident),
    }));
  }

  /** From now on: what is past is not this handle's to hear. */
  skip() {
    this.#heard = native.latestAlert(this.#monitor.open());
  }

  /** @param {string} id @returns {boolean} */
  resolve(id) {
    const number = /^alert_(\d+)$/.exec(id)?.[1];
    return number !== undefined && native.resolveAlert(this.#monitor.open(), Number(number), this.#now());
  }
}

/** @param {any} incident @returns {Incident} */
function publicIncident({ id, kind, severity, value, threshold, since, note }) {
  const [type] = kind.split(':', 1);
  return { id: `alert_${id}`, type, severity, value, threshold, since, data: JSON.parse(note) };
}

module.exports = { AlertBook };
