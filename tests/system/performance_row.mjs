// performance_row.mjs: measures one row: performance_row.mjs ROW --runs N [--short] --result FILE
// tools/performance runs it, with CONFAB_BIN_DIR set, and keeps what it measured.
import fs from 'node:fs';
import os from 'node:os';
import { parseArgs } from 'node:util';

import { Bench } from './performance/bench.mjs';
import { rowNamed } from './performance/rows.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string' },
    short: { type: 'boolean', default: false },
    result: { type: 'string' },
  },
});
const row = rowNamed(positionals[0]);
const bench = new Bench({ runs: Number(values.runs), isShort: values.short });
const began = Date.now();
const [loadAverage] = os.loadavg(); // Of what others do, before we begin.

function write(error) {
  const { figures, commands, loadCores, version, database, runs } = bench;
  const result = {
    row: row.name,
    ok: error === null,
    error: error && String(error.message ?? error).split('\n')[0],
    form: values.short ? 'short' : 'long',
    runs,
    at: new Date(began).toISOString(),
    seconds: Math.round((Date.now() - began) / 1000),
    loadAverage,
    loadCores,
    version,
    database,
    commands,
    figures,
  };
  fs.writeFileSync(values.result, `${JSON.stringify(result, null, 2)}\n`);
}

let leaving = null; // A terminal and the tool may both say it.
function leave(code) {
  leaving ??= bench.end().then(() => process.exit(code));
  return leaving;
}

// Servers and what they have stored do not outlive the row.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => leave(130));

try {
  await row.run(bench);
  const missing = row.figures.filter(({ name }) => !bench.figures[name]);
  if (missing.length > 0) throw new Error(`nothing was measured of ${missing[0].name}`);
  write(null);
} catch (error) {
  console.error(error.stack);
  for (const cluster of bench.ending) console.error(cluster.describe());
  write(error);
  await leave(1);
}
await leave(0);
