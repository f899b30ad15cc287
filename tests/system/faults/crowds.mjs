// crowds.mjs: control comes back to ten thousand connections on one edge.
import { ChatClient } from '../../support/chat_client.mjs';
import { NativeReader } from '../../support/native_reader.mjs';
import { pause } from '../../support/pause.mjs';
import { until } from '../../support/until.mjs';
import { BACK_MS, since } from './bench.mjs';

const AT_ONCE = 100; // Readers that connect together.

async function open(readers) {
  for (let at = 0; at < readers.length; at += AT_ONCE)
    await Promise.all(readers.slice(at, at + AT_ONCE).map((reader) => reader.open()));
}

function mustBeUnharmed(readers) {
  const harmed = readers.filter(({ faults }) => faults.length > 0);
  if (harmed.length === 0) return;
  const [{ user, faults }] = harmed;
  throw new Error(`${harmed.length} readers were told wrong things, ${user}: ${faults[0]}`);
}

const sum = (readers, what) => readers.reduce((total, reader) => total + reader[what], 0);

// Sent until it is acked; its seq.
async function said(client, roomId, content) {
  const message = { roomId, content, clientMsgId: content };
  for (;;) {
    const ack = await client.ask('sendMessage', message).catch(() => null);
    if (ack?.ok) return ack.seq;
    if (ack && !ack.error.retryable) throw new Error(`refused for good: ${JSON.stringify(ack)}`);
    await pause(ack?.error.retryAfterMs ?? 20);
  }
}

// --- Ten thousand in one Hello

const ROOMS = 20;

// How many connections the edge has announced to the control that runs now.
function announced(cluster) {
  const log = cluster.control.log();
  return Number(/.*"msg":"edge attached".*"connections":(\d+)/s.exec(log)?.[1] ?? 0);
}

async function helloOfMany(bench) {
  const { cluster } = bench;
  const count = bench.isLong ? 10_000 : 1_000;
  const rooms = Array.from({ length: ROOMS }, (_, i) => `crowd-${i}`);
  const readers = Array.from(
    { length: count },
    (_, i) => new NativeReader(cluster, `c-${i}`, rooms[i % ROOMS]),
  );
  for (const room of rooms) {
    const members = readers.filter((reader) => reader.room === room).map(({ user }) => user);
    await cluster.createRoom(room, ['herald', ...members]);
  }
  await open(readers);
  const herald = await ChatClient.connected(cluster, 'herald');
  let words = 0;
  await bench.rounds(
    bench.long(5, 1),
    async (run) => {
      await cluster.kill(cluster.control);
      const start = performance.now();
      cluster.control.start();
      const live = run.live();
      await cluster.awaitReady(cluster.control);
      await until(
        'the edge is attached',
        async () => (await cluster.metric(cluster.edge, 'confab_edge_link_attached')) === 1,
        60_000,
      );
      bench.longest('the edge is attached again', since(start), BACK_MS);
      bench.longest('fresh messages for everybody under load', await live, BACK_MS);
      const word = `word-${++words}`;
      const seqs = await Promise.all(rooms.map((room) => said(herald, room, word)));
      const last = new Map(rooms.map((room, i) => [room, seqs[i]]));
      await until(
        'each of the crowd has a fresh message',
        () => readers.every(({ room, position }) => position >= last.get(room)),
        60_000,
      );
      bench.longest('a fresh message for each of the crowd', since(start), BACK_MS);
    },
    { rate: 100 },
  );
  mustBeUnharmed(readers);
  bench.figure('connections in one Hello', announced(cluster), { unit: '' });
  if (announced(cluster) < count) throw new Error('they were not all announced');
  bench.figure('connections lost', sum(readers, 'losses'), { unit: '', atMost: 0 });
}

export const crowds = [
  {
    name: 'hello-10000',
    fault: 'kill -9 of control, 10,000 connections on the edge',
    holds: 'all in one Hello, none lost; fresh messages for everybody within 10 s; five zeros',
    needs: ['descriptors'],
    cluster: { processes: 'two' },
    run: helloOfMany,
  },
];
