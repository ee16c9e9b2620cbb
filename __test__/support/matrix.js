'use strict';

// The state matrix of classes over caches: every public member while idle, busy, full, in a listener or loader, closing,
// closed, and in another thread.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const errors = require('./errors');
const { settled } = require('./wait');
const { runInWorker } = require('./threads');

/**
 * @param {string} Class its name among the exports of the package
 * @param {object} rows
 * @param {Record<string, (cache: any) => any>} rows.operations each member once; they run in worker threads, too, so they
 *   take nothing from outside
 * @param {Record<string, any>} rows.answers what they come to over the content that `fill` makes
 * @param {string[]} rows.others members with tests of their own
 * @param {(cache: any) => any} rows.fill
 * @param {(t: any) => any} rows.options what it is made with, as data; anew for each test
 * @param {(t: any) => any} [rows.full] options of one that is full after `fill`
 * @param {(cache: any, run: () => void) => void} [rows.inside] has the class call `run` from a callback of its own
 * @param {string} rows.close the member that ends it
 */
function stateMatrix(Class, { operations, answers, others, fill, options, full, inside, close }) {
  const { [Class]: Made } = require('../..');

  async function filled(t, given) {
    // Hooks run in the order of their registration: it is closed before its files go.
    t.after(() => cache?.[close]());
    const cache = new Made(given(t));
    await fill(cache);
    return cache;
  }

  describe(`${Class}: state matrix`, () => {
    it('knows every public member', () => {
      const members = Object.getOwnPropertyNames(Made.prototype).filter((name) => !name.startsWith('_'));
      const known = new Set([...Object.keys(operations), ...others, 'constructor', 'closed', close]);
      assert.deepEqual(
        members.filter((name) => !known.has(name)),
        [],
      );
      assert.deepEqual(Object.keys(operations), Object.keys(answers));
    });

    for (const [name, operate] of Object.entries(operations)) {
      it(`${name} while idle`, async (t) => {
        assert.deepEqual(await operate(await filled(t, options)), answers[name]);
      });

      it(`${name} while busy`, async (t) => {
        const cache = await filled(t, options);
        const busy = Array.from({ length: 100 }, (_, index) => [
          cache.set(`other ${index}`, { index }),
          cache.get('other 5'),
        ]);
        const answer = await operate(cache);
        await Promise.all(busy.flat());
        assert.deepEqual(answer, answers[name]);
      });

      if (full !== undefined) {
        it(`${name} while full`, async (t) => {
          const cache = await filled(t, full);
          for (let index = 0; index < 50; index++) await cache.set(`more ${index}`, 'x'.repeat(1000));
          // What is still there is chance; that it answers, and can be used afterwards, is not.
          await operate(cache);
          await cache.set('after', 1);
        });
      }

      if (inside !== undefined) {
        it(`${name} inside a callback`, async (t) => {
          const cache = await filled(t, options);
          const answer = new Promise((resolve, reject) => {
            inside(cache, () => Promise.resolve(operate(cache)).then(resolve, reject));
          });
          assert.deepEqual(await settled(answer, { what: name }), answers[name]);
        });
      }

      it(`${name} while closing, and closed`, async (t) => {
        const cache = await filled(t, options);
        const before = Promise.resolve(operate(cache));
        // It may come before the end or after it, but it ends.
        before.catch(() => {});
        const closing = cache[close]();
        const during = Promise.resolve().then(() => operate(cache));
        await assert.rejects(during, errors.closed);
        await closing;
        await settled(
          before.catch((error) => assert.equal(error.code, errors.closed.code)),
          { what: name },
        );
        await assert.rejects(
          Promise.resolve().then(() => operate(cache)),
          errors.closed,
        );
        await cache[close]();
      });
    }

    it('all of them in another thread', async (t) => {
      for (const [name, operate] of Object.entries(operations)) {
        const answer = await runInWorker(
          async ({ load, require }, { Class, options, close, operate, fill }) => {
            const { runInThisContext } = require('node:vm');
            const { [Class]: Made } = load();
            const cache = new Made(options);
            await runInThisContext(`(${fill})`)(cache);
            const answer = await runInThisContext(`(${operate})`)(cache);
            await cache[close]();
            return answer;
          },
          { Class, options: options(t), close, operate: String(operate), fill: String(fill) },
        );
        assert.deepEqual(answer, answers[name], name);
      }
    });
  });
}

module.exports = { stateMatrix };
