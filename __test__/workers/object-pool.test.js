'use strict';

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const fc = require('fast-check');
const { ObjectPool } = require('../..');
const { errors } = require('../support');

const make = (initialSize, options) =>
  new ObjectPool(
    () => ({ user: null, session: null, data: {} }),
    (context) => {
      context.user = null;
      context.session = null;
      context.data = {};
    },
    initialSize,
    options,
  );

const notAcquired = { name: 'HotpathError', code: 'ERR_HOTPATH_NOT_ACQUIRED' };

describe('ObjectPool', () => {
  it('makes 10 objects unless told otherwise, as document 001 shows', () => {
    const pool = make();
    assert.deepEqual(pool.stats, {
      size: 10,
      idle: 10,
      inUse: 0,
      maxSize: Number.POSITIVE_INFINITY,
      created: 10,
      acquired: 0,
      released: 0,
      reused: 0,
      discarded: 0,
      reuseRatio: 0,
    });
    const context = pool.acquire();
    context.user = 'u';
    context.data.x = 1;
    pool.release(context);
    assert.deepEqual(context, { user: null, session: null, data: {} });
    assert.equal(pool.acquire(), context);
    assert.equal(pool.stats.reuseRatio, 1);
  });

  it('makes more when all are in use, and keeps at most maxSize', () => {
    const pool = make(1, { maxSize: 2 });
    const objects = [1, 2, 3, 4].map(() => pool.acquire());
    assert.equal(new Set(objects).size, 4);
    for (const object of objects) pool.release(object);
    const { idle, inUse, created, discarded } = pool.stats;
    assert.deepEqual({ idle, inUse, created, discarded }, { idle: 2, inUse: 0, created: 4, discarded: 2 });
  });

  it('refuses what is not in use', () => {
    const pool = make(2);
    const object = pool.acquire();
    pool.release(object);
    assert.throws(() => pool.release(object), notAcquired);
    assert.throws(() => pool.release({}), notAcquired);
    assert.throws(() => pool.release(undefined), notAcquired);
    assert.notEqual(pool.acquire(), pool.acquire(), 'nothing got into the pool twice');
  });

  it('lends an object to a function', async () => {
    const pool = make(1);
    assert.equal(
      pool.use((object) => {
        object.user = 'u';
        return pool.stats.inUse;
      }),
      1,
    );
    assert.throws(
      () =>
        pool.use(() => {
          throw new Error('sync');
        }),
      /sync/,
    );
    assert.equal(await pool.use(async () => pool.stats.inUse), 1);
    await assert.rejects(
      pool.use(async () => {
        throw new Error('async');
      }),
      /async/,
    );
    assert.deepEqual([pool.stats.inUse, pool.stats.created], [0, 1]);
  });

  it('does not keep what could not be reset', () => {
    const pool = new ObjectPool(
      () => ({}),
      () => {
        throw new Error('reset');
      },
      1,
    );
    const object = pool.acquire();
    assert.throws(() => pool.release(object), /reset/);
    assert.throws(() => pool.release(object), notAcquired);
    assert.deepEqual([pool.stats.idle, pool.stats.discarded], [0, 1]);
    assert.throws(
      () =>
        pool.use(() => {
          throw new Error('first');
        }),
      /first/,
    );
  });

  it('lets go of idle objects', () => {
    const pool = make(3);
    const object = pool.acquire();
    pool.clear();
    assert.deepEqual([pool.stats.idle, pool.stats.inUse], [0, 1]);
    pool.release(object);
    assert.equal(pool.stats.idle, 1);
    pool[Symbol.dispose ?? Symbol.for('nodejs.dispose')]();
    assert.equal(pool.stats.idle, 0);
  });

  it('checks its arguments', () => {
    assert.throws(() => new ObjectPool(1, () => {}), errors.invalidType('createFn'));
    assert.throws(() => new ObjectPool(() => ({}), 1), errors.invalidType('resetFn'));
    assert.throws(() => make('1'), errors.invalidType('initialSize'));
    assert.throws(() => make(-1), errors.outOfRange('initialSize'));
    assert.throws(() => make(3, { maxSize: 2 }), errors.outOfRange('initialSize'));
    assert.throws(() => make(0, { maxSize: 0 }), errors.outOfRange('options.maxSize'));
    assert.throws(() => make(0, { max: 1 }), errors.unknownOption('max', 'maxSize'));
    assert.throws(() => make(1).use(5), errors.invalidType('fn'));
  });

  it('agrees with a plain model', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(9)), fc.integer({ min: 1, max: 5 }), (steps, maxSize) => {
        const pool = make(0, { maxSize });
        const lent = [];
        let idle = 0;
        for (const step of steps) {
          if (step < 5 || lent.length === 0) {
            lent.push(pool.acquire());
            idle = Math.max(0, idle - 1);
          } else {
            pool.release(lent.splice(step % lent.length, 1)[0]);
            idle = Math.min(maxSize, idle + 1);
          }
          const { stats } = pool;
          assert.deepEqual([stats.inUse, stats.idle, stats.size], [lent.length, idle, lent.length + idle]);
          assert.equal(stats.created - stats.discarded, stats.size);
          assert.equal(new Set(lent).size, lent.length);
        }
      }),
    );
  });
});
