'use strict';

// What is loaded, and when.

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const path = require('node:path');
const { it } = require('node:test');
const { root } = require('../../lib/platform.js');

/** The areas whose files a process has loaded after a statement. @param {string} statement */
function areasAfter(statement) {
  const source = `
    const hotpath = require(process.argv[1]);
    ${statement};
    const area = (file) => /[\\\\/]lib[\\\\/](\\w+)[\\\\/]/.exec(file)?.[1];
    console.log(JSON.stringify([...new Set(Object.keys(require.cache).map(area))]));`;
  const found = JSON.parse(
    execFileSync(process.execPath, ['-e', source, path.join(root, 'index.js')], { encoding: 'utf8' }),
  );
  return new Set(found.filter(Boolean));
}

it('nothing is loaded before it is asked for, nor what others need', () => {
  assert.deepEqual([...areasAfter('hotpath')], []);
  assert.deepEqual([...areasAfter('hotpath.HotpathError')], []);
  const cache = areasAfter('hotpath.MemoryCache');
  assert.ok(cache.has('cache') && !cache.has('http') && !cache.has('workers'), [...cache].join());
  const workers = areasAfter('const { WorkerPool } = hotpath');
  assert.ok(workers.has('workers') && !workers.has('http') && !workers.has('monitor'), [...workers].join());
});
