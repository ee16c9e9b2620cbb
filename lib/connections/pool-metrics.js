'use strict';

// What one pool has done and how it is. Counters are kept as things happen; connections are counted when asked.

const { createHistogram, performance } = require('node:perf_hooks');

const MICROSECONDS = 1000;

class PoolMetrics {
  /** Latencies of commands in microseconds, three significant digits. */
  #latencies = createHistogram({ figures: 3 });
  #connections;
  commandsExecuted = 0;
  errors = 0;
  acquires = 0;
  acquiresWithoutWaiting = 0;
  healthy = true;
  lastHealthCheck = Date.now();

  /** @param {() => { active: number, total: number, waiting: number }} connections counts them */
  constructor(connections) {
    this.#connections = connections;
  }

  /** @param {boolean} immediate whether a connection was free at once */
  countAcquire(immediate) {
    this.acquires++;
    if (immediate) this.acquiresWithoutWaiting++;
  }

  /**
   * Starts to time a command.
   * @returns {(failed: boolean) => void} to be called at its end
   */
  begin() {
    const start = performance.now();
    return (failed) => this.countCommand(performance.now() - start, failed);
  }

  /** @param {number} milliseconds @param {boolean} failed */
  countCommand(milliseconds, failed) {
    this.commandsExecuted++;
    if (failed) this.errors++;
    this.#latencies.record(Math.max(1, Math.round(milliseconds * MICROSECONDS)));
  }

  snapshot() {
    const { active, total, waiting } = this.#connections();
    const latencies = this.#latencies;
    const counted = latencies.count > 0;
    const percentile = (/** @type {number} */ rank) => (counted ? latencies.percentile(rank) / MICROSECONDS : 0);
    return {
      activeConnections: active,
      totalConnections: total,
      waiting,
      commandsExecuted: this.commandsExecuted,
      errors: this.errors,
      avgResponseTime: counted ? latencies.mean / MICROSECONDS : 0,
      responseTime: {
        p50: percentile(50),
        p95: percentile(95),
        p99: percentile(99),
        max: counted ? latencies.max / MICROSECONDS : 0,
      },
      acquires: this.acquires,
      poolEfficiency: this.acquires === 0 ? 1 : this.acquiresWithoutWaiting / this.acquires,
      healthy: this.healthy,
      lastHealthCheck: this.lastHealthCheck,
    };
  }
}

module.exports = { PoolMetrics };
