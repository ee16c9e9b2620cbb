// A group of charts over the same span of time.

import { Chart } from './chart.mjs';
import { h } from './dom.mjs';

export class Charts {
  #charts = [];
  element = h('div', { class: 'hp-grid' });

  /** @param {...object} definitions of charts; see figures.mjs */
  constructor(...definitions) {
    for (const definition of definitions) this.add(definition);
  }

  /** @param {any} definition @returns {Chart} */
  add(definition) {
    const chart = new Chart(definition);
    this.#charts.push({ chart, keys: definition.lines.map(({ key }) => key) });
    this.element.append(chart.element);
    return chart;
  }

  /** Puts a chart with other lines in the place of one. @param {Chart} old @param {any} definition */
  exchange(old, definition) {
    const entry = this.#charts.find(({ chart }) => chart === old);
    entry.chart = new Chart(definition);
    entry.keys = definition.lines.map(({ key }) => key);
    old.element.replaceWith(entry.chart.element);
    old.destroy();
    return entry.chart;
  }

  /** @param {import('./series.mjs').Series} series @param {number} spanMs */
  update(series, spanMs) {
    if (series.length === 0) return;
    const since = series.newest - spanMs;
    for (const { chart, keys } of this.#charts) chart.setData(series.since(keys, since));
  }

  restyle() {
    for (const { chart } of this.#charts) chart.restyle();
  }

  destroy() {
    for (const { chart } of this.#charts) chart.destroy();
  }
}
