// fault_row.mjs: one row of the fault bench: node fault_row.mjs ROW [--long] [--result FILE]
// Its short form is a test; tools/chaos runs the long ones and keeps what they measured.
import fs from 'node:fs';
import { parseArgs } from 'node:util';

import { newSeed } from '../support/random.mjs';
import { scenario } from '../support/scenario.mjs';
import { Bench } from './faults/bench.mjs';
import { rowNamed } from './faults/rows.mjs';

const SHORT_LIMIT_MS = 280_000; // Below ctest's own.
const LONG_LIMIT_MS = 1_500_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { long: { type: 'boolean', default: false }, result: { type: 'string' } },
});
const row = rowNamed(positionals[0]);
const limitMs = values.long ? LONG_LIMIT_MS : SHORT_LIMIT_MS;
const began = Date.now();

function write(bench, error) {
  if (!values.result) return;
  const { figures, ledgers, seed } = bench;
  const result = {
    row: row.name,
    ok: error === null,
    error: error && String(error.message ?? error).split('\n')[0],
    form: values.long ? 'long' : 'short',
    at: new Date(began).toISOString(),
    seconds: Math.round((Date.now() - began) / 1000),
    seed,
    figures,
    ledgers,
  };
  fs.writeFileSync(values.result, `${JSON.stringify(result, null, 2)}\n`);
}

scenario(`${row.fault}: ${row.holds}`, { ...row.cluster, limitMs }, async (cluster) => {
  const bench = new Bench(cluster, { isLong: values.long, seed: newSeed() });
  try {
    await row.run(bench);
    bench.verdict();
  } catch (error) {
    write(bench, error);
    throw error;
  }
  write(bench, null);
});
