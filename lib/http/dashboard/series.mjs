// What was measured, as columns over one time axis: the form in which charts take it.

/** A day at one point in two seconds. */
export const MAX_POINTS = 43_200;

/** Where a point is known, another one so close to it says nothing new. */
const CLOSE_MS = 1_500;

/** @typedef {[timestamp: number, values: Record<string, number | undefined | null>]} Point with its time in milliseconds */

export class Series {
  /** Seconds since 1970, ascending. @type {number[]} */
  #times = [];
  /** @type {Map<string, (number | null)[]>} */
  #columns = new Map();

  get length() {
    return this.#times.length;
  }

  /** The time of the newest point in milliseconds, or -Infinity. */
  get newest() {
    return (this.#times.at(-1) ?? Number.NEGATIVE_INFINITY) * 1000;
  }

  /**
   * Adds a point; one that is not newer than the last is left out, so a replay after a reconnection does no harm.
   * @param {number} timestamp milliseconds
   * @param {Record<string, number | undefined | null>} values
   */
  add(timestamp, values) {
    if (!(timestamp > this.newest)) return;
    this.#times.push(timestamp / 1000);
    for (const key of Object.keys(values)) if (!this.#columns.has(key)) this.#columns.set(key, this.#blank());
    for (const [key, column] of this.#columns) column.push(numberOrNull(values[key]));
    if (this.#times.length > MAX_POINTS * 1.1) this.#trim();
  }

  /**
   * Adds points of the past where nothing is known: news may have come before them.
   * @param {Point[]} points ascending
   */
  fill(points) {
    const missing = points.filter(([timestamp]) => !this.#isKnown(timestamp));
    if (missing.length === 0) return;
    const later = this.#cutFrom(missing[0][0]);
    const all = [...missing, ...later].sort(([a], [b]) => a - b);
    for (const [timestamp, values] of all) this.add(timestamp, values);
  }

  /** @param {number} timestamp */
  #isKnown(timestamp) {
    const time = this.#times[firstAtLeast(this.#times, (timestamp - CLOSE_MS) / 1000)];
    return time !== undefined && time * 1000 <= timestamp + CLOSE_MS;
  }

  /** Takes the points from a time on out. @param {number} timestamp @returns {Point[]} */
  #cutFrom(timestamp) {
    const start = firstAtLeast(this.#times, timestamp / 1000);
    const times = this.#times.splice(start);
    const columns = [...this.#columns].map(([key, column]) => [key, column.splice(start)]);
    const valuesAt = (index) => Object.fromEntries(columns.map(([key, column]) => [key, column[index]]));
    return times.map((time, index) => [time * 1000, valuesAt(index)]);
  }

  /** @param {string} prefix @returns {string[]} */
  keysUnder(prefix) {
    return [...this.#columns.keys()].filter((key) => key.startsWith(prefix));
  }

  /** A column that begins now: what it would have been before is not known. */
  #blank() {
    return new Array(this.#times.length - 1).fill(null);
  }

  #trim() {
    const surplus = this.#times.length - MAX_POINTS;
    for (const column of [this.#times, ...this.#columns.values()]) column.splice(0, surplus);
  }

  /** @param {string} key */
  latest(key) {
    return this.#columns.get(key)?.at(-1) ?? undefined;
  }

  /**
   * The axis and these columns since a time.
   * @param {string[]} keys
   * @param {number} since milliseconds
   */
  since(keys, since) {
    const start = firstAtLeast(this.#times, since / 1000);
    const times = this.#times.slice(start);
    const columns = keys.map((key) => this.#columns.get(key)?.slice(start) ?? times.map(() => null));
    return [times, ...columns];
  }
}

const numberOrNull = (value) => (typeof value === 'number' && Number.isFinite(value) ? value : null);

/** @param {number[]} sorted @param {number} bound */
function firstAtLeast(sorted, bound) {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle] < bound) low = middle + 1;
    else high = middle;
  }
  return low;
}
