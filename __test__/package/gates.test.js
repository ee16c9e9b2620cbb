'use strict';

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { scripts } = require('../../package.json');
const { canaryComplaint, complaint } = require('../../scripts/gate.js');
const { gates } = require('../../scripts/gates.js');

describe('gates', () => {
  const gate = { count: /(\d+) passed/g, minimum: 10 };

  it('are satisfied by success and enough work, summed over all reports', () => {
    assert.equal(complaint(gate, { status: 0, output: '4 passed\n6 passed\n' }), undefined);
    assert.equal(complaint({}, { status: 0, output: '' }), undefined);
  });

  it('complain of failure, of too little work and of none at all', () => {
    assert.match(complaint(gate, { status: 1, output: '99 passed' }), /ended with 1/);
    assert.match(complaint(gate, { status: 'SIGKILL', output: '99 passed' }), /SIGKILL/);
    assert.match(complaint(gate, { status: 0, output: '9 passed' }), /checked only 9, expected at least 10/);
    assert.match(complaint(gate, { status: 0, output: '' }), /checked only 0/);
  });

  it('accept a canary only when it fails for its own reason', () => {
    const canary = { sign: /canary failed/ };
    assert.equal(canaryComplaint(canary, { status: 1, output: 'canary failed' }), undefined);
    assert.match(canaryComplaint(canary, { status: 0, output: 'canary failed' }), /would not notice/);
    assert.match(canaryComplaint(canary, { status: 127, output: 'command not found' }), /not for the reason/);
  });

  it('are npm scripts, and count what they check wherever they have a canary for tests', () => {
    for (const [name, { canary, sign, count, minimum }] of Object.entries(gates)) {
      assert.equal(typeof scripts[name], 'string', name);
      assert.equal(canary === undefined, sign === undefined, `${name}: a canary needs a sign`);
      assert.equal(count === undefined, minimum === undefined, `${name}: a count needs a minimum`);
      if (name.startsWith('test:')) assert.ok(minimum > 0, name);
    }
  });
});
