// deaths.mjs: a server dies at a chosen point of a message's way (process/failpoint.h), not at a
// random moment: between commit and ack, before the broadcast, at a write to the link.
import { until } from '../../support/until.mjs';
import { since } from './bench.mjs';

const DEATH_MS = 60_000; // Under load each point is passed many times a second.
const LIVE_MS = 5_000; // From the restart.
const PASSAGES = 60; // Death comes at one of the first so many.
const IN_FLIGHT = 500; // More messages than can be under way.

// Starts the server anew, and it dies at the point.
async function dieAt(bench, server, point) {
  const { cluster, random } = bench;
  await cluster.kill(server);
  const passage = 1 + Math.floor(random() * PASSAGES);
  server.env.CONFAB_FAILPOINTS = `${point}=kill@${passage}`;
  server.start();
  delete server.env.CONFAB_FAILPOINTS;
  await until(`${server.name} dies at ${point}`, () => !server.running, DEATH_MS);
  const { code, signal } = await server.exited;
  if (signal !== 'SIGKILL' || !server.logTail().includes(`failpoint ${point}: killed`))
    throw new Error(`${server.name} did not die at ${point}: ${signal ?? `exit code ${code}`}`);
}

// The newest messages as the store has them: [{room, seq, id}].
function newest(cluster, run) {
  const rooms = run.rooms.map((room) => `'${room}'`).join(',');
  const rows = cluster.postgres.sql(
    // The first letter of a key is its space's.
    `select room_id, seq, substr(dedup_key, 2) from events where room_id in (${rooms}) and kind = 1
     order by created_at desc, seq desc limit ${IN_FLIGHT}`,
  );
  return rows
    .trim()
    .split('\n')
    .filter(Boolean)
    .map((line) => line.split('|'))
    .map(([room, seq, id]) => ({ room, seq: Number(seq), id }));
}

// For each message that was acked the seq its sender was told.
const acksOf = (run) =>
  new Map(run.ledger.records.filter(({ t }) => t === 'ack').map(({ id, seq }) => [id, seq]));

// Who subscribes to a room of these messages and has not come as far.
const behind = (run, messages) =>
  run.clients.filter((client) =>
    messages.some(
      ({ room, seq }) =>
        client.rooms.includes(room) && run.ledger.position(client.user, room) < seq,
    ),
  );

// Control dies in the midst of a batch that is committed. Nothing but the store knows of it then.
const afterCommit = (points) => async (bench) => {
  const { cluster } = bench;
  const sums = { unanswered: 0, unheard: 0, others: 0 };
  const losses = await bench.rounds(bench.long(50, 3), async (run, round) => {
    await dieAt(bench, cluster.control, points[(round - 1) % points.length]);
    const messages = newest(cluster, run);
    const acks = acksOf(run);
    const unanswered = messages.filter(({ id }) => !acks.has(id));
    sums.unanswered += unanswered.length;
    sums.unheard += behind(run, messages).length;
    const start = performance.now();
    cluster.control.start();
    const heard = until(
      'every member has what was committed',
      () => behind(run, messages).length === 0,
      run.patienceMs,
    ).then(() => bench.longest('every member has what was committed', since(start), LIVE_MS));
    const [ms] = await Promise.all([run.live(), heard, cluster.awaitReady(cluster.control)]);
    bench.longest('live again after the restart', ms, LIVE_MS);
    await until(
      'what was committed is answered',
      () => {
        const now = acksOf(run);
        return unanswered.every(({ id }) => now.has(id));
      },
      run.patienceMs,
    );
    const now = acksOf(run);
    sums.others += unanswered.filter(({ id, seq }) => now.get(id) !== seq).length;
  });
  bench.figure('messages committed and not answered', sums.unanswered, { unit: '' });
  bench.figure('readers who had not heard of them', sums.unheard, { unit: '' });
  bench.figure('retries that got another seq', sums.others, { unit: '', atMost: 0 });
  bench.figure('connections lost', losses, { unit: '', atMost: 0 });
  if (sums.unanswered === 0 || sums.unheard === 0) throw new Error('no death came in between');
};

// The points that are left, on both ends of the link.
async function onTheWay(bench) {
  const { cluster } = bench;
  const deaths = [
    [cluster.control, 'commit.before'],
    [cluster.edge, 'link.write'],
    [cluster.control, 'link.write'],
    [cluster.edge, 'edge.deliver'],
  ];
  await bench.rounds(bench.long(40, deaths.length), async (run, round) => {
    const [server, point] = deaths[(round - 1) % deaths.length];
    await dieAt(bench, server, point);
    server.start();
    const [ms] = await Promise.all([run.live(), cluster.awaitReady(server)]);
    bench.longest('live again after the restart', ms, LIVE_MS);
  });
}

const row = (name, fault, holds, run) => ({
  name,
  fault,
  holds,
  needs: ['failpoints'],
  cluster: { processes: 'two', store: 'postgres' },
  run,
});

export const deaths = [
  row(
    'die-after-commit',
    'control dies between commit and ack (failpoints)',
    'the retry gets the first seq, always; every member has the message within 5 s; five zeros',
    afterCommit(['commit.done', 'ack.before']),
  ),
  row(
    'die-before-broadcast',
    'control dies between commit and broadcast (failpoint)',
    'every member has the message within 5 s; the retry gets the first seq; five zeros',
    afterCommit(['publish.before']),
  ),
  row(
    'die-on-the-way',
    'death before a commit, at a write to the link, before an edge delivers (failpoints)',
    'five zeros; live again within 5 s',
    onTheWay,
  ),
];
