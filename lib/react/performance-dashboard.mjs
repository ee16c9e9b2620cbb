// The dashboard as a component. What draws charts twice a second is better off outside React's rendering.

import { createElement, useEffect, useRef } from 'react';
import { mountDashboard } from '../http/dashboard/mount.mjs';

/**
 * @param {{ url?: string, fetch?: typeof globalThis.fetch, theme?: 'light' | 'dark' | 'auto',
 *   tab?: 'overview' | 'metrics' | 'optimization', className?: string }} props
 */
export function PerformanceDashboard({ url, fetch, theme, tab, className }) {
  const place = useRef(/** @type {HTMLDivElement | null} */ (null));
  const latestFetch = useRef(fetch);
  latestFetch.current = fetch;
  const hasFetch = fetch !== undefined;

  useEffect(() => {
    if (place.current === null) return undefined;
    const call = hasFetch
      ? (/** @type {Parameters<typeof globalThis.fetch>} */ ...args) => latestFetch.current?.(...args)
      : undefined;
    const dashboard = mountDashboard(place.current, { url, fetch: /** @type {any} */ (call), theme, tab });
    return () => dashboard.destroy();
  }, [url, hasFetch, theme, tab]);

  return createElement('div', { ref: place, className });
}
