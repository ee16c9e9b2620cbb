'use strict';

// One line on a terminal, written over again and again.

const WIDTH = 24;
const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

class ProgressBar {
  #stream;

  /** @param {{ write(text: string): unknown, columns?: number }} stream */
  constructor(stream) {
    this.#stream = stream;
  }

  /** @param {{ progress: number, totalRequests: number, failedRequests: number, requestsPerSecond: number, latency: { p99: number } }} figures */
  show({ progress, totalRequests, failedRequests, requestsPerSecond, latency }) {
    const done = Math.round(progress * WIDTH);
    const bar = '#'.repeat(done).padEnd(WIDTH, '.');
    const failed = failedRequests > 0 ? `, ${whole.format(failedRequests)} failed` : '';
    const percent = String(Math.floor(progress * 100)).padStart(3);
    const line = `[${bar}] ${percent} %  ${whole.format(totalRequests)} requests${failed}, ${whole.format(requestsPerSecond)}/s, p99 ${latency.p99.toFixed(1)} ms`;
    // A line that wraps could not be written over.
    this.#stream.write(`\r\x1b[2K${line.slice(0, (this.#stream.columns ?? 80) - 1)}`);
  }

  clear() {
    this.#stream.write('\r\x1b[2K');
  }
}

module.exports = { ProgressBar };
