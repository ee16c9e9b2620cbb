// Third tab: what can be done, what was done, what it brought.

import { h, replace } from './dom.mjs';
import { bytes, milliseconds, number, percent, time, words } from './format.mjs';

const FORMATS = { ratio: percent, ms: milliseconds, bytes, count: number };

/**
 * The buttons, and the actions that they take.
 * @type {[label: string, action: string, style: string, act: (actions: import('./actions.mjs').Actions) => unknown][]}
 */
const BUTTONS = [
  ['Run the optimization', 'optimization.run', 'hp-primary', (actions) => actions.optimize()],
  ['Tidy the cache', 'cache.optimize', '', (actions) => actions.optimizeCache()],
  ['Clear a pattern', 'cache.clear', '', (actions) => actions.clearPattern()],
  ['Clear the cache', 'cache.clear', 'hp-danger', (actions) => actions.clearCache()],
  ['Run a load test', 'test.load', '', (actions) => actions.loadTest()],
  ['Reset the metrics', 'metrics.reset', 'hp-danger', (actions) => actions.resetMetrics()],
];

function recordRow(record) {
  const { timestamp, area, action, reason, measured, unit, before, after, verdict, status } = record;
  const format = FORMATS[unit] ?? number;
  const figures = before ? `${measured}: ${format(before.value)} → ${format(after?.value)}` : (measured ?? '');
  return h(
    'tr',
    {},
    h('td', {}, time(timestamp)),
    h('td', {}, `${words(action)} (${area})`),
    h('td', {}, reason ?? ''),
    h('td', {}, figures),
    h('td', {}, h('span', { class: 'hp-badge', 'data-severity': status, title: verdict ?? '' }, status)),
  );
}

function recommendationItem({ severity, area, message, automatic }) {
  const badge = h('span', { class: 'hp-badge', 'data-severity': severity }, severity);
  const how = automatic ? `${area}, automatic` : `${area}, by hand`;
  return h('li', {}, badge, h('span', { class: 'hp-what' }, message), h('span', { class: 'hp-muted' }, how));
}

/** `{ cacheOptimization: { hitRateThreshold: 0.7 } }` as rows; only numbers can be changed here. */
function numbersOf(config) {
  return Object.entries(config ?? {}).flatMap(([group, settings]) =>
    settings !== null && typeof settings === 'object'
      ? Object.entries(settings)
          .filter(([, value]) => typeof value === 'number')
          .map(([name, value]) => ({ group, name, value }))
      : [],
  );
}

/** @param {import('./actions.mjs').Actions} actions */
function createConfig(actions) {
  const fields = h('div', { class: 'hp-fields' });
  const submit = h('button', { class: 'hp-button' }, 'Change');
  let known = [];
  const form = h('form', { onsubmit: save }, fields, h('div', { class: 'hp-actions' }, submit));

  function save(event) {
    event.preventDefault();
    const changes = {};
    for (const { group, name, value } of known) {
      const now = form.elements[`${group}.${name}`].valueAsNumber;
      if (Number.isFinite(now) && now !== value) changes[group] = { ...changes[group], [name]: now };
    }
    if (Object.keys(changes).length > 0) actions.configure(changes);
  }

  return {
    element: h('section', { class: 'hp-card' }, h('h2', {}, 'Configuration'), form),
    update(config, editable) {
      const next = numbersOf(config);
      submit.hidden = !editable;
      if (JSON.stringify(next) === JSON.stringify(known) && fields.childElementCount > 0) return;
      known = next;
      const inputs = known.map(({ group, name, value }) => {
        const input = h('input', { name: `${group}.${name}`, type: 'number', step: 'any', value, readonly: !editable });
        return h('label', { class: 'hp-field' }, `${words(group)}: ${words(name).toLowerCase()}`, input);
      });
      replace(fields, ...inputs);
    },
  };
}

/**
 * @param {import('./model.mjs').Model} model
 * @param {import('./actions.mjs').Actions} actions
 */
export function createOptimization(model, actions) {
  const buttons = BUTTONS.map(([label, action, style, act]) => ({
    action,
    element: h('button', { class: `hp-button ${style}`, type: 'button', onclick: () => act(actions) }, label),
  }));
  const auto = h('button', {
    class: 'hp-button',
    type: 'button',
    onclick: () => actions.setAuto(!model.data.optimization.auto),
  });
  const none = h('p', { class: 'hp-muted' }, 'This client may look, but not act.');
  const recommendations = h('ul', { class: 'hp-list' });
  const rows = h('tbody');
  const config = createConfig(actions);
  const headings = ['When', 'What', 'Why', 'Measured', 'Outcome'].map((text) => h('th', { scope: 'col' }, text));
  const table = h('table', {}, h('thead', {}, h('tr', {}, ...headings)), rows);
  const panel = h(
    'div',
    { class: 'hp-grid' },
    h(
      'section',
      { class: 'hp-card hp-wide' },
      h('h2', {}, 'Actions'),
      h('div', { class: 'hp-actions' }, ...buttons.map(({ element }) => element), auto),
      none,
    ),
    h('section', { class: 'hp-card' }, h('h2', {}, 'Recommendations'), recommendations),
    config.element,
    h('section', { class: 'hp-card hp-wide' }, h('h2', {}, 'History'), h('div', { class: 'hp-scroll' }, table)),
  );
  let shown = '';
  return {
    panel,
    update() {
      const { optimization } = model.data;
      for (const { action, element } of buttons) element.hidden = !model.allows(action);
      auto.hidden = !optimization || !model.allows('optimization.configure');
      auto.textContent = `Automatic: ${optimization?.auto ? 'on' : 'off'}`;
      auto.setAttribute('aria-pressed', `${optimization?.auto === true}`);
      none.hidden = !auto.hidden || buttons.some(({ element }) => !element.hidden);
      config.element.hidden = !optimization;
      config.update(optimization?.config, model.allows('optimization.configure'));
      const now = JSON.stringify([optimization?.recommendations, optimization?.history]);
      if (now === shown) return;
      shown = now;
      const advice = (optimization?.recommendations ?? []).map(recommendationItem);
      replace(recommendations, ...(advice.length > 0 ? advice : [h('li', { class: 'hp-muted' }, 'None')]));
      const records = (optimization?.history ?? []).map(recordRow);
      const empty = h('tr', {}, h('td', { class: 'hp-muted', colspan: 5 }, 'Nothing was changed yet'));
      replace(rows, ...(records.length > 0 ? records : [empty]));
    },
  };
}
