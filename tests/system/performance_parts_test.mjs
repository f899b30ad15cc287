// performance_parts_test.mjs: what tools/performance says of values: medians, rises, goals, ratios,
// plots, sizes of deployments; its rows; and what it refuses. Starts no server.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';

import { withSection } from '../support/document.mjs';
import { median, range, riseOf, shown, spread } from './performance/figures.mjs';
import {
  atLeast,
  atMost,
  flat,
  goalText,
  isReached,
  ofPeer,
  pointsText,
  verdict,
} from './performance/goals.mjs';
import { peersFrom } from './performance/peers.mjs';
import { placesOf, plot, stepFor } from './performance/plot.mjs';
import { reportOf } from './performance/report.mjs';
import { rows } from './performance/rows.mjs';
import { bought, coresFor, mibFor, sizingLines } from './performance/sizing.mjs';

const one = (...values) => [{ x: null, values }];
const sizes = (...medians) => medians.map((value, i) => ({ x: 10 ** i, values: [value] }));
const near = (value, wanted) => assert.ok(Math.abs(value - wanted) < 1e-9, `${value}, not ${wanted}`);

test('a median is the one in the middle, or between the two', () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([10, 1, 2, 3]), 2.5);
  assert.equal(median([7]), 7);
  assert.ok(Number.isNaN(median([])));
  assert.deepEqual(range([3, 1, 2]), [1, 3]);
});

test('numbers have three digits, or all before the point', () => {
  assert.equal(shown(1.8349), '1.83');
  assert.equal(shown(0.0161), '0.0161');
  assert.equal(shown(41234.6), '41,235');
  assert.equal(shown(100), '100');
  assert.equal(shown(NaN), '–');
  assert.equal(spread([1.7, 1.83, 1.9]), '1.83 (1.7–1.9)');
  assert.equal(spread([2]), '2');
});

test('a rise is the largest from any size to a larger one', () => {
  near(riseOf(sizes(2, 2.2, 2.1)), 1.1);
  near(riseOf(sizes(8, 4, 2)), 1);
  near(riseOf(sizes(8, 2, 3)), 1.5);
  near(riseOf([...sizes(1, 2, 3)].reverse()), 3);
  assert.ok(Number.isNaN(riseOf(one(1, 2, 3))));
});

test('goals are held to medians', () => {
  assert.equal(isReached(atMost(2), one(1, 2, 9)), true);
  assert.equal(isReached(atMost(2), one(1, 2.1, 9)), false);
  assert.equal(isReached(atMost(2), sizes(1, 3)), false, 'at each size');
  assert.equal(isReached(atLeast(5), one(5, 6, 4)), true);
  assert.equal(isReached(atLeast(5), one(4)), false);
  assert.equal(isReached(flat(), sizes(1, 1.3)), true);
  assert.equal(isReached(flat(), sizes(1, 1.31)), false);
  assert.equal(isReached(flat(), sizes(1)), null);
  const nest = [{ peer: 'nest', values: [300, 310, 400] }];
  assert.equal(isReached(ofPeer('nest', 0.1), one(31), nest), true);
  assert.equal(isReached(ofPeer('nest', 0.1), one(31.1), nest), false);
  assert.equal(isReached(ofPeer('nats', 0.1), one(1), nest), null);
});

test('a figure is as good as the worst of its goals', () => {
  const figure = { goals: [atMost(1), ofPeer('nest', 0.5)] };
  const nest = [{ peer: 'nest', values: [1] }];
  assert.equal(verdict(figure, one(0.5), nest), 'yes');
  assert.equal(verdict(figure, one(0.6), nest), 'no');
  assert.equal(verdict(figure, one(0.5), []), 'not compared');
  assert.equal(verdict(figure, one(2), []), 'no');
  assert.equal(verdict({}, one(2), nest), '');
  assert.equal(figure.goals.map(goalText).join(', '), '≤ 1, ≤ 0.5 × nest');
  assert.equal(pointsText(sizes(2, 3)), '1: 2, 10: 3');
});

test('each row says what it measures, in units, and has goals that can be judged', () => {
  assert.equal(new Set(rows.map(({ name }) => name)).size, rows.length);
  for (const row of rows) {
    assert.match(row.name, /^[a-z0-9-]+$/);
    assert.ok(row.work.length > 10, row.name);
    assert.equal(typeof row.run, 'function', row.name);
    assert.ok(row.minutes.long > 0 && row.minutes.short > 0 && row.minutes.short < 1, row.name);
    assert.ok(row.figures.length > 0, row.name);
    assert.equal(new Set(row.figures.map(({ name }) => name)).size, row.figures.length, row.name);
    for (const { name, what, unit, goals = [] } of row.figures) {
      assert.ok(what && unit, `${row.name}/${name}`);
      for (const goal of goals) {
        assert.ok(goal.value > 0, `${row.name}/${name}`);
        assert.ok(goal.kind !== 'flat' || row.grows, `${row.name}/${name} is told over sizes`);
      }
    }
  }
  const judged = rows.filter((row) => row.figures.some(({ goals = [] }) => goals.length > 0));
  const free = rows.filter((row) => !judged.includes(row)).map(({ name }) => name);
  assert.deepEqual(free, ['growth-edges'], 'which is to grow');
});

test('peers are told by the names and units of figures', () => {
  const unit = 's per 1M stored messages';
  const [pairs] = rows.filter(({ name }) => name === 'pairs');
  const [cpu, edge] = pairs.figures;
  const nest = { peer: 'nest', values: [310], unit };

  const peers = peersFrom({ about: 'here', pairs: [nest, { ...nest, peer: 'nats' }] }, rows);
  assert.deepEqual(peers.of(pairs, cpu).map(({ peer }) => peer), ['nest', 'nats']);
  assert.deepEqual(peers.of(pairs, edge), []);
  assert.equal(peers.about, 'here');
  assert.deepEqual(peersFrom({ 'pairs/cpu': nest }, rows).of(pairs, cpu)[0].values, [310]);

  const says = (object, words) => assert.throws(() => peersFrom(object, rows), words);
  says({ pears: nest }, /no figure pears/);
  says({ pairs: { ...nest, unit: 'ms' } }, /"unit" is "s per 1M stored messages", not "ms"/);
  says({ pairs: { ...nest, values: [] } }, /"values" is a list of numbers/);
  says({ pairs: { ...nest, values: ['1'] } }, /"values" is a list of numbers/);
  says({ pairs: { ...nest, peer: '' } }, /"peer" says whose/);
});

test('a plot has a place for each size, and lines at round numbers', () => {
  placesOf([10, 100, 1000]).forEach((place, i) => near(place, i / 2));
  placesOf([0, 100, 1000]).forEach((place, i) => near(place, i / 2));
  assert.deepEqual(placesOf([5]), [0.5]);
  assert.equal(stepFor(1.2), 0.5);
  assert.equal(stepFor(100), 20);
  assert.equal(stepFor(7), 2);

  const points = [{ x: 100, values: [2, 1, 3] }, { x: 1, values: [4] }];
  const svg = plot({ title: 'a < b', xTitle: 'members', yTitle: 'CPU', points, limit: 3 });
  assert.match(svg, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
  assert.match(svg, /<title>a &lt; b<\/title>/);
  assert.equal(svg.split('<circle').length - 1, 2);
  assert.match(svg, /prefers-color-scheme:dark/);
  assert.match(svg, />goal 3</);
  assert.doesNotMatch(svg, /NaN|undefined|<script|href/);
  const numbers = [...svg.matchAll(/ c[xy]="([\d.]+)"/g)].map(([, number]) => Number(number));
  assert.ok(numbers[0] < numbers[2], 'the smaller size stands to the left');
  assert.ok(numbers[1] < numbers[3], 'the larger value stands higher');
  assert.doesNotMatch(plot({ title: '', xTitle: '', yTitle: '', points: one(0) }), /NaN/);
});

test('what a core buys, and how many a deployment keeps busy', () => {
  const costs = { alone: 2, piped: 0.4, pairs: 20, chat: 100, handshake: 0.05, idle: 1.8, rss: 4 };
  const does = new Map(bought(costs));
  assert.equal(does.get('deliveries a second, in a large room, one message at a time'), 500_000);
  assert.equal(does.get('handshakes a second'), 20_000);
  near(does.get('idle connections'), 2_000_000);
  assert.equal(bought({ alone: 2 }).length, 1, 'only what was measured');

  const load = { messages: 1_000, deliveries: 102_000, handshakes: 100, connections: 10_000 };
  near(coresFor(costs, load), 0.1 + 0.2 + 0.005 + 0.005);
  near(coresFor(costs, { ...load, deliveries: 1_000 }), 0.1 + 0.005 + 0.005);
  near(mibFor(costs, load), 39.0625);
  assert.deepEqual(sizingLines(() => NaN), []);
  assert.ok(sizingLines(() => 1).some((line) => line.startsWith('| 50,000 viewers')));
});

test('a section takes the place of the one of its title alone', () => {
  const text = '# Title\n\n## Measured\nold\n### Part\n\n## Behind it\nwords\n';
  const section = '## Measured\nnew\n';
  const mended = '# Title\n\n## Measured\nnew\n\n## Behind it\nwords\n';
  assert.equal(withSection(text, section), mended);
  assert.equal(withSection(mended, section), mended);
  assert.equal(withSection('# Title\n', section), '# Title\n\n## Measured\nnew\n');
  assert.equal(withSection('a\n## Measured', section), 'a\n## Measured\nnew\n');
});

// As performance_row.mjs leaves it, and the tool keeps it.
const resultOf = (row, { binaries = 'of one build', form = 'long' } = {}) => ({
  row: row.name,
  ok: true,
  error: null,
  form,
  runs: 3,
  at: '2026-11-22T07:00:00.000Z',
  loadAverage: 0.1,
  machine: '2 cores, 8 GiB, Linux 6.1.0',
  version: '0.1.0',
  database: 'PostgreSQL 15.20',
  commands: ['confab-loadgen pairs --users 200'],
  binaries,
  figures: Object.fromEntries(
    row.figures.map(({ name }) => [name, row.grows ? sizes(1, 2) : one(0.5, 0.6, 0.4)]),
  ),
});

test('a report names what falls short, and what a short form is', () => {
  const some = rows.filter(({ name }) => ['pairs', 'growth-join'].includes(name));
  const nest = { peer: 'nest', values: [4], unit: 's per 1M stored messages' };
  const peers = peersFrom({ pairs: nest }, rows);

  const text = reportOf(some, (row) => resultOf(row), peers);

  assert.match(text, /^## Measured\nBy `tools\/performance`, 2026-11-22, 3 runs of each row/);
  assert.ok(text.includes('| 0.5 (0.4–0.6) | nest 4, 0.125 × | ≤ 0.1 × nest | **no** |'), text);
  assert.match(text, /Falls short of its goal: `pairs\/cpu`, `growth-join\/join`\./);
  assert.match(text, /1: 1, 10: 2 \| 2 × \| rises ≤ 1\.3 × \| \*\*no\*\*/);
  assert.match(text, /\(performance\/growth-join\.svg\)/);
  assert.doesNotMatch(text, /short form|NaN|undefined/);
  const short = reportOf(some, (row) => resultOf(row, { form: 'short' }), peers);
  assert.match(short, /\*\*In the short form/);
});

// --- The tool itself

const TOOL = fileURLToPath(new URL('../../tools/performance', import.meta.url));
const ran = (args, env = {}) =>
  spawnSync(process.execPath, [TOOL, ...args], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });

function temporary(body) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'confab-performance-'));
  try {
    body(dir);
  } finally {
    fs.rmSync(dir, { recursive: true });
  }
}

test('the tool teaches, lists its rows, and refuses what it cannot do', () => {
  temporary((dir) => {
    const help = ran(['--help']);
    assert.equal(help.status, 0, help.stderr);
    assert.match(help.stdout, /^Usage: tools\/performance/);
    assert.match(help.stdout, /"peer": "nest"/);
    const list = ran(['--list', 'idle']);
    assert.equal(list.status, 0, list.stderr);
    assert.match(list.stdout, /^idle-5000\n/);
    assert.doesNotMatch(list.stdout, /pairs/);
    const names = (...args) => ran(['--list', ...args]).stdout.match(/^[a-z].*$/gm);
    assert.deepEqual(names('fanout-100'), ['fanout-100'], 'a whole name');
    assert.deepEqual(names('fanout-1', 'chat'), ['fanout-100', 'fanout-1000', 'chat']);
    const refused = [
      [['nonsense'], /no row begins with nonsense/],
      [['--nonsense'], /--nonsense/],
      [['--runs', '0'], /--runs needs a number from 1/],
      [['--runs', '1.5'], /--runs needs a whole number/],
      [['--minutes', 'soon'], /--minutes needs a number/],
      [['--peers', 'x.json'], /--peers goes with --report/],
      [['--report', `${dir}/none.md`], /there is no .*none\.md/],
      [['pairs'], /no confab, .* in .*: tools\/build release/],
    ];
    for (const [args, says] of refused) {
      const { status, stderr } = ran(args, { CONFAB_BIN_DIR: dir });
      assert.equal(status, 2, `${args}: ${stderr}`);
      assert.match(stderr, says);
      assert.match(stderr, /^performance: /);
    }
  });
});

test('a report is of one build, its plots stand beside it', () => {
  temporary((dir) => {
    const [join] = rows.filter(({ name }) => name === 'growth-join');
    const [pairs] = rows.filter(({ name }) => name === 'pairs');
    const keep = (row, result) =>
      fs.writeFileSync(`${dir}/${row.name}.json`, JSON.stringify(result));
    const document = `${dir}/document.md`;
    fs.writeFileSync(document, '# Title\n');
    const args = ['--results', dir, '--report', document];

    assert.match(ran(args).stderr, /no results in/);
    keep(join, resultOf(join));
    keep(pairs, resultOf(pairs, { binaries: 'of another' }));
    assert.match(ran(args).stderr, /of several builds/);
    assert.equal(fs.readFileSync(document, 'utf8'), '# Title\n');

    keep(pairs, { ...resultOf(pairs), ok: false });
    const { status, stdout, stderr } = ran(args);
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^left out, not measured: .*$/m);
    assert.match(stdout, /not measured: pairs$/m);
    assert.match(fs.readFileSync(document, 'utf8'), /^# Title\n\n## Measured\n/);
    assert.match(fs.readFileSync(`${dir}/performance/growth-join.svg`, 'utf8'), /^<svg /);

    fs.writeFileSync(`${dir}/peers.json`, '{"pairs": {"peer": "nest"}}');
    const wrong = ran([...args, '--peers', `${dir}/peers.json`]);
    assert.equal(wrong.status, 2);
    assert.match(wrong.stderr, /peers\.json: pairs: "values"/);
  });
});
