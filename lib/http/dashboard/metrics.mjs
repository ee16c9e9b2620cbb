// Second tab: everything over time, and what the levels, pools and queues hold right now.

import { Charts } from './charts.mjs';
import { h, replace } from './dom.mjs';
import { CPU, ERRORS, EVENT_LOOP, HIT_RATE, hitRateLines, LATENCY, MEMORY, QUEUES, THROUGHPUT } from './figures.mjs';
import { bytes, count, milliseconds, percent } from './format.mjs';

/** @param {string} title @param {[heading: string, numeric: boolean][]} headings */
function createTable(title, headings) {
  const body = h('tbody');
  const cell = (tag, content, numeric) => h(tag, { class: numeric ? 'hp-number' : undefined }, content);
  const head = headings.map(([heading, numeric]) => {
    const element = cell('th', heading, numeric);
    element.scope = 'col';
    return element;
  });
  const table = h('table', {}, h('thead', {}, h('tr', {}, ...head)), body);
  const element = h(
    'section',
    { class: 'hp-card hp-wide' },
    h('h2', {}, title),
    h('div', { class: 'hp-scroll' }, table),
  );
  return {
    element,
    /** @param {string[][]} rows */
    update(rows) {
      element.hidden = rows.length === 0;
      replace(
        body,
        ...rows.map((row) => h('tr', {}, ...row.map((text, index) => cell('td', text, headings[index][1])))),
      );
    },
  };
}

const ofMost = (value, most, format) => (most > 0 ? `${format(value)} of ${format(most)}` : format(value));

/** @param {import('./model.mjs').Model} model */
export function createMetrics(model) {
  const charts = new Charts(LATENCY, THROUGHPUT, ERRORS);
  let lines = hitRateLines([]);
  let hitRate = charts.add({ ...HIT_RATE, lines });
  for (const definition of [MEMORY, EVENT_LOOP, CPU, QUEUES]) charts.add(definition);
  const levels = createTable('Cache levels', [
    ['Level', false],
    ['Hit rate', true],
    ['Hits', true],
    ['Misses', true],
    ['Entries', true],
    ['Bytes', true],
  ]);
  const pools = createTable('Pools and queues', [
    ['Name', false],
    ['Kind', false],
    ['Busy', true],
    ['Waiting', true],
    ['Waited (p95)', true],
  ]);
  return {
    panel: h('div', {}, charts.element, h('div', { class: 'hp-grid hp-below' }, levels.element, pools.element)),
    charts,
    update() {
      const found = hitRateLines(model.series.keysUnder('cache.'));
      if (found.length !== lines.length) {
        lines = found;
        hitRate = charts.exchange(hitRate, { ...HIT_RATE, lines });
      }
      const { cache, pools: known = [], queues = [] } = model.sample ?? {};
      levels.update(
        (cache?.levels ?? []).map((level) => [
          level.name,
          percent(level.hitRate),
          count(level.hits),
          count(level.misses),
          count(level.entries),
          ofMost(level.bytes, level.maxBytes, bytes),
        ]),
      );
      const rows = known.map(({ name, kind, busy, max, queue, waitP95 }) => [
        name,
        kind,
        ofMost(busy, max, count),
        count(queue),
        milliseconds(waitP95),
      ]);
      const more = queues.map(({ name, running, pending, waitP95 }) => [
        name,
        'queue',
        count(running),
        count(pending),
        milliseconds(waitP95),
      ]);
      pools.update([...rows, ...more]);
    },
  };
}
