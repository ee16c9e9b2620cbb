'use strict';

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { RedisCache } = require('../..');
const { errors } = require('../support');
const { NOT_BOOLEANS, NOT_NUMBERS, NOT_OBJECTS, NOT_STRINGS, refuses } = require('../support/wrong-values');

const make = (name) => (value) => new RedisCache({ [name]: value });

/** The address that options mean; nothing is connected to. */
function addressOf(t, options) {
  const cache = new RedisCache(options);
  t.after(() => cache.close());
  return cache.stats.address;
}

describe('RedisCache: options of the wrong type', () => {
  it('are refused by name', () => {
    refuses((value) => new RedisCache(value), NOT_OBJECTS, errors.invalidType('options'));
    for (const name of ['name', 'keyPrefix', 'format'])
      refuses(make(name), NOT_STRINGS, errors.invalidType(`options.${name}`));
    for (const name of ['ttlMs', 'commandTimeoutMs', 'database']) {
      refuses(make(name), NOT_NUMBERS, errors.invalidType(`options.${name}`));
    }
    refuses(make('clientTracking'), NOT_BOOLEANS, errors.invalidType('options.clientTracking'));
    for (const name of ['breaker', 'tls']) {
      refuses(make(name), [0, 'true', null, [], () => true], errors.invalidType(`options.${name}`));
    }
    for (const name of ['nodes'])
      refuses(make(name), [5, 'localhost', {}, null], errors.invalidType(`options.${name}`));
    refuses(make('sentinel'), [5, 'localhost', [], null], errors.invalidType('options.sentinel'));
  });

  it('are never shown where they may hold a password', () => {
    for (const name of ['url', 'username', 'password']) {
      for (const value of [12345, 12345n, true]) {
        assert.throws(
          () => make(name)(value),
          (error) => error.code === 'ERR_INVALID_ARG_TYPE' && !error.message.includes(String(value)),
        );
      }
    }
    for (const url of ['redis://u:hidden@', 'http://u:hidden@h', 'u:hidden@h:1', 'redis://u:hidden@h/x']) {
      assert.throws(
        () => new RedisCache({ url }),
        (error) => error instanceof RangeError && error.code === 'ERR_OUT_OF_RANGE' && !/hidden/.test(error.message),
        url,
      );
      if (url.includes('://'))
        assert.throws(
          () => new RedisCache({ nodes: [url] }),
          (error) => !/hidden/.test(error.message),
        );
    }
  });
});

describe('RedisCache: options out of range', () => {
  it('are refused by name', () => {
    assert.throws(() => new RedisCache({ name: '' }), errors.outOfRange('options.name'));
    refuses(make('ttlMs'), [0, -1, Number.NaN], errors.outOfRange('options.ttlMs'));
    refuses(
      make('commandTimeoutMs'),
      [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31],
      errors.outOfRange('options.commandTimeoutMs'),
    );
    refuses(make('database'), [-1, 1.5], errors.outOfRange('options.database'));
    refuses(make('format'), ['xml', ''], errors.outOfRange('options.format'));
    refuses(make('nodes'), [[]], errors.outOfRange('options.nodes'));
    for (const name of ['failureThreshold', 'minimumCalls', 'windowMs', 'openMs', 'probes']) {
      refuses(
        (value) => new RedisCache({ breaker: { [name]: value } }),
        [0, -1, 1.5],
        errors.outOfRange(`options.breaker.${name}`),
      );
    }
    refuses(
      (failureRatio) => new RedisCache({ breaker: { failureRatio } }),
      [0, 1.01, Number.NaN],
      errors.outOfRange('options.breaker.failureRatio'),
    );
    refuses(
      (port) => new RedisCache({ nodes: [{ host: 'h', port }] }),
      [0, 65_536],
      errors.outOfRange('options.nodes[0].port'),
    );
  });

  it('and so are those that nobody knows, with the nearest that somebody does', () => {
    assert.throws(() => new RedisCache({ prefix: 'a' }), errors.unknownOption('prefix', 'keyPrefix'));
    assert.throws(
      () => new RedisCache({ breaker: { failureTreshold: 1 } }),
      errors.unknownOption('failureTreshold', 'failureThreshold'),
    );
    assert.throws(() => new RedisCache({ tls: { cafile: 'x' } }), { code: 'ERR_HOTPATH_UNKNOWN_OPTION' });
    assert.throws(() => new RedisCache({ sentinel: { master: 'x' } }), { code: 'ERR_HOTPATH_UNKNOWN_OPTION' });
  });

  it('and combinations that mean nothing', () => {
    assert.throws(() => new RedisCache({ url: 'redis://h', nodes: ['h'] }), errors.invalidType('options'));
    assert.throws(() => new RedisCache({ tls: { cert: 'x' } }), errors.invalidType('options.tls'));
    assert.throws(
      () => new RedisCache({ sentinel: { name: 'main', nodes: [] } }),
      errors.outOfRange('options.sentinel.nodes'),
    );
    assert.throws(() => new RedisCache({ url: 'rediss://h', tls: false }), errors.outOfRange('options.tls'));
  });
});

describe('RedisCache: addresses', () => {
  it('in all their spellings', (t) => {
    const spelt = {
      'redis://127.0.0.1': '127.0.0.1:6379',
      'valkey://127.0.0.1:7': '127.0.0.1:7',
      'rediss://u:p@127.0.0.1:7/3': '127.0.0.1:7/3',
      'redis://[::1]:7': '::1:7',
      'unix:///tmp/none.sock?db=2': '/tmp/none.sock/2',
    };
    for (const [url, address] of Object.entries(spelt)) assert.equal(addressOf(t, { url }), address);
    assert.equal(addressOf(t, {}), '127.0.0.1:6379');
    assert.equal(addressOf(t, { url: 'redis://127.0.0.1:7/3', database: 4 }), '127.0.0.1:7/4');
    const nodes = ['127.0.0.1:7001', 'redis://127.0.0.1:7002', { host: '127.0.0.1', port: 7003 }, '127.0.0.1'];
    assert.equal(addressOf(t, { nodes }), '127.0.0.1:7001,127.0.0.1:7002,127.0.0.1:7003,127.0.0.1:6379');
    assert.equal(addressOf(t, { sentinel: { name: 'main', nodes: ['127.0.0.1'] } }), '127.0.0.1:26379');
  });

  it('take a copy of the options, and undefined for what is left out', (t) => {
    assert.equal(
      addressOf(t, { url: undefined, name: undefined, breaker: undefined, tls: undefined }),
      '127.0.0.1:6379',
    );
  });
});

describe('RedisCache: arguments', () => {
  it('reject and never throw', async (t) => {
    const cache = new RedisCache({ url: 'redis://127.0.0.1:1' });
    t.after(() => cache.close());
    const single = [
      'get',
      'getWithTtl',
      'has',
      'set',
      'put',
      'delete',
      'del',
      'take',
      'touch',
      'getTtl',
      'increment',
      'lease',
    ];
    for (const method of single) await assert.rejects(cache[method](5), errors.invalidType('key'), method);
    for (const method of ['getMany', 'mget', 'deleteMany']) {
      await assert.rejects(cache[method]('a'), errors.invalidType('keys'), method);
      await assert.rejects(cache[method](['a', 5]), errors.invalidType('keys[1]'), method);
    }
    for (const entries of [5, null, 'ab', undefined])
      await assert.rejects(cache.setMany(entries), errors.invalidType('entries'));
    await assert.rejects(cache.setMany([['a']].concat([[5, 1]])), errors.invalidType('entries[1].key'));
    await assert.rejects(cache.keys(5), errors.invalidType('pattern'));
    await assert.rejects(cache.deletePattern(), errors.invalidType('pattern'));
    await assert.rejects(cache.deletePattern(`a*${'?'.repeat(2_000)}`), {
      name: 'RangeError',
      code: 'ERR_OUT_OF_RANGE',
    });
    for (const ttl of [0, -1, Number.NaN]) await assert.rejects(cache.set('a', 1, ttl), errors.outOfRange('ttl'));
    for (const ttl of ['5', null, [], () => 5]) await assert.rejects(cache.set('a', 1, ttl), errors.invalidType('ttl'));
    await assert.rejects(cache.set('a', 1, { idleMs: 5 }), errors.unknownOption('idleMs', 'ttlMs'));
    await assert.rejects(cache.touch('a', { ttlMs: 0 }), errors.outOfRange('ttl.ttlMs'));
  });
});
