'use strict';

// The cache's endpoints: whichever of our caches it is, its statistics have one shape and its patterns one meaning.

const { lifeOptions } = require('../cache/ttl-argument.js');
const check = require('../validate.js');
const { Refusal, badRequest } = require('./router-errors.js');

/** Longest key and pattern that come from outside. */
const MOST_CHARACTERS = 2_048;

const GLOB_CHARACTERS = /[*?[\]]/;

/** @param {string} text */
function literal(text) {
  return text.replace(/[*?[\]\\]/g, '\\$&');
}

/** @param {unknown} text @param {string} path */
function short(text, path) {
  const checked = check.nonEmptyString(text, path);
  if (checked.length > MOST_CHARACTERS) {
    throw badRequest('ERR_OUT_OF_RANGE', `Expected at most ${MOST_CHARACTERS} characters for ${path}`);
  }
  return checked;
}

/** @param {unknown} value */
function count(value) {
  return typeof value === 'number' && Number.isFinite(value) ? value : 0;
}

/** Statistics in the words of document 002. @param {any} cache */
function usageOf(cache) {
  const told = typeof cache.getStats === 'function' ? cache.getStats() : undefined;
  if (typeof told?.hitRate === 'number' && typeof told.utilization === 'number') return told;
  const { hits = 0, misses = 0, entries, bytes, maxEntries, maxBytes, ...stats } = cache.stats;
  const front = stats.memory ?? stats.front ?? {};
  const reads = count(hits) + count(misses);
  const size = count(entries ?? front.entries);
  const used = count(bytes ?? front.bytes);
  const byEntries = Number.isFinite(maxEntries);
  const maxSize = count(byEntries ? maxEntries : (maxBytes ?? front.limit));
  return {
    hits: count(hits),
    misses: count(misses),
    hitRate: reads === 0 ? 0 : count(hits) / reads,
    size,
    maxSize,
    utilization: maxSize === 0 ? 0 : (byEntries ? size : used) / maxSize,
    memoryUsage: used,
  };
}

/** @param {import('./router-endpoints.js').Call} call */
function cacheStats({ services }) {
  return { data: usageOf(services.cache) };
}

/** @param {import('./router-endpoints.js').Call} call */
async function setInCache({ body, services }) {
  const { key, value, ttl } = check.options(body, 'body', ['key', 'value', 'ttl']);
  short(key, 'body.key');
  if (value === undefined) throw badRequest('ERR_INVALID_ARG_TYPE', 'Expected a value for body.value');
  const life = ttl === undefined ? undefined : lifeOptions(services.cache, check.positiveFiniteNumber(ttl, 'body.ttl'));
  const stored = await services.cache.set(key, value, life);
  return { data: { key, stored: stored !== false } };
}

/** @param {import('./router-endpoints.js').Call} call */
async function clearCache({ services }) {
  await services.cache.clear();
  return { data: { cleared: true } };
}

/** Without glob characters a pattern means the key of that name and all that begin with it and a colon. @param {import('./router-endpoints.js').Call} call */
async function deletePattern({ body, services: { cache } }) {
  const { pattern } = check.options(body, 'body', ['pattern']);
  short(pattern, 'body.pattern');
  if (typeof cache.delPattern === 'function') return { data: { pattern, deleted: await cache.delPattern(pattern) } };
  if (typeof cache.deletePattern !== 'function') {
    throw new Refusal(404, 'ERR_NOT_SUPPORTED', 'This cache cannot delete by pattern');
  }
  if (GLOB_CHARACTERS.test(pattern)) return { data: { pattern, deleted: await cache.deletePattern(pattern) } };
  const family = await cache.deletePattern(`${literal(pattern)}:*`);
  return { data: { pattern, deleted: family + Number(await cache.delete(pattern)) } };
}

/** @param {import('./router-endpoints.js').Call} call */
async function optimizeCache({ services: { cache } }) {
  if (typeof cache.optimize === 'function') return { data: await cache.optimize() };
  // Expired entries leave our caches by themselves: what does not keep counts of its own has nothing to clean.
  return { data: { examined: 0, removed: 0, freedBytes: 0, memoryUsage: usageOf(cache).memoryUsage } };
}

module.exports = { cacheStats, clearCache, deletePattern, optimizeCache, setInCache };
