// The dashboard alone on a page of its own. The router serves the page, so it is mounted where the page is.

import { mountDashboard } from './mount.mjs';

const url = new URL('.', document.baseURI);
const tab = location.hash.slice(1);

mountDashboard(/** @type {HTMLElement} */ (document.querySelector('#dashboard')), {
  url: url.pathname,
  tab: ['overview', 'metrics', 'optimization'].includes(tab) ? /** @type {any} */ (tab) : undefined,
  // A reload, or a link that somebody is sent, leads to the same tab.
  onTab: (name) => history.replaceState(undefined, '', `#${name}`),
});
