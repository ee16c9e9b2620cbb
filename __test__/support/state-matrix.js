'use strict';

// A state matrix: every public member of a class, in every state that an instance can be in.

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { settled } = require('./wait');

/**
 * @param {object} matrix
 * @param {Function} matrix.Class
 * @param {(t: any) => any} matrix.open a new instance
 * @param {Record<string, (instance: any) => any>} matrix.members uses each member, and asserts what it gives
 * @param {Record<string, (instance: any, use: (instance: any) => any, t: any) => any>} [matrix.states] uses a member
 *   in a state
 * @param {Record<string, (instance: any) => any>} [matrix.ends] ways to end an instance
 * @param {string[]} [matrix.always] members that work on one that has ended, too
 * @param {object} [matrix.closed] the error of the others
 */
function stateMatrix({ Class, open, members, states = {}, ends = {}, always = [], closed }) {
  describe(`the state matrix of ${Class.name}`, () => {
    it('knows every public member', () => {
      const names = Object.getOwnPropertyNames(Class.prototype).filter((name) => name !== 'constructor');
      assert.deepEqual(names.sort(), Object.keys(members).sort());
    });

    const all = { 'on a new instance': (instance, use) => use(instance), ...states };
    for (const [name, use] of Object.entries(members)) {
      for (const [state, reach] of Object.entries(all)) {
        it(`${name}: ${state}`, async (t) => {
          await settled(Promise.resolve(reach(await open(t), use, t)), { what: `${name} ${state}` });
        });
      }
      for (const [end, finish] of Object.entries(ends)) {
        it(`${name}: after ${end}`, async (t) => {
          const instance = await open(t);
          await finish(instance);
          const used = (async () => use(instance))();
          if (always.includes(name)) await used;
          else await assert.rejects(used, closed);
        });
      }
    }
  });
}

module.exports = { stateMatrix };
