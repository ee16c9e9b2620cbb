'use strict';

const WIDTH = 40;

/** A bar on the terminal's last line; silent where the output is no terminal. */
class ProgressBar {
  #total;
  #done = 0;
  #shown = -1;

  /** @param {number} total */
  constructor(total) {
    this.#total = total;
    this.advance(0);
  }

  /** @param {number} amount */
  advance(amount) {
    this.#done += amount;
    const percent = this.#total === 0 ? 100 : Math.min(100, Math.floor((this.#done / this.#total) * 100));
    if (percent === this.#shown || !process.stderr.isTTY) return;
    this.#shown = percent;
    const filled = Math.round((percent / 100) * WIDTH);
    process.stderr.write(`\r[${'#'.repeat(filled)}${'.'.repeat(WIDTH - filled)}] ${percent} %`);
  }

  end() {
    if (process.stderr.isTTY) process.stderr.write('\n');
  }
}

module.exports = { ProgressBar };
