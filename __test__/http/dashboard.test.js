'use strict';

const assert = require('node:assert/strict');
const { once } = require('node:events');
const http = require('node:http');
const { describe, it } = require('node:test');
const {
  AdvancedCacheManager,
  MetricsService,
  OptimizationService,
  PerformanceMonitoringEngine,
  PerformanceService,
  performanceRouter,
} = require('hotpath');
const { sharedBrowser } = require('../support/browser');
const { waitFor } = require('../support/wait');

const openPage = sharedBrowser();
const MOUNT = '/api/performance';

/** An application with the router, and what it is made of. `port` brings one back where it was. */
async function serve(t, { authorize, port = 0 } = {}) {
  const cache = new AdvancedCacheManager();
  const metrics = new MetricsService();
  const monitoring = new PerformanceMonitoringEngine();
  const performance = new PerformanceService();
  const optimization = new OptimizationService();
  const services = { cache, metrics, monitoring, performance, optimization };
  const router = performanceRouter(services, authorize ? { authorize } : {});
  const server = http.createServer((request, response) => {
    router(request, response, () => response.writeHead(204).end());
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const stop = async () => {
    if (!server.listening) return;
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
    for (const service of Object.values(services)) await service.close?.();
    router.close();
  };
  t.after(stop);
  const { port: listening } = server.address();
  return { ...services, port: listening, stop, url: `http://127.0.0.1:${listening}${MOUNT}/` };
}

const tile = (page, label) => page.locator('.hp-tile', { hasText: label }).locator('dd').textContent();
const live = (page) => page.locator('.hp-live').getAttribute('data-state');

/** How many charts on the page have nothing drawn on them. */
function emptyCharts(page) {
  return page.locator('.hp-plot canvas').evaluateAll(
    (canvases) =>
      canvases.filter((canvas) => {
        if (canvas.width === 0) return false;
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        return !data.some((value) => value !== 0);
      }).length,
  );
}

describe('the dashboard', () => {
  it('shows what the server measured, and goes on doing so', async (t) => {
    const app = await serve(t);
    const page = await openPage(t);
    await page.goto(app.url);
    await waitFor(async () => (await live(page)) === 'live');
    await page.locator('.hp-score strong').waitFor();
    for (let round = 0; round < 30; round++) app.metrics.recordRequest(20);
    await waitFor(
      async () => (await tile(page, 'Response time')) !== '–' && (await tile(page, 'Throughput')) !== '0 /s',
    );
    assert.match(await tile(page, 'Response time'), /ms$/);
    assert.match(await tile(page, 'Memory'), /%$/);
    assert.deepEqual(page.complaints, []);
  });

  it('draws every chart, at any width, light and dark', async (t) => {
    const app = await serve(t);
    for (const options of [
      { colorScheme: 'light' },
      { colorScheme: 'dark' },
      { viewport: { width: 360, height: 700 }, hasTouch: true },
    ]) {
      const page = await openPage(t, options);
      await page.goto(`${app.url}#metrics`);
      await page.locator('.hp-plot canvas').nth(7).waitFor();
      assert.equal(await page.locator('[role=tabpanel]:visible .hp-chart').count(), 8);
      assert.equal(await emptyCharts(page), 0);
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth), false);
      const theme = await page.locator('.hp-dashboard').getAttribute('data-theme');
      assert.equal(theme, options.colorScheme ?? 'light');
      await page.getByRole('button', { name: /colors/ }).click();
      assert.notEqual(await page.locator('.hp-dashboard').getAttribute('data-theme'), theme);
      assert.equal(await emptyCharts(page), 0);
      assert.deepEqual(page.complaints, []);
    }
  });

  it('is used by keyboard', async (t) => {
    const app = await serve(t, { authorize: () => true });
    await app.cache.set('kept', 1);
    const page = await openPage(t);
    await page.goto(app.url);
    await page.getByRole('tab', { name: 'Overview' }).focus();
    await page.keyboard.press('ArrowRight');
    assert.equal(await page.getByRole('tab', { name: 'Metrics' }).getAttribute('aria-selected'), 'true');
    await page.keyboard.press('End');
    const clear = page.getByRole('button', { name: 'Clear the cache' });
    await clear.waitFor();
    await clear.focus();
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    assert.equal(await app.cache.get('kept'), 1);
  });

  it('acts after a question, and tells what came of it', async (t) => {
    const app = await serve(t, { authorize: () => true });
    await app.cache.set('user:1', 1);
    await app.cache.set('post:1', 1);
    const page = await openPage(t);
    await page.goto(`${app.url}#optimization`);
    await page.getByRole('button', { name: 'Clear a pattern' }).click();
    await page.getByRole('textbox', { name: 'Pattern' }).fill('user');
    await page.getByRole('dialog').getByRole('button', { name: 'Clear' }).click();
    await page.locator('.hp-toast').waitFor();
    assert.equal(await app.cache.get('user:1'), undefined);
    assert.equal(await app.cache.get('post:1'), 1);
    await page.getByRole('button', { name: 'Clear the cache' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Clear', exact: true }).click();
    await waitFor(async () => (await app.cache.get('post:1')) === undefined);
    assert.deepEqual(page.complaints, []);
  });

  it('changes the configuration', async (t) => {
    const app = await serve(t, { authorize: () => true });
    const page = await openPage(t);
    await page.goto(`${app.url}#optimization`);
    await page.getByLabel(/hit rate threshold/).fill('0.6');
    await page.getByRole('button', { name: 'Change', exact: true }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Change' }).click();
    await waitFor(() => app.optimization.getConfig().cacheOptimization.hitRateThreshold === 0.6);
  });

  it('has no buttons for whom nothing is allowed, and those alone that are', async (t) => {
    const buttons = (page) => page.locator('[role=tabpanel]:visible .hp-actions button:visible').allInnerTexts();
    const closed = await serve(t);
    const page = await openPage(t);
    await page.goto(`${closed.url}#optimization`);
    await page.getByText('This client may look, but not act.').waitFor();
    assert.deepEqual(await buttons(page), []);
    const partly = await serve(t, { authorize: (_request, action) => action === 'optimization.run' });
    const other = await openPage(t);
    await other.goto(`${partly.url}#optimization`);
    await other.getByRole('button', { name: 'Run the optimization' }).waitFor();
    assert.deepEqual(await buttons(other), ['Run the optimization']);
  });

  it('finds the server again after it was away', async (t) => {
    const app = await serve(t);
    const page = await openPage(t);
    await page.goto(app.url);
    await waitFor(async () => (await live(page)) === 'live');
    await app.stop();
    await waitFor(async () => (await live(page)) !== 'live');
    await serve(t, { port: app.port });
    await waitFor(async () => ['live', 'polling'].includes(await live(page)), { timeoutMs: 60_000 });
  });

  it('shows text as text', async (t) => {
    const app = await serve(t);
    const page = await openPage(t);
    const name = '<img src=x onerror="document.title=1">';
    await page.route('**/dashboard', async (route) => {
      const response = await route.fetch();
      const answer = await response.json();
      answer.data.alerts = [{ id: 'a', type: name, severity: 'high', message: name, timestamp: Date.now() }];
      await route.fulfill({ response, json: answer });
    });
    await page.goto(app.url);
    await page.getByText(name).first().waitFor();
    assert.equal(await page.locator('img').count(), 0);
  });

  it('has under 150 KB to load, all of it from its own server, under a strict policy', async (t) => {
    const app = await serve(t);
    const page = await openPage(t);
    const files = [];
    page.on('response', (response) => {
      // Figures are no part of the page, and a stream of them never ends.
      if (/\/(dashboard|stream)$/.test(response.url())) return;
      files.push(
        response
          .request()
          .sizes()
          .then(({ responseBodySize }) => [response.url(), responseBodySize]),
      );
    });
    const response = await page.goto(app.url);
    await waitFor(async () => (await live(page)) === 'live');
    const policy = response.headers()['content-security-policy'];
    assert.match(policy, /default-src 'none'/);
    assert.doesNotMatch(policy, /unsafe/);
    const sizes = await Promise.all(files);
    assert.ok(sizes.length > 5);
    assert.ok(sizes.every(([url]) => url.startsWith(app.url)));
    const total = sizes.reduce((sum, [, size]) => sum + size, 0);
    assert.ok(total > 10_000 && total < 150 * 1024, `${total} bytes`);
  });
});
