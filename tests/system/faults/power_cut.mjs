// power_cut.mjs: the store's files are left as the last fsync left them, and the server on them goes on
// from there.
import { ForgetfulDisk } from '../../support/forgetful_disk.mjs';
import { pause } from '../../support/pause.mjs';
import { Ledger } from '../ledger.mjs';
import { BACK_MS, since } from './bench.mjs';

// What writes the files, and how it ends and begins again.
const STORES = {
  sqlite: {
    disk: (cluster) => new ForgetfulDisk(`${cluster.dir}/disk-of-store`, cluster.sqliteFile),
    writer: (cluster) => cluster.control,
    die: (cluster) => cluster.kill(cluster.control),
    start: (cluster) => cluster.restart(cluster.control),
  },
  postgres: {
    disk: ({ dir, postgres }) =>
      new ForgetfulDisk(`${dir}/disk-of-store`, `${postgres.dir}/data/`, postgres.user),
    writer: (cluster) => cluster.postgres.server,
    die: (cluster) => cluster.postgres.die(),
    start: (cluster) => cluster.postgres.start(),
  },
};

async function cutPower(cluster, store, disk) {
  await store.die(cluster);
  const forgotten = disk.cutPower();
  const start = performance.now();
  await store.start(cluster);
  return { forgotten, ms: since(start) };
}

// The books of a run that were in order, held against the store as it is now.
async function lostSince(cluster, run) {
  const ledger = new Ledger(run.ledger.records.filter(({ t }) => t !== 'log'));
  for (const room of run.rooms) ledger.stored(room, await cluster.roomLog(room));
  return ledger.audit().faults.LOST.length;
}

// Would a loss be seen? The same once more, with a disk that only says that it syncs.
async function lyingDisk(bench, store, disk) {
  const { cluster } = bench;
  const run = await bench.load();
  disk.lie();
  await run.acked(bench.isLong ? 300 : 100);
  await bench.settle(run);
  await cluster.kill(cluster.control); // What it has in memory is not the store.
  await cutPower(cluster, store, disk);
  if (!cluster.control.running) await cluster.restart(cluster.control);
  const lost = await lostSince(cluster, run);
  bench.figure('events lost with a disk that lies, as they must be', lost, { unit: '' });
  if (lost === 0) throw new Error('a disk that does not sync has lost nothing: no proof of anything');
}

const powerCut = (kind) => async (bench) => {
  const { cluster, random } = bench;
  const store = STORES[kind];
  // A database's files are there before its server begins; what is written from then on is kept.
  if (kind === 'postgres') cluster.postgres.create();
  const disk = store.disk(cluster);
  Object.assign(store.writer(cluster).env, disk.env);
  await cluster.startAll();
  let forgotten = 0;
  await bench.rounds(bench.long(30, 3), async (run) => {
    await pause(50 + random() * 1_000); // The random moment.
    const cut = await cutPower(cluster, store, disk);
    forgotten += cut.forgotten;
    const ms = cut.ms + (await run.live());
    bench.longest('fresh messages for everybody, from the start of the database', ms, BACK_MS);
  });
  bench.figure('written, not synced and gone', Math.round(forgotten / 1024), { unit: 'KiB' });
  await lyingDisk(bench, store, disk);
};

const row = (kind, name) => ({
  name: `power-cut-${kind}`,
  fault: `a cut of power: ${name}'s files as the last fsync left them`,
  holds: 'every acked message is there, five zeros; live within 10 s',
  needs: ['forgetful disk'],
  cluster: { processes: 'two', store: kind, start: false },
  run: powerCut(kind),
});

export const powerCuts = [row('sqlite', 'SQLite'), row('postgres', 'PostgreSQL')];
