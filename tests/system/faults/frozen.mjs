// frozen.mjs: processes that live and do nothing (SIGSTOP): an edge, control.
import { ChatClient } from '../../support/chat_client.mjs';
import { forgetPeak, peakBytes, residentBytes } from '../../support/server_process.mjs';
import { until } from '../../support/until.mjs';
import { pause } from '../../support/pause.mjs';
import { ANSWER_MS, BACK_MS, since } from './bench.mjs';

const NOTICED_MS = 20_000; // Keepalive of the stream, its time-out, and a busy machine.
const PRESENCE_MS = 65_000; // The lease, the pause before "offline", and news on their way.
const EDGE_GROWTH_BYTES = 64 * 1024 * 1024;
const MIB = 1024 * 1024;

const says = (user, status) => (event) =>
  event.name === 'presence' && event.userId === user && event.status === status;

// In the first picture of who is there, or by news behind it.
const isThere = (user) => (event) =>
  (event.name === 'presence' && event.online?.includes(user)) || says(user, 'online')(event);

// By news, or in the next picture of who is there.
const isGone = (user) => (event) =>
  (event.name === 'presence' && event.online?.includes(user) === false) ||
  says(user, 'offline')(event);

// Two users who share a room, and see each other come and go.
async function couple(annsHome, bensHome) {
  await annsHome.createRoom('den', ['ann', 'ben']);
  const ben = await ChatClient.connected(bensHome, 'ben');
  const ann = await ChatClient.connected(annsHome, 'ann');
  await ben.sees('ann online', isThere('ann'));
  ben.events.length = 0;
  return { ann, ben };
}

// How much more memory the process takes at its peak than now: call it for the figure.
function growthOf(bench, name, pid) {
  const before = residentBytes(pid);
  forgetPeak(pid);
  return () => {
    const grown = (peakBytes(pid) - before) / MIB;
    bench.figure(`growth of ${name}`, Number(grown.toFixed(1)), {
      unit: 'MiB',
      atMost: EDGE_GROWTH_BYTES / MIB,
    });
  };
}

// One of two edges stands still; the others' users see its users go and come.
async function edgeFreezes(bench, seconds) {
  const { cluster } = bench;
  const other = await cluster.addEdge();
  const run = await bench.load({ homes: [cluster, other] });
  const { ann, ben } = await couple(cluster, other);
  const grows = growthOf(bench, 'the edge', cluster.edge.pid);
  const frozenAt = performance.now();
  await cluster.edge.freeze();
  const isLong = seconds * 1_000 > PRESENCE_MS;
  if (isLong) {
    await ben.sees('ann offline', says('ann', 'offline'), PRESENCE_MS + 15_000);
    bench.figure('users of the edge offline', since(frozenAt), { atMost: PRESENCE_MS });
  }
  const free = run.clients.filter((_, i) => i % 2 === 1);
  bench.figure('fresh messages for users of the other edge', await run.live(60_000, free), {
    atMost: BACK_MS,
  });
  await pause(Math.max(0, seconds * 1_000 - since(frozenAt)));
  const gone = ben.events.some(says('ann', 'offline'));
  cluster.edge.thaw();
  const thawedAt = performance.now();
  // With all that was missed in between: at 90 s that is a matter of the readers' own speed.
  bench.figure('fresh messages for everybody after the thaw', await run.live());
  if (gone) {
    await ben.sees('ann online again', says('ann', 'online'), PRESENCE_MS + 15_000);
    bench.figure('users of the edge online again', since(thawedAt), { atMost: PRESENCE_MS });
  }
  grows();
  ann.close();
  ben.close();
  await bench.settle(run);
}

async function controlFreezes(bench) {
  const { cluster } = bench;
  const run = await bench.load();
  const { ann, ben } = await couple(cluster, cluster);
  const grows = growthOf(bench, 'the edge', cluster.edge.pid);
  const frozenAt = performance.now();
  await cluster.control.freeze();
  await until(
    'the edge has noticed',
    async () => (await cluster.metric(cluster.edge, 'confab_edge_link_attached')) === 0,
    2 * NOTICED_MS,
  );
  bench.figure('noticed by the edge', since(frozenAt), { atMost: NOTICED_MS });
  ann.close(); // Control cannot know.
  await pause(30_000 - since(frozenAt));
  cluster.control.thaw();
  const thawedAt = performance.now();
  bench.figure('fresh messages for everybody after the thaw', await run.live(), {
    atMost: BACK_MS,
  });
  await ben.sees('ann offline', isGone('ann'), PRESENCE_MS + 15_000);
  bench.figure('who went meanwhile is offline', since(thawedAt), { atMost: PRESENCE_MS });
  grows();
  ben.close();
  bench.answered(run, ANSWER_MS);
  await bench.settle(run);
  bench.figure('connections lost', run.losses, { unit: '', atMost: 0 });
}

const TOLD = { 'presence-settle': '0s' };

export const frozen = [
  {
    name: 'freeze-edge-20s',
    fault: 'SIGSTOP of one of two edges for 20 s',
    holds: 'five zeros; presence right within 65 s; edge memory + < 64 MiB',
    cluster: { processes: 'two', store: 'postgres', control: TOLD },
    run: (bench) => edgeFreezes(bench, 20),
  },
  {
    name: 'freeze-edge-90s',
    fault: 'SIGSTOP of one of two edges for 90 s',
    holds: 'five zeros; presence right within 65 s; edge memory + < 64 MiB',
    cluster: { processes: 'two', store: 'postgres', control: TOLD },
    run: (bench) => edgeFreezes(bench, 90),
  },
  {
    name: 'freeze-control',
    fault: 'SIGSTOP of control for 30 s',
    holds:
      'five zeros; sends refused within 4 s, no connection lost; noticed within the keepalive; ' +
      'presence right within 65 s; edge memory + < 64 MiB',
    cluster: { processes: 'two', store: 'postgres', control: TOLD },
    run: controlFreezes,
  },
];
