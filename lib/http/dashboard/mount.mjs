// Puts the dashboard into an element: the page does that, and the React component.

import { Actions } from './actions.mjs';
import { createApi } from './api.mjs';
import { Toasts } from './dialogs.mjs';
import { h, setText } from './dom.mjs';
import { follow } from './live.mjs';
import { createMetrics } from './metrics.mjs';
import { Model } from './model.mjs';
import { createOptimization } from './optimization.mjs';
import { createOverview } from './overview.mjs';
import { createTabs } from './tabs.mjs';

const MINUTE_MS = 60_000;
const RANGES = [
  ['5 min', 5 * MINUTE_MS],
  ['1 hour', 60 * MINUTE_MS],
  ['8 hours', 480 * MINUTE_MS],
  ['1 day', 1440 * MINUTE_MS],
];
const STATES = {
  connecting: 'Connecting',
  live: 'Live',
  reconnecting: 'Reconnecting',
  polling: 'Every 5 seconds',
  offline: 'Server not reached',
};

/**
 * @param {HTMLElement} element is filled, and emptied by `destroy`
 * @param {object} [options]
 * @param {string} [options.url] where the router is mounted
 * @param {typeof globalThis.fetch} [options.fetch] one that adds credentials; figures are then asked for, not streamed
 * @param {'light' | 'dark' | 'auto'} [options.theme]
 * @param {'overview' | 'metrics' | 'optimization'} [options.tab] the one to begin with
 * @param {(tab: string) => void} [options.onTab]
 * @returns {{ destroy(): void }}
 */
export function mountDashboard(
  element,
  { url = '/api/performance', fetch, theme = 'auto', tab = 'overview', onTab } = {},
) {
  const api = createApi(url, fetch);
  const model = new Model(api);
  const toasts = new Toasts();
  const root = h('div', { class: 'hp-dashboard' });
  const actions = new Actions(api, model, root, toasts);
  const views = {
    overview: createOverview(model, actions),
    metrics: createMetrics(model),
    optimization: createOptimization(model, actions),
  };
  /** @type {string} */
  let current = tab;
  let spanMs = RANGES[0][1];

  const live = createLive();
  const ranges = createRanges((chosen) => {
    spanMs = chosen;
    show();
  });
  const themes = createTheme(root, theme, () => {
    for (const { charts } of Object.values(views)) charts?.restyle();
    show();
  });
  const tabs = createTabs(
    Object.entries(views).map(([name, { panel }]) => ({ name, label: name[0].toUpperCase() + name.slice(1), panel })),
    (name) => {
      current = name;
      ranges.hidden = views[name].charts === undefined;
      show();
      onTab?.(name);
    },
  );

  function show() {
    if (model.data === undefined) return;
    const view = views[current];
    view.update();
    view.charts?.update(model.series, spanMs);
  }

  root.append(
    h(
      'header',
      { class: 'hp-head' },
      h('h1', {}, 'hotpath'),
      live.element,
      h('span', { class: 'hp-spacer' }),
      themes.button,
    ),
    tabs.element,
    ranges,
    ...Object.values(views).map(({ panel }) => panel),
    toasts.element,
  );
  element.replaceChildren(root);
  tabs.select(current);
  model.onChange(show);
  const load = () => model.load();
  load().catch((error) => toasts.show(error.message, 'error'));
  const end = follow({
    url: `${api.base}/stream`,
    stream: fetch === undefined,
    poll: load,
    onEvent: (name, data) => model.apply(name, data).catch(() => live.set('offline')),
    onState: live.set,
  });

  return {
    destroy() {
      end();
      themes.end();
      for (const { charts } of Object.values(views)) charts?.destroy();
      element.replaceChildren();
    },
  };
}

function createLive() {
  const label = h('span');
  const element = h('span', { class: 'hp-live', role: 'status' }, h('span', { class: 'hp-dot' }), label);
  return {
    element,
    set(state) {
      element.dataset.state = state;
      setText(label, STATES[state]);
    },
  };
}

/** @param {(spanMs: number) => void} onChoose */
function createRanges(onChoose) {
  const buttons = RANGES.map(([label, spanMs], index) =>
    h(
      'button',
      { class: 'hp-button', type: 'button', 'aria-pressed': `${index === 0}`, onclick: () => choose(spanMs) },
      label,
    ),
  );
  function choose(spanMs) {
    for (const [index, button] of buttons.entries())
      button.setAttribute('aria-pressed', `${RANGES[index][1] === spanMs}`);
    onChoose(spanMs);
  }
  return h('div', { class: 'hp-ranges', role: 'group', 'aria-label': 'Span of the charts' }, ...buttons);
}

/** Light or dark: as the system has it, until somebody chooses. */
function createTheme(root, theme, onChange) {
  const system = matchMedia('(prefers-color-scheme: dark)');
  let chosen = theme === 'auto' ? undefined : theme;
  const button = h('button', { class: 'hp-button', type: 'button', onclick: toggle });

  function apply() {
    const now = chosen ?? (system.matches ? 'dark' : 'light');
    root.dataset.theme = now;
    setText(button, now === 'dark' ? 'Light' : 'Dark');
    button.setAttribute('aria-label', `Use ${now === 'dark' ? 'light' : 'dark'} colors`);
  }
  function toggle() {
    chosen = root.dataset.theme === 'dark' ? 'light' : 'dark';
    apply();
    onChange();
  }
  function follow() {
    apply();
    onChange();
  }

  apply();
  system.addEventListener('change', follow);
  return { button, end: () => system.removeEventListener('change', follow) };
}
