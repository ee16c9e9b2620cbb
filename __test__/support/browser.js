'use strict';

// A real browser for tests: Chromium without a window.

const { after, before } = require('node:test');
const { chromium } = require('playwright-core');
const { need } = require('./servers');

/** It looks nothing up and updates nothing by itself; root may not have its sandbox. */
const FLAGS = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
];

/**
 * One browser for all tests of a file.
 * @returns {(t: { after(fn: () => unknown): void }, options?: object) => Promise<Page>} opens a page that closes with its test
 */
function sharedBrowser() {
  let browser;
  before(async () => {
    browser = await chromium.launch({ executablePath: need('chromium'), args: FLAGS });
  });
  after(() => browser?.close());
  return async (t, options = {}) => {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
    t.after(() => context.close());
    const page = await context.newPage();
    /** What the page complained of. Failed requests are complaints, too. */
    page.complaints = [];
    page.on('console', (message) => message.type() === 'error' && page.complaints.push(message.text()));
    page.on('pageerror', (error) => page.complaints.push(error.message));
    return page;
  };
}

module.exports = { sharedBrowser };
