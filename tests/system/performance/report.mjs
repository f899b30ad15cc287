// report.mjs: what was measured as a section of a document, and its plots. Pure.
import { riseOf, shown, spread } from './figures.mjs';
import { goalText, pointsText, ratioTo, verdict } from './goals.mjs';
import { plot } from './plot.mjs';
import { fullName } from './rows.mjs';
import { medianOf, sizingLines } from './sizing.mjs';

export const REPORT_TITLE = '## Measured';
export const PLOT_DIR = 'performance'; // Beside the document.

const cell = (text) => text.replaceAll('|', '\\|');
const named = (verdictWord) => (verdictWord === 'no' ? '**no**' : verdictWord);
const goalsOf = ({ goals = [] }) => goals.map(goalText).join(', ');
const label = ({ what, unit }) => `${what}, ${unit}`;
const isSized = (row) => row.grows !== undefined;

// "nest 310 (305–318), 0.21 ×"
function beside(points, peers) {
  const one = (peer) =>
    `${peer.peer} ${spread(peer.values)}, ${shown(ratioTo(points, peer))} ×`;
  return peers.map(one).join('; ');
}

function tableLines(rows, pointsOf, peers) {
  const lines = [
    '| work | figure | Confab: median (range) | others: median (range), ratio | goal | reached |',
    '|---|---|---|---|---|---|',
  ];
  for (const row of rows) {
    row.figures.forEach((figure, i) => {
      const points = pointsOf(row, figure);
      const of = peers.of(row, figure);
      const cells = [
        i === 0 ? row.work : '',
        label(figure),
        pointsText(points),
        beside(points, of),
        goalsOf(figure),
        named(verdict(figure, points, of)),
      ];
      lines.push(`| ${cells.map(cell).join(' | ')} |`);
    });
  }
  return [...lines, ''];
}

function growthLines(rows, pointsOf) {
  const lines = [
    '### How cost grows',
    '',
    'A rise is the largest from any size to a larger one, of medians.',
    '',
    '| over | work | figure: median (range) by size | rise | goal | reached |',
    '|---|---|---|---|---|---|',
  ];
  for (const row of rows) {
    row.figures.forEach((figure, i) => {
      const points = pointsOf(row, figure);
      const rise = points.length > 1 ? `${shown(riseOf(points))} ×` : '';
      const cells = [
        i === 0 ? row.grows : '',
        i === 0 ? row.work : '',
        `${label(figure)}: ${pointsText(points)}`,
        rise,
        goalsOf(figure),
        named(verdict(figure, points, [])),
      ];
      lines.push(`| ${cells.map(cell).join(' | ')} |`);
    });
  }
  const plots = rows.map((row) => `![${row.work}, over ${row.grows}](${PLOT_DIR}/${row.name}.svg)`);
  return [...lines, '', ...plots.flatMap((text) => [text, '']), ''].slice(0, -1);
}

// {file name: SVG} of each row over sizes: of its first figure.
export function plotsOf(rows, pointsOf) {
  const files = {};
  for (const row of rows.filter(isSized)) {
    const [figure] = row.figures;
    const limit = figure.goals?.find(({ kind }) => kind === 'atMost')?.value ?? null;
    files[`${row.name}.svg`] = plot({
      title: row.work,
      xTitle: row.grows,
      yTitle: label(figure),
      points: pointsOf(row, figure),
      limit,
    });
  }
  return files;
}

function shortfallLines(rows, pointsOf, peers) {
  const short = rows.flatMap((row) =>
    row.figures
      .filter((figure) => verdict(figure, pointsOf(row, figure), peers.of(row, figure)) === 'no')
      .map((figure) => `\`${fullName(row, figure)}\``),
  );
  return [
    short.length > 0
      ? `Falls short of its goal: ${short.join(', ')}.`
      : 'No figure falls short of a goal that it was compared with.',
    '',
  ];
}

const all = (values) => [...new Set(values)].sort();

function headLines(rows, resultOf, peers) {
  const known = rows.map(resultOf);
  const days = all(known.map(({ at }) => at.slice(0, 10)));
  const when = days.length > 1 ? `${days[0]} to ${days.at(-1)}` : days[0];
  const runs = all(known.map((result) => `${result.runs} run${result.runs > 1 ? 's' : ''}`));
  const forms = known.some(({ form }) => form === 'short')
    ? [' **In the short form, which proves nothing but that it runs.**']
    : [];
  const loads = known.map(({ loadAverage }) => loadAverage);
  return [
    REPORT_TITLE,
    `By \`tools/performance\`, ${when}, ${runs.join(', ')} of each row, on ` +
      `${all(known.map(({ machine }) => machine)).join('; ')}; Confab ` +
      `${all(known.map(({ version }) => version)).join(', ')}, ` +
      `${all(known.map(({ database }) => database).filter(Boolean)).join(', ')}.` +
      forms.join(''),
    `Load average as rows began: ${shown(Math.min(...loads))} to ${shown(Math.max(...loads))}.` +
      (peers.about === '' ? '' : ` Peers: ${peers.about}.`),
    '',
  ];
}

function commandLines(rows, resultOf) {
  return [
    '### Commands',
    '',
    'With `--url`, `--user-secret-file`, `-o json` and `--pid` of each process. Cores: the most that',
    'the load tool took itself, which is one thread.',
    '',
    '| row | load | cores |',
    '|---|---|---|',
    ...rows.map((row) => {
      const { commands, loadCores } = resultOf(row);
      const typed = commands.map((command) => `\`${command}\``).join('<br>');
      return `| ${row.name} | ${typed} | ${shown(loadCores)} |`;
    }),
    '',
  ];
}

// The section. `rows`: those that have results; resultOf(row): its result; peers: as peers.mjs
// has them.
export function reportOf(rows, resultOf, peers) {
  const pointsOf = (row, figure) => resultOf(row).figures[figure.name];
  const ofTable = rows.filter((row) => !isSized(row));
  const ofGrowth = rows.filter(isSized);
  const medians = new Map(
    rows.flatMap((row) =>
      row.figures.map((figure) => [fullName(row, figure), medianOf(pointsOf(row, figure))]),
    ),
  );
  return [
    ...headLines(rows, resultOf, peers),
    ...(ofTable.length > 0 ? tableLines(ofTable, pointsOf, peers) : []),
    ...shortfallLines(rows, pointsOf, peers),
    ...(ofGrowth.length > 0 ? growthLines(ofGrowth, pointsOf) : []),
    ...sizingLines((name) => medians.get(name) ?? NaN),
    ...commandLines(rows, resultOf),
  ].join('\n');
}
