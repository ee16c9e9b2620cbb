// First tab: how the server is, in one look.

import { Charts } from './charts.mjs';
import { h, replace, setText, svg } from './dom.mjs';
import { LATENCY, level, THROUGHPUT, TILES } from './figures.mjs';
import { ago, duration, number } from './format.mjs';

const RADIUS = 42;
const LENGTH = 2 * Math.PI * RADIUS;
const SCORE = { warn: 75, bad: 50, low: true };

/** The score as a ring. */
function createScore() {
  const at = { cx: 50, cy: 50, r: RADIUS };
  const value = svg('circle', {
    ...at,
    class: 'hp-ring-value',
    'stroke-dasharray': LENGTH,
    'stroke-dashoffset': LENGTH,
  });
  const label = svg('text', { x: 50, y: 60 }, '–');
  const ring = svg(
    'svg',
    { class: 'hp-ring', viewBox: '0 0 100 100', role: 'img', 'aria-label': 'Score' },
    svg('circle', at),
    value,
    label,
  );
  const status = h('strong', {}, 'Waiting for figures');
  const reasons = h('div', { class: 'hp-muted' });
  const element = h(
    'section',
    { class: 'hp-card hp-score', 'aria-label': 'Score' },
    ring,
    h('div', {}, status, reasons),
  );
  return {
    element,
    update({ summary, health, server }) {
      const score = summary?.score;
      element.dataset.level = level(score, SCORE) ?? 'good';
      value.setAttribute('stroke-dashoffset', `${LENGTH * (1 - (score ?? 0) / 100)}`);
      setText(label, score === undefined || score === null ? '–' : `${Math.round(score)}`);
      ring.setAttribute('aria-label', `Score ${Math.round(score ?? 0)} of 100`);
      setText(status, summary ? capital(summary.status) : capital(health?.status ?? 'no figures'));
      const why = (health?.reasons ?? []).map((reason) => (typeof reason === 'string' ? reason : reason.message));
      const up = server
        ? `up for ${duration(server.uptime * 1000)}, Node.js ${server.node}, process ${server.pid}`
        : '';
      replace(reasons, ...(why.length > 0 ? why : [up]).map((text) => h('p', {}, text)));
    },
  };
}

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

function createTiles() {
  const values = new Map();
  const tiles = TILES.map(({ key, label }) => {
    const value = h('dd', {}, '–');
    const tile = h('dl', { class: 'hp-card hp-tile' }, h('dt', {}, label), value);
    values.set(key, { tile, value });
    return tile;
  });
  return {
    element: h('div', { class: 'hp-tiles' }, ...tiles),
    update(metrics = {}) {
      for (const { key, format, ...bounds } of TILES) {
        const { tile, value } = values.get(key);
        setText(value, format(metrics[key]));
        tile.dataset.level = level(metrics[key], bounds) ?? '';
      }
    },
  };
}

const badge = (severity) => h('span', { class: 'hp-badge', 'data-severity': severity }, severity);

/** @param {any} alert @param {(() => void) | undefined} resolve */
function alertItem(alert, resolve) {
  const { type, severity, message, value, threshold, timestamp } = alert;
  const figures = value === undefined ? '' : ` (${number(value)}, threshold ${number(threshold)})`;
  return h(
    'li',
    {},
    badge(severity),
    h('span', { class: 'hp-what' }, message ? `${type}: ${message}` : `${type}${figures}`),
    h('span', { class: 'hp-muted' }, ago(timestamp)),
    resolve && h('button', { class: 'hp-button', type: 'button', onclick: resolve }, 'Resolve'),
  );
}

/**
 * @param {import('./model.mjs').Model} model
 * @param {import('./actions.mjs').Actions} actions
 */
export function createOverview(model, actions) {
  const score = createScore();
  const tiles = createTiles();
  const alerts = h('ul', { class: 'hp-list' });
  const clear = h('button', { class: 'hp-button', type: 'button', onclick: () => actions.clearAlerts() }, 'Clear all');
  const recommendations = h('ul', { class: 'hp-list' });
  const charts = new Charts(LATENCY, THROUGHPUT);
  const panel = h(
    'div',
    {},
    score.element,
    tiles.element,
    charts.element,
    h(
      'div',
      { class: 'hp-grid hp-below' },
      h('section', { class: 'hp-card' }, h('h2', {}, 'Alerts'), alerts, h('div', { class: 'hp-actions' }, clear)),
      h('section', { class: 'hp-card' }, h('h2', {}, 'Recommendations'), recommendations),
    ),
  );
  let shown = '';
  return {
    panel,
    charts,
    update() {
      const { summary, alerts: active = [] } = model.data;
      score.update(model.data);
      tiles.update(summary?.metrics);
      clear.hidden = active.length === 0 || !model.allows('alerts.clear');
      const advice = summary?.recommendations ?? [];
      // Lists are made anew only when they differ: a button must not vanish under the finger.
      const now = JSON.stringify([active, advice, model.allows('alerts.resolve')]);
      if (now === shown) return;
      shown = now;
      const resolving = (alert) => (model.allows('alerts.resolve') ? () => actions.resolveAlert(alert) : undefined);
      replace(
        alerts,
        ...orNone(
          active.map((alert) => alertItem(alert, resolving(alert))),
          'None active',
        ),
      );
      const items = advice.map(({ severity, message }) =>
        h('li', {}, badge(severity), h('span', { class: 'hp-what' }, message)),
      );
      replace(recommendations, ...orNone(items, 'None'));
    },
  };
}

const orNone = (items, text) => (items.length > 0 ? items : [h('li', { class: 'hp-muted' }, text)]);
