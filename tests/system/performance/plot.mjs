// plot.mjs: a curve of medians over sizes as an SVG that stands alone, for light and dark pages.
// Pure.
import { median, range, shown } from './figures.mjs';

const WIDTH = 640;
const HEIGHT = 340;
const LEFT = 66;
const RIGHT = 24;
const TOP = 44;
const BOTTOM = 56;
const STEPS = 5; // Lines across, at most.

const STYLE = `
  .page{fill:#ffffff} .line{stroke:#d0d7de} .axis{stroke:#57606a}
  text{fill:#1f2328;font:12px system-ui,sans-serif} .title{font-size:14px;font-weight:600}
  .curve{stroke:#0969da;fill:none;stroke-width:2} .range{stroke:#0969da;stroke-width:2;opacity:.45}
  .dot{fill:#0969da} .limit{stroke:#cf222e;stroke-dasharray:6 4} .limit-text{fill:#cf222e}
  @media (prefers-color-scheme:dark){
    .page{fill:#0d1117} .line{stroke:#30363d} .axis{stroke:#8b949e} text{fill:#e6edf3}
    .curve,.range{stroke:#58a6ff} .dot{fill:#58a6ff}
    .limit{stroke:#ff7b72} .limit-text{fill:#ff7b72}
  }`;

const escape = (text) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
const at = (number) => Number(number.toFixed(1));

// The least of 1, 2, 5, 10, … that cuts 0 to `top` into at most STEPS.
export function stepFor(top) {
  const power = 10 ** Math.floor(Math.log10(top / STEPS));
  return [1, 2, 5, 10].map((times) => times * power).find((step) => top / step <= STEPS);
}

// Where each of the sizes, ascending, stands on a logarithmic axis, 0 to 1. Nothing has no place
// there: it stands where a tenth of the first would.
export function placesOf(sizes) {
  const least = sizes.find((size) => size > 0) ?? 1;
  const logs = sizes.map((size) => Math.log(size > 0 ? size : least / 10));
  const across = logs.at(-1) - logs[0];
  return logs.map((log) => (across > 0 ? (log - logs[0]) / across : 0.5));
}

const text = (x, y, words, more = '') =>
  `<text x="${at(x)}" y="${at(y)}" ${more}>${escape(words)}</text>`;
const line = (x1, y1, x2, y2, name) =>
  `<line class="${name}" x1="${at(x1)}" y1="${at(y1)}" x2="${at(x2)}" y2="${at(y2)}"/>`;

// `points`: [{x, values}], at least one; `limit`: null, or a value that is not to be passed.
export function plot({ title, xTitle, yTitle, points, limit = null }) {
  const sorted = [...points].sort((a, b) => a.x - b.x);
  const places = placesOf(sorted.map(({ x }) => x));
  const highest = Math.max(...sorted.flatMap(({ values }) => values), limit ?? 0);
  const step = stepFor(highest > 0 ? highest : 1);
  const top = Math.max(step, Math.ceil(highest / step) * step);
  const inset = 28; // The first and the last stand beside the axes, not on them.
  const across = WIDTH - LEFT - RIGHT - 2 * inset;
  const yOf = (y) => HEIGHT - BOTTOM - (y / top) * (HEIGHT - TOP - BOTTOM);
  const parts = [];
  for (let i = 0; i * step <= top + step / 2; ++i) {
    const y = i * step;
    parts.push(line(LEFT, yOf(y), WIDTH - RIGHT, yOf(y), i === 0 ? 'axis' : 'line'));
    parts.push(text(LEFT - 8, yOf(y) + 4, shown(y), 'text-anchor="end"'));
  }
  if (limit !== null) {
    parts.push(line(LEFT, yOf(limit), WIDTH - RIGHT, yOf(limit), 'limit'));
    const where = `class="limit-text" text-anchor="end"`;
    parts.push(text(WIDTH - RIGHT - 4, yOf(limit) - 5, `goal ${shown(limit)}`, where));
  }
  const middles = sorted.map(({ values }, i) => [
    LEFT + inset + places[i] * across,
    yOf(median(values)),
  ]);
  const curve = middles.map(([x, y]) => `${at(x)},${at(y)}`).join(' ');
  parts.push(`<polyline class="curve" points="${curve}"/>`);
  sorted.forEach(({ x, values }, i) => {
    const [least, most] = range(values);
    const [middleX, middleY] = middles[i];
    parts.push(line(middleX, yOf(least), middleX, yOf(most), 'range'));
    parts.push(`<circle class="dot" cx="${at(middleX)}" cy="${at(middleY)}" r="4"/>`);
    parts.push(text(middleX, yOf(most) - 9, shown(median(values)), 'text-anchor="middle"'));
    parts.push(text(middleX, HEIGHT - BOTTOM + 18, shown(x), 'text-anchor="middle"'));
  });
  parts.push(text(LEFT, 22, title, 'class="title"'));
  parts.push(text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, xTitle, 'text-anchor="middle"'));
  const turned = `text-anchor="middle" transform="rotate(-90 16 ${(TOP + HEIGHT - BOTTOM) / 2})"`;
  parts.push(text(16, (TOP + HEIGHT - BOTTOM) / 2, yTitle, turned));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" ` +
      `viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img">`,
    `<title>${escape(title)}</title>`,
    `<style>${STYLE}\n</style>`,
    `<rect class="page" width="${WIDTH}" height="${HEIGHT}"/>`,
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}
