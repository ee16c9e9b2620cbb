// The figures of a server as the state of a component.

import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { createApi } from '../http/dashboard/api.mjs';

const INTERVAL_MS = 30_000;

/** @param {{ url?: string, intervalMs?: number, fetch?: typeof globalThis.fetch }} [options] */
export function usePerformance({ url = '/api/performance', intervalMs = INTERVAL_MS, fetch } = {}) {
  const [figures, setFigures] = useState(/** @type {{ summary?: any, cache?: any }} */ ({}));
  const [error, setError] = useState(/** @type {Error | undefined} */ (undefined));
  const [isMonitoring, setMonitoring] = useState(false);
  // A fetch written into the component is a new one at each rendering: it must not begin everything anew.
  const latestFetch = useRef(fetch);
  latestFetch.current = fetch;
  const api = useMemo(() => createApi(url, (...args) => (latestFetch.current ?? globalThis.fetch)(...args)), [url]);
  const mounted = useMounted();

  const refresh = useCallback(async () => {
    const [summary, cache] = await Promise.allSettled([api.get('/summary'), api.get('/cache/stats')]);
    if (!mounted.current) return;
    // What could not be had keeps its last figures: an application may have no cache here, and a server a bad second.
    setFigures((known) => ({
      summary: summary.status === 'fulfilled' ? summary.value : known.summary,
      cache: cache.status === 'fulfilled' ? cache.value : known.cache,
    }));
    setError(summary.status === 'rejected' ? summary.reason : undefined);
  }, [api, mounted]);

  useEffect(() => {
    if (!isMonitoring) return undefined;
    refresh();
    const timer = setInterval(refresh, intervalMs);
    return () => clearInterval(timer);
  }, [isMonitoring, intervalMs, refresh]);

  const startMonitoring = useCallback(() => setMonitoring(true), []);
  const stopMonitoring = useCallback(() => setMonitoring(false), []);
  const runOptimization = useCallback(async () => {
    const answer = await api.post('/optimization/run');
    await refresh();
    return answer;
  }, [api, refresh]);
  const clearCache = useCallback(
    async (/** @type {unknown} */ pattern) => {
      // As an onClick handler it is given an event.
      const some = typeof pattern === 'string';
      const answer = await (some ? api.delete('/cache/pattern', { pattern }) : api.delete('/cache'));
      await refresh();
      return answer;
    },
    [api, refresh],
  );

  return {
    performanceSummary: figures.summary,
    cacheStats: figures.cache,
    performanceStatus: figures.summary?.status,
    performanceScore: figures.summary?.score,
    error,
    isMonitoring,
    startMonitoring,
    stopMonitoring,
    refresh,
    runOptimization,
    clearCache,
  };
}

function useMounted() {
  const mounted = useRef(false);
  useEffect(() => {
    mounted.current = true;
    return () => {
      mounted.current = false;
    };
  }, []);
  return mounted;
}
