'use strict';

// Queries that take long, grouped by what they have in common. No literal and no parameter is kept.

/** Groups that are kept; the one that was seen least recently gives way. */
const MOST_GROUPS = 500;

/** Characters of a query that are looked at. */
const MOST_CHARACTERS = 4_096;

/** A query without what differs from call to call. One pass for each pattern, none of which can backtrack. @param {string} query */
function fingerprint(query) {
  return query
    .slice(0, MOST_CHARACTERS)
    .replace(/'[^']*'?/g, '?')
    .replace(/\$\d+|\b\d+(\.\d+)?\b/g, '?')
    .replace(/\s+/g, ' ')
    .replace(/\(\?(?:, ?\?)+\)/g, '(?)')
    .trim();
}

class SlowQueries {
  /** @type {Map<string, { count: number, slow: number, totalMs: number, maxMs: number, cached: number }>} */
  #groups = new Map();

  /** @param {string} query @param {number} ms @param {number} slowMs */
  record(query, ms, slowMs) {
    const group = this.#group(fingerprint(query));
    group.count += 1;
    group.totalMs += ms;
    group.maxMs = Math.max(group.maxMs, ms);
    if (ms > slowMs) group.slow += 1;
  }

  /** @param {string} query */
  recordCached(query) {
    this.#group(fingerprint(query)).cached += 1;
  }

  /** @param {string} name */
  #group(name) {
    const group = this.#groups.get(name) ?? { count: 0, slow: 0, totalMs: 0, maxMs: 0, cached: 0 };
    this.#groups.delete(name);
    this.#groups.set(name, group);
    if (this.#groups.size > MOST_GROUPS) this.#groups.delete(/** @type {string} */ (this.#groups.keys().next().value));
    return group;
  }

  /** Groups with slow queries, those first that take the most time altogether. @param {number} limit */
  list(limit) {
    return [...this.#groups]
      .filter(([, { slow }]) => slow > 0)
      .map(([query, { count, slow, totalMs, maxMs, cached }]) => ({
        ...{ query, count, slow, cached, totalMs, maxMs },
        avgMs: count === 0 ? 0 : totalMs / count,
      }))
      .sort((left, right) => right.totalMs - left.totalMs)
      .slice(0, limit);
  }

  clear() {
    this.#groups.clear();
  }
}

module.exports = { SlowQueries, fingerprint };
