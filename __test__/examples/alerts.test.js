'use strict';

const assert = require('node:assert/strict');
const { execFile } = require('node:child_process');
const path = require('node:path');
const { it } = require('node:test');
const { promisify } = require('node:util');

it('the alerts example tells its webhook of an alert and of its end', async () => {
  const main = path.join(__dirname, '..', '..', 'examples', 'alerts', 'main.js');
  const { stdout } = await promisify(execFile)(process.execPath, [main], { timeout: 60_000 });
  const [fired, ended] = stdout.trim().split('\n');
  assert.match(fired, /^webhook: alert HIGH_ERROR_RATE at 20\.0 % \(threshold 5 %\)$/);
  assert.match(ended, /^webhook: resolved HIGH_ERROR_RATE at \d\.\d %/);
});
