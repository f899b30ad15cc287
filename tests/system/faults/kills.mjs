// kills.mjs: kill -9 at random moments under load, and orderly restarts.
import { pause } from '../../support/pause.mjs';
import { since } from './bench.mjs';

const LIVE_MS = 5_000; // From a restart to fresh messages for everybody.
const STOP_MS = 10_000; // From TERM to exit 0: below what systemd and docker wait before they kill.

// Kills `victim` again and again, restarts it at once, and looks how long everybody waits.
async function killRounds(bench, pickVictim) {
  const { cluster, random } = bench;
  const victim = pickVictim(cluster);
  const rounds = bench.long(50, 3);
  return bench.rounds(rounds, async (run) => {
    await pause(50 + random() * 1_000); // The random moment.
    await cluster.kill(victim);
    victim.start();
    const [ms] = await Promise.all([run.live(), cluster.awaitReady(victim)]);
    bench.longest('live again after a restart', ms, LIVE_MS);
  });
}

// Sockets outlive control (P7): nobody reconnects, nobody joins again, nothing is missed.
async function controlDies(bench) {
  const losses = await killRounds(bench, (cluster) => cluster.control);
  bench.figure('connections lost', losses, { unit: '', atMost: 0 });
}

// Clients come back by themselves and join with afterSeq.
const everythingDies = (bench) => killRounds(bench, (cluster) => cluster.edge);

// TERM, as a deployment does it: the edge is emptied first, and what control had not done is sent
// again to the next one by the edge. A send that fails for good ends the row; what has no answer though
// its connection stands is counted.
async function rollingRestart(bench) {
  const { cluster } = bench;
  const runs = new Set();
  await bench.rounds(bench.long(10, 2), async (run) => {
    runs.add(run);
    for (const server of [cluster.edge, cluster.control]) {
      const start = performance.now();
      const { code, signal } = await server.end('SIGTERM');
      bench.longest('from TERM to exit 0', since(start), STOP_MS);
      if (code !== 0) throw new Error(`${server.name}: exit ${code ?? signal} after TERM`);
      server.start();
      const [ms] = await Promise.all([run.live(), cluster.awaitReady(server)]);
      bench.longest('live again after a restart', ms, LIVE_MS);
    }
  });
  const sum = (what) => [...runs].reduce((total, run) => total + run[what], 0);
  bench.figure('sends that were refused and repeated', sum('refusals'), { unit: '' });
  bench.figure('sends never answered', sum('unanswered'), { unit: '', atMost: 0 });
  const failed = [...runs].reduce((n, { ledger: { lines } }) => n + lines.sent - lines.acked, 0);
  bench.figure('sends that failed in the end', failed, { unit: '', atMost: 0 });
}

export const kills = [
  {
    name: 'kill-control-sqlite',
    fault: 'kill -9 of control at random moments, SQLite',
    holds: 'five zeros, no connection lost; live again within 5 s',
    cluster: { processes: 'two' },
    run: controlDies,
  },
  {
    name: 'kill-control-postgres',
    fault: 'kill -9 of control at random moments, PostgreSQL',
    holds: 'five zeros, no connection lost; live again within 5 s',
    cluster: { processes: 'two', store: 'postgres' },
    run: controlDies,
  },
  {
    name: 'kill-edge',
    fault: 'kill -9 of the edge at random moments, PostgreSQL',
    holds: 'five zeros; live again within 5 s',
    cluster: { processes: 'two', store: 'postgres' },
    run: everythingDies,
  },
  {
    name: 'kill-all-in-one',
    fault: 'kill -9 of the one process at random moments, SQLite',
    holds: 'five zeros; live again within 5 s',
    cluster: { processes: 'one' },
    run: everythingDies,
  },
  {
    name: 'rolling-restart',
    fault: 'edge and control are restarted by TERM, in turn, under load',
    holds: 'ten times: no send has failed after its retries, none has no answer; five zeros',
    cluster: { processes: 'two', store: 'postgres', edge: { 'drain-time': '3s' } },
    run: rollingRestart,
  },
];
