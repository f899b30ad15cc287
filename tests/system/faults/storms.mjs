// storms.mjs: everybody at once: a crowd that is reset and comes back, more clients than descriptors.
import fs from 'node:fs';

import { Canary } from '../../support/canary.mjs';
import { ChatClient } from '../../support/chat_client.mjs';
import { until } from '../../support/until.mjs';
import { pause } from '../../support/pause.mjs';
import { since } from './bench.mjs';

const RESUMED_MS = 30_000;
const BYSTANDER_MS = 1_000;
const CROWD_ROOMS = 20;
// Of a room, however many come back to it: the first one's, and some slack for who is far behind.
const READS_PER_ROOM = 3;

// How many transactions the database has done: reads are some, a batch of writes is one.
const transactions = (postgres) =>
  Number(postgres.sql("select xact_commit from pg_stat_database where datname = 'confab'"));

// How many pages of logs control has read.
const logReads = ({ cluster }, from) =>
  cluster.metric(cluster.control, `confab_control_log_reads_total{from="${from}"}`);

// A crowd loses its sockets in one moment; two who are not among it chat on.
async function crowdReset(bench) {
  const { cluster } = bench;
  const far = await cluster.behindProxy();
  const crowd = bench.isLong ? 2_000 : 100;
  const run = await bench.load({
    clients: crowd,
    rooms: CROWD_ROOMS,
    members: crowd / CROWD_ROOMS,
    inFlight: 1,
    rate: 50,
    homes: [far],
  });
  const canary = await Canary.start(cluster);
  const before = transactions(cluster.postgres);
  const stored = await logReads(bench, 'store');
  const remembered = await logReads(bench, 'memory');
  const start = performance.now();
  far.proxy.reset();
  await until('the crowd has noticed', () => run.losses >= crowd);
  bench.figure('all back and resumed', await run.live(2 * RESUMED_MS), { atMost: RESUMED_MS });
  const seconds = since(start) / 1_000;
  await canary.sings();
  bench.figure('p99 of a bystander', canary.p99, { atMost: BYSTANDER_MS });
  bench.figure('transactions of the database', transactions(cluster.postgres) - before, {
    unit: `in ${seconds.toFixed(1)} s`,
  });
  bench.figure('pages of logs read from the store', (await logReads(bench, 'store')) - stored, {
    unit: '',
    atMost: bench.isLong ? CROWD_ROOMS * READS_PER_ROOM : Infinity,
  });
  bench.figure('pages of logs from memory', (await logReads(bench, 'memory')) - remembered, {
    unit: '',
  });
  await bench.settle(run);
}

const LIMIT = 256; // Descriptors of the edge.
const ACCEPTS_MS = 5_000;
const BUSY_SHARE = 0.5; // Of a core, beyond what the load took before: a loop would take all of it.

// Seconds of processor time the process has used.
function cpuOf(pid) {
  const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
  const [user, system] = stat.slice(stat.lastIndexOf(')') + 2).split(' ').slice(11, 13);
  return (Number(user) + Number(system)) / 100;
}

async function cpuShare(pid, ms) {
  const before = cpuOf(pid);
  const start = performance.now();
  await pause(ms);
  return ((cpuOf(pid) - before) * 1_000) / since(start);
}

async function descriptorsEnd(bench) {
  const { cluster } = bench;
  const { command } = cluster.edge;
  command.splice(command.indexOf('--') + 1, 0, 'prlimit', `--nofile=${LIMIT}`, '--');
  await cluster.startAll();
  const run = await bench.load({ rate: 100 });
  const { pid } = cluster.edge;
  const calm = await cpuShare(pid, bench.isLong ? 5_000 : 2_000);
  const canary = await Canary.start(cluster);
  const crowd = Array.from(
    { length: bench.isLong ? 400 : 300 },
    (_, i) => new ChatClient(cluster, `crowd-${i}`, { reconnectionDelayMax: 5_000 }),
  );
  await until(
    'no descriptor is left',
    () => /cannot accept sockets/.test(cluster.edge.log()),
    20_000,
  );
  const full = await cpuShare(pid, bench.isLong ? 5_000 : 3_000);
  bench.figure('processor time of the edge', Number((full - calm).toFixed(2)), {
    unit: 'of a core more',
    atMost: BUSY_SHARE,
  });
  await canary.sings();
  bench.figure('p99 of two members who chat on', canary.p99, { atMost: canary.limit });
  const start = performance.now();
  for (const client of crowd) client.close();
  await ChatClient.connected(cluster, 'late', { ms: ACCEPTS_MS * bench.slack });
  bench.figure('accepts again', since(start), { atMost: ACCEPTS_MS });
  await bench.settle(run);
  bench.figure('connections of members lost', run.losses, { unit: '', atMost: 0 });
}

export const storms = [
  {
    name: 'crowd-reset',
    fault: 'clients: 2,000 sockets are reset at once',
    holds:
      "all back and resumed within 30 s, a bystander's p99 < 1 s, 3 pages a room read at most; " +
      'five zeros',
    cluster: { processes: 'two', store: 'postgres' },
    run: crowdReset,
  },
  {
    name: 'descriptors-exhausted',
    fault: 'the edge has 256 descriptors, 400 clients come',
    holds: 'no busy loop, members unaffected, accepts again within 5 s; five zeros',
    cluster: { processes: 'two', start: false },
    run: descriptorsEnd,
  },
];
