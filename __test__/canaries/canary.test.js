'use strict';

// Wrong on purpose: proves that the gates `test:node` and `test:package` can fail.

const assert = require('node:assert/strict');
const test = require('node:test');

test('canary', () => assert.fail('the canary fails'));
