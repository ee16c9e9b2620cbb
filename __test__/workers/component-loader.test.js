'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { describe, it } = require('node:test');
const { pathToFileURL } = require('node:url');
const { ComponentLoader } = require('../..');
const { temporaryDirectory } = require('../support/pools');
const { errors } = require('../support');

/** A directory `components` with what the tests load, and something beside it that they must not reach. */
function tree(t) {
  const root = temporaryDirectory(t);
  const components = path.join(root, 'components');
  fs.mkdirSync(path.join(components, 'deep', 'panel'), { recursive: true });
  const write = (file, text) => fs.writeFileSync(path.join(root, file), text);
  write(
    'components/header.mjs',
    'export default class Header { name = "header"; static made = 0; constructor() { Header.made++; } }',
  );
  write('components/footer.js', 'module.exports = class Footer { constructor() { this.name = "footer"; } };');
  write('components/deep/list.cjs', 'exports.default = class List { constructor() { this.name = "list"; } };');
  write('components/deep/panel/index.mjs', 'export default class Panel { name = "panel"; }');
  write('components/plain.mjs', 'export const value = 1;');
  write('components/throws.mjs', 'export default class { constructor() { throw new Error("cannot be made"); } }');
  write('components/.env', 'SECRET=1');
  write('secret.mjs', 'globalThis.reached = true; export default class {}');
  fs.mkdirSync(path.join(root, 'components-other'));
  write('components-other/x.mjs', 'globalThis.reached = true; export default class {}');
  fs.symlinkSync(path.join(root, 'secret.mjs'), path.join(components, 'link.mjs'));
  fs.symlinkSync(root, path.join(components, 'up'));
  fs.symlinkSync(path.join(components, 'header.mjs'), path.join(components, 'alias.mjs'));
  return { root, components };
}

describe('ComponentLoader', () => {
  it('makes an instance of the default export, once', async (t) => {
    const { components } = tree(t);
    const loader = new ComponentLoader(components);
    const [first, second] = await Promise.all([loader.loadComponent('header'), loader.loadComponent('header')]);
    assert.equal(first, second);
    assert.equal(first.name, 'header');
    assert.equal(await loader.loadComponent('header'), first);
    assert.equal(first.constructor.made, 1);
    assert.deepEqual(loader.stats, { components: 1, loads: 1, hits: 2, failures: 0 });
  });

  it('finds files with and without their extension, in folders too', async (t) => {
    const { components } = tree(t);
    const loader = new ComponentLoader(pathToFileURL(components));
    for (const [name, expected] of [
      ['footer', 'footer'],
      ['footer.js', 'footer'],
      ['deep/list', 'list'],
      ['./deep/list.cjs', 'list'],
      ['deep/panel', 'panel'],
      ['deep/../header', 'header'],
      ['alias', 'header'],
    ]) {
      assert.equal((await loader.loadComponent(name)).name, expected, name);
    }
  });

  it('lets no name out of its directory', async (t) => {
    const { root, components } = tree(t);
    const loader = new ComponentLoader(components);
    globalThis.reached = false;
    for (const name of [
      '../secret',
      '../secret.mjs',
      'deep/../../secret',
      path.join(root, 'secret.mjs'),
      pathToFileURL(path.join(root, 'secret.mjs')).href,
      '../components-other/x',
      'link',
      'link.mjs',
      'up/secret',
      'header.mjs\0.js',
      '..',
      '.',
    ]) {
      await assert.rejects(loader.loadComponent(name), (error) => {
        assert.ok(['ERR_OUT_OF_RANGE', 'ERR_HOTPATH_COMPONENT_NOT_FOUND'].includes(error.code), `${name}: ${error}`);
        assert.ok(name.includes(root) || !error.message.includes(root), 'no path in a message');
        return true;
      });
    }
    for (const name of ['../secret', 'link', 'up/secret']) {
      await assert.rejects(loader.loadComponent(name), { name: 'RangeError' });
    }
    assert.equal(globalThis.reached, false);
    delete globalThis.reached;
  });

  it('does not keep a failure', async (t) => {
    const { components } = tree(t);
    const loader = new ComponentLoader(components);
    await assert.rejects(loader.loadComponent('late'), { code: 'ERR_HOTPATH_COMPONENT_NOT_FOUND', component: 'late' });
    fs.writeFileSync(path.join(components, 'late.mjs'), 'export default class { name = "late"; }');
    assert.equal((await loader.loadComponent('late')).name, 'late');
    await assert.rejects(loader.loadComponent('throws'), /cannot be made/);
    await assert.rejects(loader.loadComponent('plain'), { code: 'ERR_HOTPATH_COMPONENT' });
    assert.equal(loader.has('throws'), false);
    assert.equal(loader.stats.failures, 3);
  });

  it('takes a resolver instead of a directory', async (t) => {
    const { components } = tree(t);
    let calls = 0;
    class Own {}
    const loader = new ComponentLoader(async (name) => {
      calls += 1;
      if (name === 'own') return { default: Own };
      if (name === 'class') return Own;
      if (calls < 4) throw new Error('not yet');
      return path.join(components, 'footer.js');
    });
    assert.ok((await loader.loadComponent('own')) instanceof Own);
    assert.ok((await loader.loadComponent('class')) instanceof Own);
    await assert.rejects(Promise.all([1, 2, 3].map(() => loader.loadComponent('file'))), /not yet/);
    assert.equal((await loader.loadComponent('file')).name, 'footer');
    assert.equal(calls, 4);
  });

  it('forgets on request', async (t) => {
    const { components } = tree(t);
    const loader = new ComponentLoader(components);
    const first = await loader.loadComponent('header');
    await loader.loadComponent('footer');
    loader.clear('header');
    assert.deepEqual([loader.has('header'), loader.has('footer')], [false, true]);
    assert.notEqual(await loader.loadComponent('header'), first);
    loader.clear();
    assert.equal(loader.stats.components, 0);
  });

  it('checks its arguments', async () => {
    assert.throws(() => new ComponentLoader(5), errors.invalidType('resolver'));
    assert.throws(() => new ComponentLoader(''), errors.outOfRange('resolver'));
    const loader = new ComponentLoader();
    await assert.rejects(loader.loadComponent(5), errors.invalidType('name'));
    await assert.rejects(loader.loadComponent(''), errors.outOfRange('name'));
    await assert.rejects(loader.loadComponent('missing'), { code: 'ERR_HOTPATH_COMPONENT_NOT_FOUND' });
  });
});
