const echarts = require('echarts');

const WIDTH = 860;
const TEXT = { fontFamily: 'system-ui, sans-serif', color: '#212529' };

/** The subject stands out; its peers are shades of one grey. */
const COLOURS = ['#e8590c', '#495057', '#868e96', '#ced4da'];

/**
 * Draws with what all charts share.
 *
 * @param {import('../../harness/types.js').Trial} trial
 * @param {{ height: number, option: Record<string, any> }} content what the kinds of chart differ in
 * @returns {string} SVG
 */
function draw(trial, { height, option }) {
  const contenders = Object.keys(trial.contenders);
  const picture = echarts.init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height });
  picture.setOption({
    animation: false,
    backgroundColor: '#ffffff',
    title: { text: trial.title, left: 12, top: 8, textStyle: { ...TEXT, fontSize: 16 } },
    legend: { top: 38, left: 12, itemGap: 28, itemWidth: 14, selectedMode: false, data: contenders, textStyle: TEXT },
    ...option,
    series: option.series.map((/** @type {any} */ each) => ({
      ...each,
      color: COLOURS[contenders.indexOf(each.name)],
      silent: true,
      emphasis: { disabled: true },
    })),
  });
  const svg = picture.renderToSVGString();
  picture.dispose();
  return `${withoutHover(svg)}\n`;
}

/**
 * The library adds classes, numbered by what it drew before, for hovering. Without them a chart depends on its own
 * figures alone.
 *
 * @param {string} svg
 */
function withoutHover(svg) {
  return svg.replaceAll(/ class="[^"]*"| ecmeta_\w+="[^"]*"/g, '').replace(/<style[\s\S]*?<\/style>\n?/, '');
}

/**
 * Panels side by side.
 *
 * @param {number} count
 * @param {{ left: number, gap: number, top: number }} room in pixels; `left` is for the axis labels of the first
 */
function panels(count, { left, gap, top }) {
  const width = (WIDTH - left - gap * count) / count;
  return Array.from({ length: count }, (_, panel) => ({ left: left + panel * (width + gap), width, top, bottom: 62 }));
}

module.exports = { draw, panels, TEXT };
