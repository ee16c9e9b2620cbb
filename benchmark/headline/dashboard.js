// How soon the dashboard shows figures, and how smooth it stays with a day of history, in a real browser.

const { chromium } = require('playwright-core');
const { find } = require('../../scripts/programs.js');

/** @typedef {import('./headline.js').Row} Row */

/** A day at a point in two seconds, as much as a page keeps. */
const DAY_POINTS = 43_200;
const STEP_MS = 2000;
const LOADS = 5;

/** Notes when the first figure is on the page. Runs there. */
function noteFirstFigure() {
  const look = () => {
    const shown = [...document.querySelectorAll('.hp-tile dd')].some((tile) => /\d/.test(tile.textContent ?? ''));
    if (shown) {
      observer.disconnect();
      /** @type {any} */ (window).firstFigure = performance.now();
    }
  };
  const observer = new MutationObserver(look);
  observer.observe(document, { subtree: true, childList: true, characterData: true });
}

/** The longest time between two frames within some seconds, in milliseconds. Runs in the page. @param {number} ms */
function longestFrame(ms) {
  return new Promise((resolve) => {
    const begun = performance.now();
    let [last, longest] = [begun, 0];
    const frame = (/** @type {number} */ now) => {
      longest = Math.max(longest, now - last);
      last = now;
      if (now - begun < ms) requestAnimationFrame(frame);
      else resolve(longest);
    };
    requestAnimationFrame(frame);
  });
}

/**
 * What a page knows after a day: a day of waves about the newest figures.
 * @param {any} data the answer of `GET /dashboard` @param {(sample: any) => Record<string, number>} flatten
 */
function withADay(data, flatten) {
  const { timestamp } = data.live;
  const timestamps = Array.from({ length: DAY_POINTS }, (_, index) => timestamp - (DAY_POINTS - index) * STEP_MS);
  const wave = (/** @type {number} */ value) =>
    timestamps.map((_, index) => value * (1 + Math.sin(index / 900) / 2 + (index % 7) / 20));
  const columns = Object.entries(flatten(data.live)).map(([key, value]) => [key, wave(Number(value) || 0)]);
  return { ...data, history: { timestamps, series: Object.fromEntries(columns) }, recent: [] };
}

/** @param {{ url: string }} demo @returns {Promise<Row[]>} */
async function measureDashboard({ url }) {
  const executablePath = find('chromium');
  if (executablePath === undefined) return [];
  const { flatten } = await import('../../lib/http/dashboard/figures.mjs');
  const root = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  const browser = await chromium.launch({ executablePath, args: ['--disable-background-networking', ...root] });
  try {
    const address = `${url}/api/performance/`;
    const first = [];
    for (let load = 0; load < LOADS; load++) {
      // A context has a cache of its own: every load is the first.
      const page = await (await browser.newContext()).newPage();
      await page.addInitScript(noteFirstFigure);
      await page.goto(address);
      first.push(
        /** @type {number} */ (
          await (await page.waitForFunction(() => /** @type {any} */ (window).firstFigure)).jsonValue()
        ),
      );
      await page.context().close();
    }
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    await page.route('**/api/performance/dashboard', async (route) => {
      const answer = await (await route.fetch()).json();
      await route.fulfill({ json: { ...answer, data: withADay(answer.data, flatten) } });
    });
    await page.goto(`${address}#metrics`);
    await page.locator('.hp-plot canvas').nth(7).waitFor();
    await page.getByRole('button', { name: '1 day' }).click();
    // Several samples arrive in this time, and each draws all charts again.
    const frame = await page.evaluate(longestFrame, 7000);
    const median = first.sort((a, b) => a - b)[LOADS >> 1];
    return [
      row(
        'first figures of the dashboard',
        'within 1 s',
        median,
        median < 1000,
        'median of five loads in Chromium, nothing cached',
      ),
      row(
        'longest frame with a day of history',
        '< 100 ms',
        frame,
        frame < 100,
        `${DAY_POINTS} points in all eight charts, live`,
      ),
    ];
  } finally {
    await browser.close();
  }
}

/** @param {string} what @param {string} target @param {number} value @param {boolean} met @param {string} how @returns {Row} */
function row(what, target, value, met, how) {
  return { document: '004', what, target, value, unit: 'ms', met, how };
}

module.exports = { measureDashboard };
