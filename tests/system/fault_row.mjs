// fault_row.mjs: one row of the fault bench: node fault_row.mjs ROW [--form FORM] [--result FILE]
//   test   the default, what ctest runs: few rounds; times may be several times too long, since the
//          machine may do other things meanwhile
//   short  as few rounds, and every figure counts as it stands
//   long   as many rounds as the table of faults asks for, and every figure counts
// tools/chaos runs the latter two and keeps what they measured.
import fs from 'node:fs';
import { parseArgs } from 'node:util';

import { binDir } from '../support/cluster.mjs';
import { newSeed } from '../support/random.mjs';
import { scenario } from '../support/scenario.mjs';
import { Bench } from './faults/bench.mjs';
import { missingFor } from './faults/needs.mjs';
import { rowNamed } from './faults/rows.mjs';

const SHORT_LIMIT_MS = 280_000; // Below ctest's own.
const LONG_LIMIT_MS = 1_500_000;
const MINUTE_MS = 60_000;
const TEST_SLACK = 3; // Two cores that compile beside it have been seen to double every time.

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { form: { type: 'string', default: 'test' }, result: { type: 'string' } },
});
const row = rowNamed(positionals[0]);
const FORMS = ['test', 'short', 'long'];
if (!FORMS.includes(values.form)) throw new Error(`--form is one of ${FORMS.join(', ')}`);
const missing = missingFor(row, binDir);
if (missing !== null) throw new Error(`${row.name} needs ${missing}`);
const isLong = values.form === 'long';
const slack = values.form === 'test' ? TEST_SLACK : 1;
const ownMs = (row.minutes?.[isLong ? 'long' : 'short'] ?? 0) * MINUTE_MS;
const limitMs = ownMs + (isLong ? LONG_LIMIT_MS : SHORT_LIMIT_MS);
const began = Date.now();

function write(bench, error) {
  if (!values.result) return;
  const { figures, ledgers, seed } = bench;
  const result = {
    row: row.name,
    ok: error === null,
    error: error && String(error.message ?? error).split('\n')[0],
    form: values.form,
    at: new Date(began).toISOString(),
    seconds: Math.round((Date.now() - began) / 1000),
    seed,
    figures,
    ledgers,
  };
  fs.writeFileSync(values.result, `${JSON.stringify(result, null, 2)}\n`);
}

scenario(`${row.fault}: ${row.holds}`, { ...row.cluster, limitMs }, async (cluster) => {
  const bench = new Bench(cluster, { isLong, slack, seed: newSeed() });
  try {
    await row.run(bench);
    bench.verdict();
  } catch (error) {
    write(bench, error);
    throw error;
  }
  write(bench, null);
});
