'use strict';

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { MemoryCache, serviceRegistry } = require('hotpath');
const { errors } = require('../support');

describe('serviceRegistry', () => {
  it('gives back what was registered', (t) => {
    const service = { getAnalytics: () => ({ a: 1 }) };
    t.after(() => serviceRegistry.unregister('mine'));
    assert.equal(serviceRegistry.getServiceInstance('mine'), undefined);
    assert.equal(serviceRegistry.register('mine', service), service);
    assert.equal(serviceRegistry.getServiceInstance('mine'), service);
    assert.deepEqual(serviceRegistry.entries(), [['mine', service]]);
    assert.equal(serviceRegistry.unregister('mine'), true);
    assert.equal(serviceRegistry.unregister('mine'), false);
  });

  it('makes one cache of a kind, and a new one when that was closed', () => {
    const cache = serviceRegistry.cache('memory');
    assert.ok(cache instanceof MemoryCache);
    assert.equal(serviceRegistry.cache('memory'), cache);
    cache.close();
    const next = serviceRegistry.cache('memory');
    assert.notEqual(next, cache);
    next.close();
  });

  it('checks what it is given', () => {
    assert.throws(() => serviceRegistry.register('', {}), errors.outOfRange('name'));
    assert.throws(() => serviceRegistry.register('a', null), errors.invalidType('service'));
    assert.throws(() => serviceRegistry.cache('disk'), errors.outOfRange('kind'));
    assert.throws(() => serviceRegistry.dataService(5), errors.invalidType('kind'));
  });
});
