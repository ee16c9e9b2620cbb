'use strict';

const assert = require('node:assert/strict');
const { once } = require('node:events');
const fs = require('node:fs');
const http = require('node:http');
const os = require('node:os');
const path = require('node:path');
const { after, before, describe, it } = require('node:test');
const { AdvancedCacheManager, OptimizationService, PerformanceService, performanceRouter } = require('hotpath');
const { sharedBrowser } = require('../support/browser');
const { waitFor } = require('../support/wait');

const root = path.join(__dirname, '..', '..');
const openPage = sharedBrowser();
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' };

/** The application of react-app/, in a project that has the package installed, as Vite builds it for production. */
async function build(folder) {
  fs.cpSync(path.join(__dirname, 'react-app'), folder, { recursive: true });
  const modules = path.join(folder, 'node_modules');
  fs.mkdirSync(modules);
  fs.symlinkSync(root, path.join(modules, 'hotpath'), 'dir');
  for (const name of ['react', 'react-dom']) {
    fs.symlinkSync(path.dirname(require.resolve(`${name}/package.json`)), path.join(modules, name), 'dir');
  }
  const { build: viteBuild } = await import('vite');
  await viteBuild({
    root: folder,
    configFile: false,
    logLevel: 'error',
    oxc: { jsx: { runtime: 'automatic' } },
    build: { outDir: path.join(folder, 'dist') },
  });
  return path.join(folder, 'dist');
}

describe('hotpath/react', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'hotpath-react-'));
  let site;
  before(async () => {
    site = await build(folder);
  });
  after(() => fs.rmSync(folder, { recursive: true, force: true, maxRetries: 10 }));

  async function serve(t, options) {
    const cache = new AdvancedCacheManager();
    const services = {
      cache,
      performance: new PerformanceService(),
      optimization: new OptimizationService(),
    };
    const router = performanceRouter(services, options);
    const server = http.createServer((request, response) => {
      const { pathname } = new URL(request.url, 'http://localhost');
      if (pathname.startsWith('/api/performance')) {
        return router(request, response, () => response.writeHead(404).end());
      }
      const file = path.join(site, pathname === '/' ? 'index.html' : pathname);
      if (!fs.existsSync(file)) return response.writeHead(404).end();
      response.setHeader('content-type', TYPES[path.extname(file)]);
      return response.end(fs.readFileSync(file));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(async () => {
      server.closeAllConnections();
      server.close();
      for (const service of Object.values(services)) await service.close?.();
    });
    return { cache, url: `http://127.0.0.1:${server.address().port}/` };
  }

  it('brings the figures of the server into a component', async (t) => {
    const app = await serve(t, { authorize: () => true });
    await app.cache.set('a', 1);
    const page = await openPage(t);
    await page.goto(app.url);
    await waitFor(async () => /Score: \d+/.test(await page.locator('h2').first().textContent()));
    assert.match(await page.locator('#status').textContent(), /Status: \w+/);
    await waitFor(async () => (await page.locator('#size').textContent()) === '1');
    assert.equal(await page.locator('#monitoring').textContent(), 'true');
    await page.getByRole('button', { name: 'Stop' }).click();
    assert.equal(await page.locator('#monitoring').textContent(), 'false');
  });

  it('acts, and says why it may not', async (t) => {
    const app = await serve(t, { authorize: () => true });
    await app.cache.set('a', 1);
    const page = await openPage(t);
    await page.goto(app.url);
    await page.getByRole('button', { name: 'Clear', exact: true }).first().click();
    await waitFor(async () => (await page.locator('#answer').textContent()) === 'done');
    assert.equal(await app.cache.get('a'), undefined);
    const closed = await serve(t, {});
    await page.goto(closed.url);
    await page.getByRole('button', { name: 'Optimize Performance' }).click();
    await waitFor(async () => (await page.locator('#answer').textContent()).length > 0);
    assert.match(await page.locator('#answer').textContent(), /FORBIDDEN|DENIED|403/i);
  });

  it('shows the dashboard, and takes it away without a trace', async (t) => {
    const app = await serve(t, {});
    const page = await openPage(t);
    await page.goto(app.url);
    await page.locator('.hp-plot canvas').first().waitFor();
    assert.equal(await page.locator('.hp-dashboard').getAttribute('data-theme'), 'dark');
    // Strict mode mounts twice: the first one must be gone.
    assert.equal(await page.locator('.hp-dashboard').count(), 1);
    await page.getByRole('button', { name: 'Toggle' }).click();
    assert.equal(await page.locator('.hp-dashboard').count(), 0);
    assert.deepEqual(page.complaints, []);
  });
});
