'use strict';

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { describe, it } = require('node:test');
const { Worker } = require('node:worker_threads');
const hotpath = require('hotpath');

describe('entry points', () => {
  it('export classes and functions under their names, and the instances that everybody shares', () => {
    for (const [name, value] of Object.entries(hotpath)) {
      if (typeof value === 'function') {
        assert.equal(value.name, name);
        continue;
      }
      assert.equal(typeof value, 'object', name);
      const Class = hotpath[name[0].toUpperCase() + name.slice(1)];
      if (Class) assert.ok(value instanceof Class, `${name} is an instance of the class of that name`);
    }
  });

  it('give ES modules every name, and the same classes', async () => {
    const module = await import('hotpath');
    for (const [name, value] of Object.entries(hotpath)) assert.equal(module[name], value, name);
    assert.equal(module.default, hotpath);
  });

  it('are divided by area', async () => {
    const area = require('hotpath/cache');
    assert.ok(Object.keys(area).includes('MemoryCache'));
    for (const [name, value] of Object.entries(area)) assert.equal(hotpath[name], value, name);
    assert.equal((await import('hotpath/cache')).MemoryCache, hotpath.MemoryCache);
  });

  it('do not include the inside of the package', () => {
    assert.equal(require('hotpath/package.json').name, 'hotpath');
    assert.throws(() => require('hotpath/lib/native.js'), { code: 'ERR_PACKAGE_PATH_NOT_EXPORTED' });
  });

  it('work in a worker thread', async () => {
    const script = `
      const { parentPort } = require('node:worker_threads');
      parentPort.postMessage(Object.keys(require(${JSON.stringify(require.resolve('hotpath'))})));`;
    const worker = new Worker(script, { eval: true });
    const [[names]] = await Promise.all([once(worker, 'message'), once(worker, 'exit')]);
    assert.deepEqual(names, Object.keys(hotpath));
  });
});
