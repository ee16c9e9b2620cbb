// A chart over time, with its title, a legend that shows the values under the cursor, and a description in words.

import { h, replace, setText } from './dom.mjs';
import uPlot from './uplot.mjs';

const HEIGHT_PX = 170;
/** One cursor for all charts: what happened at the same moment is seen at the same moment. */
const cursor = uPlot.sync('hotpath');

/**
 * @typedef {object} Line
 * @property {string} key its column
 * @property {string} label
 * @property {number} [hue] which of the colors, from 1
 * @property {boolean} [dashed] a limit rather than a measurement
 */

export class Chart {
  #lines;
  #format;
  #floor;
  #ceiling;
  #steps;
  /** @type {uPlot | undefined} */
  #plot;
  #area = h('div', { class: 'hp-plot' });
  #values = [];
  #summary = h('p', { class: 'hp-hidden' });
  #observer;
  /** @type {(number | null)[][]} */
  #data = [[]];
  /** The figure to put on the page. */
  element;

  /**
   * @param {object} options
   * @param {string} options.title
   * @param {Line[]} options.lines
   * @param {(value: number | null | undefined) => string} options.format
   * @param {number} [options.floor] the least upper end of the scale: noise near zero should look like noise
   * @param {number[]} [options.steps] between the marks of the scale, where decimal ones would be odd
   * @param {number} [options.ceiling] the upper end, where there is a natural one
   */
  constructor({ title, lines, format, floor = 0, ceiling, steps }) {
    this.#lines = lines;
    this.#format = format;
    this.#floor = floor;
    this.#ceiling = ceiling;
    this.#steps = steps;
    const legend = lines.map(({ label, hue = 1, dashed }) => {
      const value = h('span', { class: 'hp-legend-value' }, '–');
      this.#values.push(value);
      const mark = h('span', { class: `hp-mark hp-hue-${hue}${dashed ? ' hp-dashed' : ''}`, 'aria-hidden': 'true' });
      return h('li', {}, mark, h('span', {}, label), value);
    });
    this.element = h(
      'figure',
      { class: 'hp-card hp-chart' },
      h('figcaption', {}, h('h3', {}, title), h('ul', { class: 'hp-legend' }, ...legend)),
      this.#area,
      this.#summary,
    );
    this.#observer = new ResizeObserver(() => this.#fit());
    this.#observer.observe(this.#area);
  }

  /** @param {(number | null)[][]} data the time axis, then a column for each line */
  setData(data) {
    this.#data = data;
    if (this.#plot) this.#plot.setData(/** @type {import('uplot').AlignedData} */ (data));
    else this.#fit();
    this.#tell(data[0].length - 1);
    const latest = this.#lines.map(({ label }, index) => `${label} ${this.#format(data[index + 1].at(-1))}`);
    setText(this.#summary, `Latest: ${latest.join(', ')}`);
  }

  /** Draws anew, in the colors that are valid now. */
  restyle() {
    this.#plot?.destroy();
    this.#plot = undefined;
    this.#fit();
  }

  destroy() {
    this.#observer.disconnect();
    this.#plot?.destroy();
  }

  #fit() {
    const width = Math.floor(this.#area.clientWidth);
    // Hidden, or not on the page yet.
    if (width === 0) return;
    if (this.#plot === undefined) this.#plot = this.#draw(width);
    else if (this.#plot.width !== width) this.#plot.setSize({ width, height: HEIGHT_PX });
  }

  /** The values at this place of the time axis go into the legend. @param {number | null | undefined} index */
  #tell(index) {
    const place = index ?? this.#data[0].length - 1;
    for (const [number, element] of this.#values.entries()) {
      setText(element, this.#format(this.#data[number + 1]?.[place]));
    }
  }

  #draw(width) {
    const style = getComputedStyle(this.element);
    const color = (name) => style.getPropertyValue(`--hp-${name}`).trim();
    const axis = { stroke: color('muted'), grid: { stroke: color('grid'), width: 1 }, ticks: { show: false } };
    const font = `11px ${style.fontFamily}`;
    replace(this.#area);
    return new uPlot(
      {
        width,
        height: HEIGHT_PX,
        legend: { show: false },
        cursor: { sync: { key: cursor.key }, y: false, points: { size: 6 }, drag: { x: false, y: false } },
        scales: {
          y: { range: (_plot, _least, most) => [0, this.#ceiling ?? Math.max(this.#floor, (most ?? 0) * 1.15)] },
        },
        axes: [
          { ...axis, font, space: 95, size: 34, values: clock },
          {
            ...axis,
            font,
            size: 62,
            space: 34,
            incrs: this.#steps,
            values: (_plot, splits) => splits.map((value) => this.#format(value)),
          },
        ],
        series: [
          {},
          ...this.#lines.map(({ label, hue = 1, dashed }, index) => ({
            label,
            stroke: color(`hue-${hue}`),
            width: 1.75,
            dash: dashed ? [5, 4] : undefined,
            fill: index === 0 && !dashed ? `${color(`hue-${hue}`)}1f` : undefined,
            points: { show: false },
            // A limit far away must not press what is measured flat; it comes into view as that gets near.
            auto: !dashed,
            spanGaps: true,
          })),
        ],
        hooks: { setCursor: [(plot) => this.#tell(plot.cursor.idx)] },
      },
      /** @type {import('uplot').AlignedData} */ (this.#data),
      this.#area,
    );
  }
}

/** The times under a chart, as the reader's clock shows them. */
function clock(_plot, splits, _axis, _space, increment) {
  const second = increment < 60 ? /** @type {const} */ ('2-digit') : undefined;
  return splits.map((split) =>
    new Date(split * 1000).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second }),
  );
}
