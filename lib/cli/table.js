'use strict';

/** Columns side by side: the first to the left, figures to the right. @param {string[][]} rows */
function table(rows) {
  /** @type {number[]} */
  const widths = [];
  for (const row of rows) for (const [at, cell] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, cell.length);
  const line = (/** @type {string[]} */ row) =>
    row.map((cell, at) => (at === 0 ? cell.padEnd(widths[at]) : `  ${cell.padStart(widths[at])}`)).join('');
  return rows.map((row) => `  ${line(row)}`.trimEnd()).join('\n');
}

module.exports = { table };
