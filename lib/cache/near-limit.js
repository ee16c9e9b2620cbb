'use strict';

// How much a near cache may hold. Every entry is heap that the collector has to walk, so the limit follows what entries
// are worth: it begins small, doubles while the decodes that it saves are a good part of the reads, and halves when hardly
// any read is repeated. When this thread's heap is nearly full it halves whatever it is worth: a decode costs
// microseconds, a full collection milliseconds, and a heap without room the process.

const v8 = require('node:v8');

/** Where a near cache begins. */
const FIRST_ENTRIES = 2048;

/** It pays when it serves this share of the reads, and no longer when it serves less than the second. */
const GOOD_SHARE = 1 / 4;
const POOR_SHARE = 1 / 32;

/** Shares of the heap's limit in use: from the first on a near cache gives up half, from the second on it does not grow. */
const FULL_HEAP = 0.85;
const CROWDED_HEAP = 0.7;

/** What is left to a near cache however full the heap is. */
const LEAST_ENTRIES = 64;
const LEAST_BYTES = 64 * 1024;

/** Reports between two looks at the heap, each of some microseconds. */
const REPORTS_PER_LOOK = 16;

/** The share of this thread's heap limit that is in use, garbage included. */
function heapShare() {
  const { used_heap_size: used, heap_size_limit: limit } = v8.getHeapStatistics();
  return used / limit;
}

class NearLimit {
  #maxEntries;
  #maxBytes;
  #reports = 0;

  /** @param {{ maxEntries: number, maxBytes: number }} bounds */
  constructor({ maxEntries, maxBytes }) {
    this.#maxEntries = maxEntries;
    this.#maxBytes = maxBytes;
    /** What there may be now. */
    this.entries = Math.min(FIRST_ENTRIES, maxEntries);
    this.bytes = maxBytes;
  }

  get bounds() {
    return { maxEntries: this.#maxEntries, maxBytes: this.#maxBytes };
  }

  /** Changes the bounds. What there may be now follows at once, up as well as down. @param {{ maxEntries?: number | undefined, maxBytes?: number | undefined }} bounds */
  resize({ maxEntries = this.#maxEntries, maxBytes = this.#maxBytes }) {
    this.#maxEntries = maxEntries;
    this.#maxBytes = maxBytes;
    this.entries = Math.min(Math.max(this.entries, FIRST_ENTRIES), maxEntries);
    this.bytes = maxBytes;
  }

  /**
   * Considers the limit after some reads.
   * @param {number} hits
   * @param {number} fills
   */
  adapt(hits, fills) {
    const heap = heapShare();
    if (heap >= FULL_HEAP) return this.#yield();
    const share = hits / (hits + fills);
    if (share < POOR_SHARE) this.entries = Math.max(this.entries >> 1, Math.min(FIRST_ENTRIES, this.#maxEntries));
    if (heap >= CROWDED_HEAP) return;
    this.bytes = Math.min(2 * this.bytes, this.#maxBytes);
    if (share >= GOOD_SHARE) this.entries = Math.min(2 * this.entries, this.#maxEntries);
  }

  /** Counts a report: a near cache that only serves hits never adapts. True when the limit has fallen. */
  watchHeap() {
    if (++this.#reports % REPORTS_PER_LOOK !== 0 || heapShare() < FULL_HEAP) return false;
    this.#yield();
    return true;
  }

  #yield() {
    this.entries = Math.max(this.entries >> 1, Math.min(LEAST_ENTRIES, this.#maxEntries));
    this.bytes = Math.max(Math.floor(this.bytes / 2), Math.min(LEAST_BYTES, this.#maxBytes));
  }
}

module.exports = { NearLimit };
