// links.mjs: the network between edge and control, and between clients and edge.
import { RawSocket } from '../../support/raw_socket.mjs';
import { until } from '../../support/until.mjs';
import { pause } from '../../support/pause.mjs';
import { ANSWER_MS, BACK_MS, since } from './bench.mjs';

const NOTICED_MS = 30_000;
const PING_MS = 45_000; // Interval and time-out of the heartbeat.
const TICKS_MS = 1_500; // Of the timer wheel, and of looking.

// --- Edge and control

async function linkBreaks(bench) {
  const { cluster, random } = bench;
  const rounds = bench.long(50, 10);
  const losses = await bench.rounds(rounds, async (run) => {
    await pause(50 + random() * 1_000);
    const { opened } = cluster.linkProxy;
    if (random() < 0.5) cluster.linkProxy.reset();
    else cluster.linkProxy.cut();
    await until('the edge has dialled again', () => cluster.linkProxy.opened > opened);
    bench.longest('fresh messages for everybody afterwards', await run.live(), BACK_MS);
    bench.answered(run, ANSWER_MS);
  });
  bench.figure('connections lost', losses, { unit: '', atMost: 0 });
}

// The link is there and carries nothing, or only one way. Both ends must find out.
const linkHangs = (begin) => async (bench) => {
  const { cluster } = bench;
  const run = await bench.load();
  const start = performance.now();
  begin(cluster.linkProxy);
  const gone = (who, server, metric) =>
    until(
      `${who} has noticed`,
      async () => (await cluster.metric(server, metric)) === 0,
      2 * NOTICED_MS,
    ).then(() => bench.figure(`noticed by ${who}`, since(start), { atMost: NOTICED_MS }));
  await Promise.all([
    gone('the edge', cluster.edge, 'confab_edge_link_attached'),
    gone('control', cluster.control, 'confab_control_edges'),
  ]);
  await pause(bench.long(30_000, 0) - since(start));
  cluster.linkProxy.calm();
  bench.figure('fresh messages for everybody afterwards', await run.live(), { atMost: BACK_MS });
  bench.answered(run, ANSWER_MS);
  await bench.settle(run);
  bench.figure('connections lost', run.losses, { unit: '', atMost: 0 });
};

// --- Clients and edge

// What the server says for 2 s, acks among it, is never heard; clients come back and retry.
async function acksDrop(bench) {
  const { cluster } = bench;
  const far = await cluster.behindProxy();
  await bench.rounds(
    bench.long(20, 2),
    async (run) => {
      far.proxy.swallow('down');
      await pause(2_000);
      far.proxy.calm();
      bench.longest('fresh messages for everybody afterwards', await run.live(), BACK_MS);
    },
    { homes: [far] },
  );
}

// A client that has gone without a word.
async function clientVanishes(bench) {
  const { cluster } = bench;
  const far = await cluster.behindProxy();
  const client = await RawSocket.socketIo(far, 'ann');
  // It answers pings until it vanishes, as a stock client does.
  client.ws.on('message', (data) => data.toString() === '2' && client.ws.send('3'));
  const there = () => cluster.metric(cluster.edge, 'confab_edge_connections');
  if ((await there()) !== 1) throw new Error('the edge does not count the client');
  far.proxy.stall();
  const start = performance.now();
  await until('the edge has noticed', async () => (await there()) === 0, 2 * PING_MS);
  bench.figure('noticed by the edge', since(start), { atMost: PING_MS + TICKS_MS });
}

// A hundred phones in a tunnel country: of every ten seconds two are without a network, which comes
// back as it was or as another one.
async function phones(bench) {
  const { cluster, random } = bench;
  const far = await cluster.behindProxy();
  const clients = bench.isLong ? 100 : 40;
  const run = await bench.load({ clients, members: clients / 5, rate: 100, homes: [far] });
  const rounds = bench.long(30, 2);
  for (let round = 1; round <= rounds; ++round) {
    await pause(8_000);
    far.proxy.stall();
    await pause(2_000);
    if (random() < 0.5) far.proxy.reset();
    far.proxy.calm();
  }
  bench.figure('fresh messages for everybody afterwards', await run.live(), { atMost: BACK_MS });
  await bench.settle(run);
  bench.figure('clients', clients, { unit: '' });
  bench.figure('times without a network', rounds, { unit: '' });
  bench.figure('connections lost', run.losses, { unit: '' });
}

const linked = { processes: 'two', hasLinkProxy: true };
const noticed =
  'noticed by both within 30 s, sends answered within 4 s, no connection lost; five zeros';

export const links = [
  {
    name: 'link-broken',
    fault: 'edge and control: the connection ends at random moments',
    holds: 'sends answered within 4 s, no connection lost; five zeros',
    cluster: linked,
    run: linkBreaks,
  },
  {
    name: 'link-stalled',
    fault: 'edge and control: nothing passes either way',
    holds: noticed,
    cluster: linked,
    run: linkHangs((proxy) => proxy.stall()),
  },
  {
    name: 'link-one-way-up',
    fault: 'edge and control: what the edge says is lost',
    holds: noticed,
    cluster: linked,
    run: linkHangs((proxy) => proxy.swallow('up')),
  },
  {
    name: 'link-one-way-down',
    fault: 'edge and control: what control says is lost',
    holds: noticed,
    cluster: linked,
    run: linkHangs((proxy) => proxy.swallow('down')),
  },
  {
    name: 'acks-dropped',
    fault: 'clients: acks are lost for 2 s, clients retry',
    holds: 'DUP 0, and the other four',
    cluster: { processes: 'two' },
    run: acksDrop,
  },
  {
    name: 'client-half-open',
    fault: 'clients: one vanishes without a word',
    holds: 'noticed within ping interval and time-out',
    cluster: { processes: 'two' },
    run: clientVanishes,
  },
  {
    name: 'phones',
    fault: 'clients: 100 stock clients without a network for 2 s of every 10 s',
    holds: 'everything, once each, in order',
    cluster: { processes: 'two' },
    run: phones,
  },
];
