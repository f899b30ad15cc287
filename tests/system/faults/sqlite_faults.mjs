// sqlite_faults.mjs: the database file is locked by somebody else, or its disk is full.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';

import { ServerProcess } from '../../support/server_process.mjs';
import { until } from '../../support/until.mjs';
import { pause } from '../../support/pause.mjs';
import { ANSWER_MS, BACK_MS } from './bench.mjs';

// Python's module, which is there for the tools: no client program of SQLite is needed.
const LOCK = `
import sqlite3, sys, time
db = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=10)
db.execute('BEGIN EXCLUSIVE')
print('locked', flush=True)
time.sleep(float(sys.argv[2]))
db.execute('ROLLBACK')
`;
const CHECK = `
import sqlite3, sys
print(sqlite3.connect(sys.argv[1]).execute('PRAGMA integrity_check').fetchone()[0])
`;

const SECONDS = 10;

async function lock(cluster) {
  const locker = new ServerProcess({
    name: 'locker',
    dir: cluster.dir,
    command: ['python3', '-c', LOCK, cluster.sqliteFile, String(SECONDS)],
  });
  locker.start();
  await until('the file is locked', () => /^locked/m.test(locker.log()), 20_000);
  return () => until('the lock is gone', () => !locker.running, SECONDS * 1_000 + 20_000);
}

async function fill(cluster) {
  cluster.fillDisk();
  return async () => {
    await pause(SECONDS * 1_000);
    cluster.emptyDisk();
  };
}

// Batches are whole or absent: the ledger says so of the log, SQLite of its own pages.
async function unwritable(bench, begin) {
  const { cluster } = bench;
  const run = await bench.load();
  const end = await begin(cluster);
  const refusals = bench.watchRefusals(run);
  await end();
  refusals.stop();
  bench.figure('fresh messages for everybody afterwards', await run.live(), { atMost: BACK_MS });
  bench.answered(run, ANSWER_MS);
  refusals.judge();
  await bench.settle(run);
  bench.figure('connections lost', run.losses, { unit: '', atMost: 0 });
  await cluster.control.end('SIGTERM');
  const check = execFileSync('python3', ['-c', CHECK, cluster.sqliteFile], { encoding: 'utf8' });
  assert.equal(check.trim(), 'ok', 'integrity_check');
  bench.figure('faults that integrity_check finds', 0, { unit: '', atMost: 0 });
}

const holds =
  'an error within 4 s, soon at once, no partial batch, integrity_check ok; live within 10 s';

export const sqliteFaults = [
  {
    name: 'sqlite-locked',
    fault: 'SQLite: locked by another process for 10 s',
    holds,
    cluster: { processes: 'two' },
    run: (bench) => unwritable(bench, lock),
  },
  {
    name: 'sqlite-disk-full',
    fault: 'SQLite: its disk is full for 10 s',
    holds,
    cluster: { processes: 'two', disk: '64m' },
    needs: ['root'],
    run: (bench) => unwritable(bench, fill),
  },
];
