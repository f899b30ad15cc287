// performance_test.mjs: tools/performance measures two rows in its short form against real servers,
// keeps what it found, measures nothing twice, and reports it. Its figures are nobody's here.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test, { after } from 'node:test';
import { fileURLToPath } from 'node:url';

const TOOL = fileURLToPath(new URL('../../tools/performance', import.meta.url));
const LIMIT_MS = 200_000; // Some ten seconds; sanitizers take longer. Below ctest's own.
const ROWS = ['fanout-100', 'durable-sqlite'];

const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'confab-performance-'));
after(() => fs.rmSync(dir, { recursive: true }));

const run = (...args) =>
  new Promise((resolve) => {
    const command = [TOOL, '--results', `${dir}/results`, ...args];
    const env = { ...process.env, TMPDIR: dir };
    execFile(process.execPath, command, { env, timeout: LIMIT_MS }, (error, out, err) =>
      resolve({ code: error ? (error.code ?? error.signal) : 0, out, err }),
    );
  });

const kept = (row) => JSON.parse(fs.readFileSync(`${dir}/results/${row}.json`, 'utf8'));

test('rows are measured, kept and reported', { timeout: LIMIT_MS }, async () => {
  fs.chmodSync(dir, 0o711); // PostgreSQL may run as another user.
  const first = await run('--short', ...ROWS);

  assert.equal(first.code, 0, `${first.out}${first.err}`);
  assert.match(first.out, /^\[1\/2\] fanout-100: fan-out, 100 members/m);
  assert.match(first.out, /^fanout-100\/edge +[\d.]+ s per 1M deliveries$/m);
  assert.match(first.out, /^durable-sqlite\/rate +[\d.,]+ \/s {2}goal ≥ 20,000$/m);
  assert.match(first.out, /\nall measured, no goal missed\n$/, 'a short form misses none');

  const fanout = kept('fanout-100');
  assert.equal(fanout.ok, true);
  assert.equal(fanout.form, 'short');
  assert.match(fanout.binaries, /^[0-9a-f]{16}$/);
  assert.match(fanout.machine, /cores/);
  assert.match(fanout.database, /^PostgreSQL \d/);
  assert.match(fanout.commands[0], /^confab-loadgen fanout --members 100 /);
  const [[edge], [floor], [ratio]] = ['edge', 'floor', 'ratio'].map(
    (name) => fanout.figures[name][0].values,
  );
  assert.ok(edge > 0 && floor > 0);
  assert.ok(Math.abs(ratio - edge / floor) < 1e-9);
  assert.ok(kept('durable-sqlite').figures.rate[0].values[0] > 0);
  const left = fs.readdirSync(dir).filter((name) => name !== 'results');
  assert.deepEqual(left, [], 'servers and stores are taken away');

  const second = await run('--short', ...ROWS);
  assert.equal(second.code, 0, second.err);
  assert.equal(second.out.match(/measured 20\d\d-.*, not again/g).length, 2);

  const document = `${dir}/document.md`;
  fs.writeFileSync(document, '# Title\n\n## Behind it\n');
  const nest = { peer: 'nest', values: [9.8], unit: 's per 1M deliveries' };
  fs.writeFileSync(`${dir}/peers.json`, JSON.stringify({ 'fanout-100': nest }));
  const report = await run('--report', document, '--peers', `${dir}/peers.json`, ...ROWS);
  assert.equal(report.code, 0, report.err);
  const text = fs.readFileSync(document, 'utf8');
  assert.match(text, /^# Title\n\n## Behind it\n\n## Measured\nBy `tools\/performance`/);
  assert.match(text, /\*\*In the short form/);
  assert.match(text, /\| nest 9\.8, [\d.]+ × \|/);
  assert.match(text, /\| durable-sqlite \| `confab-loadgen durable --rooms 50 --window 64 /);
});
