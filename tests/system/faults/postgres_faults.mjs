// postgres_faults.mjs: the database goes away, stands still, is full, or has no connection left.
import { Occupation } from '../../support/postgres.mjs';
import { until } from '../../support/until.mjs';
import { pause } from '../../support/pause.mjs';
import { ANSWER_MS, BACK_MS } from './bench.mjs';

// The fault under load, then its end: sends are answered in time all the while, live soon again.
// `isLong`: it lasts for more than a second, and who sends behind that is told at once.
async function away(bench, rounds, begin, end, { isLong = false } = {}) {
  const { cluster } = bench;
  let unread = 0;
  const losses = await bench.rounds(rounds, async (run) => {
    await begin(cluster);
    const refusals = isLong ? bench.watchRefusals(run) : null;
    if (!(await canRead(run))) ++unread;
    await end(cluster);
    refusals?.stop();
    bench.longest('fresh messages for everybody afterwards', await run.live(), BACK_MS);
    bench.answered(run, ANSWER_MS);
    refusals?.judge();
  });
  bench.figure('rounds in which reads were refused', unread, { unit: `of ${rounds}` });
  bench.figure('connections lost', losses, { unit: '', atMost: 0 });
}

async function canRead(run) {
  const [client] = run.clients;
  try {
    return (await client.ask('getHistory', { roomId: client.rooms[0], limit: 10 })).ok;
  } catch {
    return false;
  }
}

// A session of psql comes to the end of its text.
async function ends(session, ms) {
  await until(`${session.name} is through`, () => !session.running, ms);
  if (session.child.exitCode !== 0) throw new Error(`${session.name} failed:\n${session.logTail()}`);
}

const stop = (signal) => (cluster) => cluster.postgres.stop(signal);
const start = (cluster) => cluster.postgres.start();

// Ends every session of control's, several times a second.
async function cutBackends(bench) {
  const { cluster, random } = bench;
  const seconds = bench.long(30, 4);
  await bench.rounds(1, async (run) => {
    const cuts = Math.round(seconds / 0.3);
    const killer = cluster.postgres.session(
      'killer',
      `do $$ begin for i in 1..${cuts} loop perform pg_stat_clear_snapshot();
         perform pg_terminate_backend(pid) from pg_stat_activity
           where backend_type = 'client backend' and pid <> pg_backend_pid();
         perform pg_sleep(${(0.05 + random() * 0.1).toFixed(3)} + random() * 0.4);
       end loop; end $$`,
    );
    await ends(killer, seconds * 4_000);
    const ended = /terminating connection due to administrator command/g;
    const count = cluster.postgres.server.log().match(ended)?.length ?? 0;
    bench.figure('sessions ended', count, { unit: '' });
    if (count < cuts) throw new Error('not every cut found a session: nothing was tested');
    bench.figure('fresh messages for everybody afterwards', await run.live(), { atMost: BACK_MS });
    bench.answered(run, ANSWER_MS);
  });
}

// A lock that stands against readers too.
export const lockTable = (seconds) => async (cluster) => {
  cluster.locker = cluster.postgres.session(
    'locker',
    `begin; lock table events in access exclusive mode; select pg_sleep(${seconds}); commit`,
  );
  await until(
    'the table is locked',
    () =>
      cluster.postgres
        .sql("select count(*) from pg_locks where mode = 'AccessExclusiveLock' and granted")
        .trim() !== '0',
  );
};
export const awaitUnlock = (cluster) => ends(cluster.locker, 60_000);

const occupy = async (cluster) => {
  cluster.occupation = new Occupation(cluster.postgres);
  await until('no connection is free', () => cluster.occupation.isFull);
  cluster.occupation.cutOthers();
};

// What ends a fault that has lasted for so long.
const after = (ms, end) => async (cluster) => {
  await pause(ms);
  await end(cluster);
};

const awayFor = (bench, begin, end) =>
  away(bench, 1, begin, after(bench.long(30, 6) * 1_000, end), { isLong: true });

const holds =
  'sends refused or retried within 4 s, soon at once, no connection lost, live within 10 s; five zeros';

const row = (name, fault, run, more = {}) => ({
  name: `postgres-${name}`,
  fault: `PostgreSQL: ${fault}`,
  holds,
  cluster: { processes: 'two', store: 'postgres', ...more },
  run,
});

export const postgresFaults = [
  row('restart-fast', 'restarted, fast', (bench) =>
    away(bench, bench.long(10, 2), stop('SIGINT'), start),
  ),
  row('restart-immediate', 'restarted, immediate', (bench) =>
    away(bench, bench.long(10, 2), stop('SIGQUIT'), start),
  ),
  row('backends-killed', 'backends are killed in a loop', cutBackends),
  row('frozen', 'SIGSTOP of all its processes', (bench) =>
    awayFor(
      bench,
      (cluster) => cluster.postgres.freeze(),
      (cluster) => cluster.postgres.thaw(),
    ),
  ),
  row('table-locked', 'the table of events is locked', (bench) =>
    away(bench, 1, lockTable(bench.long(30, 6)), awaitUnlock, { isLong: true }),
  ),
  row('connections-exhausted', 'every connection is taken', (bench) =>
    awayFor(bench, occupy, (cluster) => cluster.occupation.release()),
  ),
  {
    ...row(
      'disk-full',
      'its tablespace lies on a full file system',
      (bench) =>
        awayFor(
          bench,
          (cluster) => cluster.fillDisk(),
          (cluster) => cluster.emptyDisk(),
        ),
      { disk: '96m' },
    ),
    needs: ['root'],
  },
];
