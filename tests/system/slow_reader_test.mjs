// slow_reader_test.mjs: a reader that is too slow costs itself, nobody else, and bounded memory (P8):
// it is degraded and healed from the log, and closed only when it takes nothing at all.
import assert from 'node:assert/strict';

import { Canary } from '../support/canary.mjs';
import { ChatClient } from '../support/chat_client.mjs';
import { RawSocket } from '../support/raw_socket.mjs';
import { scenario } from '../support/scenario.mjs';
import { until } from '../support/until.mjs';

const COME_BACK = 4009;
const CONTENT = 'x'.repeat(4000);
const AT_ONCE = 20; // Messages under way.
const MESSAGES = 5000; // 20 MB: more than an outbox and what two kernels hold.
const PAUSE_MS = 5; // Of a slow reader, after each piece its socket gives it.

const numbered = (first, count) => Array.from({ length: count }, (_, i) => first + i);

// A raw client in the room, and the seqs of the events it was told.
const READERS = {
  'Socket.IO': {
    async open(cluster, user, room) {
      const raw = await RawSocket.socketIo(cluster, user);
      raw.ws.send(`420["joinRoom",{"roomId":"${room}"}]`);
      await raw.sees('joined', (frame) => frame.startsWith('430'));
      return raw;
    },
    seqs: (raw) =>
      raw.received
        .filter((frame) => frame.startsWith('42["newMessage"'))
        .map((frame) => JSON.parse(frame.slice(2))[1].seq),
  },
  native: {
    async open(cluster, user, room) {
      const raw = new RawSocket(cluster, '/', { protocols: ['confab.v1.json'] });
      await raw.opened();
      raw.ws.send(JSON.stringify({ connect: { token: cluster.token(user) } }));
      await raw.sees('connected', (frame) => frame.includes('"connected"'));
      raw.ws.send(JSON.stringify({ request: '1', joinRoom: { roomId: room } }));
      await raw.sees('joined', (frame) => frame.includes('"reply"'));
      return raw;
    },
    seqs: (raw) =>
      raw.received
        .map((frame) => JSON.parse(frame).event)
        .filter((event) => event !== undefined)
        .map((event) => Number(event.seq)),
  },
};

async function sendUntil(ann, what, holds) {
  for (let sent = 0; !(await holds()); sent += AT_ONCE) {
    assert.ok(sent <= MESSAGES, `${MESSAGES} messages went out, and not ${what}`);
    await Promise.all(numbered(0, AT_ONCE).map(() => ann.send('den', CONTENT)));
  }
}

function readSlowly(socket) {
  socket.on('data', () => {
    socket.pause();
    setTimeout(() => socket.resume(), PAUSE_MS);
  });
  socket.resume();
}

for (const [kind, reader] of Object.entries(READERS)) {
  scenario(
    `${kind}: who reads slowly has everything once and in order, and others are not held up`,
    { processes: 'two', edge: { 'stall-time': '60s' } },
    async (cluster) => {
      const canary = await Canary.start(cluster);
      await cluster.createRoom('den', ['ann', 'sloth']);
      const ann = await ChatClient.connected(cluster, 'ann');
      await ann.join('den');
      const sloth = await reader.open(cluster, 'sloth', 'den');

      sloth.ws._socket.pause();
      await sendUntil(ann, 'the reader is degraded', () =>
        cluster.metric(cluster.edge, 'confab_edge_degraded_total'),
      );
      readSlowly(sloth.ws._socket);
      const newest = () => reader.seqs({ received: sloth.received.slice(-3) }).at(-1);
      const { seq: last } = await ann.send('den', 'fence');
      await until(
        'the slow reader has the last message',
        () => newest() === Number(last),
        60_000,
        () => `it has ${newest()} of ${last}`,
      );
      const { seq: live } = await ann.send('den', 'live again');
      await until('the slow reader is live again', () => newest() === Number(live));

      const seqs = reader.seqs(sloth);
      assert.deepEqual(seqs, numbered(seqs[0], seqs.length));
      assert.equal(seqs.length, live - seqs[0] + 1);
      assert.equal(sloth.closed, null);
      await canary.isUnharmed();
    },
  );
}

scenario(
  'who reads nothing is closed with 4009 after the stall time and comes back to everything',
  { processes: 'two', edge: { 'stall-time': '2s' } },
  async (cluster) => {
    await cluster.createRoom('den', ['ann', 'ben', 'sloth']);
    const [ann, ben] = await Promise.all(
      ['ann', 'ben'].map((user) => ChatClient.connected(cluster, user)),
    );
    await Promise.all([ann.join('den'), ben.join('den')]);
    const sloth = await READERS['Socket.IO'].open(cluster, 'sloth', 'den');

    sloth.ws._socket.pause();
    await sendUntil(ann, 'the reader is degraded', () =>
      cluster.metric(cluster.edge, 'confab_edge_degraded_total'),
    );
    await until(
      'the reader is closed',
      () => cluster.metric(cluster.edge, 'confab_edge_stalled_total'),
      30_000,
    );
    const { seq: last } = await ann.send('den', 'fence');
    await Promise.all([ann, ben].map((client) => client.seesContent('den', 'fence')));
    sloth.ws._socket.resume();
    const { code } = await sloth.isClosed();

    // It may be too late for the code: who takes nothing is not waited for.
    assert.ok(code === COME_BACK || code === 1006, `closed with ${code}`);
    for (const client of [ann, ben]) {
      assert.deepEqual(client.disconnects, []);
      const seqs = client.logged('den').map((event) => event.seq);
      assert.deepEqual(seqs, numbered(seqs[0], seqs.length));
    }
    const had = READERS['Socket.IO'].seqs(sloth);
    assert.deepEqual(had, numbered(had[0] ?? 0, had.length));
    const position = had.at(-1) ?? 0;
    const back = await ChatClient.connected(cluster, 'sloth');
    await back.join('den', position);
    await back.seesContent('den', 'fence', 60_000);
    assert.deepEqual(
      back.logged('den').map((event) => event.seq),
      numbered(position + 1, last - position),
    );
    await until(
      'the outboxes are empty',
      async () => (await cluster.metric(cluster.edge, 'confab_edge_outbox_bytes')) === 0,
    );
  },
);
