// A group of charts over the same span of time.

import { Chart } from './chart.mjs';
import { h } from './dom.mjs';

/** Points beyond which drawing all charts at once would take longer than a frame may. */
const MANY_POINTS = 5_000;

export class Charts {
  #charts = [];
  /** The frame in which the next chart is drawn. @type {number | undefined} */
  #frame;
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
    const waiting = [...this.#charts];
    const draw = () => {
      const { chart, keys } = waiting.shift();
      chart.setData(series.since(keys, since));
    };
    this.#cancel();
    if (series.length <= MANY_POINTS) {
      while (waiting.length > 0) draw();
      return;
    }
    // One a frame, so that the page answers in between.
    const next = () => {
      draw();
      this.#frame = waiting.length > 0 ? requestAnimationFrame(next) : undefined;
    };
    next();
  }

  #cancel() {
    if (this.#frame !== undefined) cancelAnimationFrame(this.#frame);
    this.#frame = undefined;
  }

  restyle() {
    for (const { chart } of this.#charts) chart.restyle();
  }

  destroy() {
    this.#cancel();
    for (const { chart } of this.#charts) chart.destroy();
  }
}
