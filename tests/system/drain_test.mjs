// drain_test.mjs: an edge is emptied: its clients are told when to go, are served until then, and go one
// after the other, whatever they speak; no message is lost or doubled by it.
import assert from 'node:assert/strict';

import { ChatClient } from '../support/chat_client.mjs';
import { scaled } from '../support/cluster.mjs';
import { pause } from '../support/pause.mjs';
import { RawSocket } from '../support/raw_socket.mjs';
import { scenario } from '../support/scenario.mjs';
import { until } from '../support/until.mjs';

const DRAIN_MS = 10_000;
const END_MS = DRAIN_MS + 5_000;
const LATE_MS = 3_000; // Of a busy machine, on top of what the edge promises.
const DRAINING = 4010;
const ROOM_USERS = 8;
const SEND_MS = 2_000;
// A client that knows its end sends nothing so long before it.
const QUIET_MS = 2_000;
const SAMPLE_MS = 100; // Between two looks at how many have gone.

// What all clients of the test have in common: a user of a room that sends until it has to go.
class Sender {
  constructor(cluster, index) {
    this.user = `user-${index}`;
    this.room = `room-${Math.floor(index / ROOM_USERS)}`;
    this.sends = new Map(); // clientMsgId -> how it was answered
    this.told = []; // {at, delay} for each server:closing
    this.closedAt = 0;
    cluster.closing.push(() => clearInterval(this.timer));
  }

  start() {
    this.timer = setInterval(() => this.next(), SEND_MS);
    this.next();
  }

  next() {
    const id = `${this.user}/${this.sends.size}`;
    this.sends.set(id, 'unanswered');
    this.post(id, `message ${id}`);
  }

  onClosing(code, delay) {
    assert.equal(code, DRAINING);
    this.told.push({ at: Date.now(), delay });
    setTimeout(() => clearInterval(this.timer), delay - QUIET_MS).unref();
  }

  onClosed() {
    clearInterval(this.timer);
    this.closedAt = Date.now();
  }

  unacked() {
    return [...this.sends].filter(([, outcome]) => outcome !== 'ok').map(([id]) => id);
  }
}

class StockSender extends Sender {
  async open(cluster, transports) {
    const options = { transports, reconnection: false };
    this.client = await ChatClient.connected(cluster, this.user, options);
    await this.client.join(this.room);
    const { socket } = this.client;
    socket.on('server:closing', ({ code, retryAfterMs = 0 }) => this.onClosing(code, retryAfterMs));
    socket.on('disconnect', () => this.onClosed());
    return this;
  }

  post(clientMsgId, content) {
    const message = { roomId: this.room, content, clientMsgId };
    this.client.socket.emit('sendMessage', message, (ack) =>
      this.sends.set(clientMsgId, ack.ok ? 'ok' : ack.error.reason),
    );
  }
}

class NativeSender extends Sender {
  async open(cluster) {
    this.raw = new RawSocket(cluster, '/', { protocols: ['confab.v1.json'] });
    await this.raw.opened();
    this.say({ connect: { token: cluster.token(this.user) } });
    await this.raw.sees('connected', (text) => JSON.parse(text).connected);
    this.say({ request: '1', joinRoom: { roomId: this.room } });
    await this.raw.sees('joined', (text) => JSON.parse(text).reply?.joinRoom);
    this.requests = new Map();
    this.raw.ws.on('message', (data) => this.hear(JSON.parse(data)));
    this.raw.ws.on('close', (code) => {
      this.code = code;
      this.onClosed();
    });
    return this;
  }

  say(frame) {
    this.raw.ws.send(JSON.stringify(frame));
  }

  hear({ closing, reply }) {
    if (closing) this.onClosing(closing.code, closing.error.retryAfterMs ?? 0);
    const id = reply && this.requests.get(reply.request);
    if (id) this.sends.set(id, reply.error ? reply.error.reason : 'ok');
  }

  post(clientMsgId, content) {
    const request = String(100 + this.sends.size);
    this.requests.set(request, clientMsgId);
    this.say({ request, postMessage: { roomId: this.room, content, clientMsgId } });
  }
}

async function openSenders(cluster, count) {
  const users = Array.from({ length: count }, (_, index) => `user-${index}`);
  for (let room = 0; room * ROOM_USERS < count; ++room) {
    await cluster.createRoom(
      `room-${room}`,
      users.slice(room * ROOM_USERS, (room + 1) * ROOM_USERS),
    );
  }
  const senders = [];
  // In groups: a hundred handshakes at a time say nothing about the end.
  for (let first = 0; first < count; first += 20) {
    const group = users.slice(first, first + 20).map((_, i) => {
      const index = first + i;
      if (index % 8 === 7) return new NativeSender(cluster, index).open(cluster);
      const transports = index % 4 === 1 ? ['polling'] : ['websocket'];
      return new StockSender(cluster, index).open(cluster, transports);
    });
    senders.push(...(await Promise.all(group)));
  }
  return senders;
}

// How many of the delays lie in the same second, at most.
function mostInASecond(delays) {
  const seconds = new Map();
  for (const delay of delays) {
    const second = Math.floor(delay / 1000);
    seconds.set(second, (seconds.get(second) ?? 0) + 1);
  }
  return Math.max(...seconds.values());
}

// Looks at how many clients the edge has closed until it is gone. Gives the highest rate a second, over
// a second or more: this process may have pauses of its own.
async function fastestClosing(cluster) {
  const samples = [];
  while (cluster.edge.running) {
    const from = Date.now();
    const { ok, text } = await cluster.ops(cluster.edge, '/metrics');
    if (!ok) break;
    const count = Number(/closes_total{reason="DRAINING"} (\d+)/.exec(text)?.[1] ?? 0);
    samples.push({ from, to: Date.now(), count });
    await pause(SAMPLE_MS);
  }
  let fastest = 0;
  for (const [i, first] of samples.entries()) {
    const last = samples.slice(i).find((sample) => sample.to - first.from >= 1000);
    if (!last) break;
    fastest = Math.max(fastest, ((last.count - first.count) * 1000) / (last.to - first.from));
  }
  return fastest;
}

scenario(
  'TERM empties an edge evenly, and every message arrives once',
  {
    limitMs: 240_000, // Its rooms are made and read by a hundred runs of confabctl.
    processes: 'two',
    edge: { 'drain-time': `${DRAIN_MS}ms`, 'io-threads': 2 },
  },
  async (cluster) => {
    const other = await cluster.addEdge('edge-b');
    const senders = await openSenders(cluster, scaled(200, 64));
    for (const sender of senders) sender.start();
    await until('everybody has sent', () =>
      senders.every((sender) => [...sender.sends.values()].includes('ok')),
    );

    const began = Date.now();
    const ended = cluster.edge.end('SIGTERM', END_MS + LATE_MS);
    const closing = fastestClosing(cluster);
    await until('/readyz says no', async () => (await cluster.readyz(cluster.edge)).status === 503);
    await until('everybody is told', () => senders.every((sender) => sender.told.length > 0));
    const refused = await fetch(`${cluster.url}/socket.io/?EIO=4&transport=polling`);
    assert.equal(refused.status, 503, 'the port is open for polling sessions alone');
    assert.ok(Number(refused.headers.get('retry-after')) >= 1);
    const { code } = await ended;
    const took = Date.now() - began;

    assert.equal(code, 0);
    assert.ok(took <= END_MS + LATE_MS, `it took ${took} ms`);
    await until('everybody is closed', () => senders.every((sender) => sender.closedAt > 0));
    await assert.rejects(fetch(cluster.url), 'the port is closed');
    assert.match(cluster.edge.log(), /draining/);

    const mean = senders.length / (DRAIN_MS / 1000);
    const delays = senders.map((sender) => sender.told[0].delay);
    assert.ok(Math.max(...delays) < DRAIN_MS);
    const toldMost = mostInASecond(delays);
    assert.ok(toldMost <= 2 * mean, `${toldMost} were told the same second, ${mean} on average`);
    const fastest = await closing;
    // A busy machine may hold the edge up for a second, which it makes up for.
    assert.ok(fastest <= 3 * mean, `${fastest} closed a second, ${mean} on average`);
    assert.ok(fastest > 0);
    for (const sender of senders) if (sender.raw) assert.equal(sender.code, DRAINING);

    // What the edge took it has answered: without an ack is only what it refused at the end, or what
    // met the close on its way. That is sent again elsewhere.
    const contents = async (room) =>
      (await cluster.roomLog(room))
        .map((event) => event.content)
        .filter((content) => content?.startsWith('message '))
        .sort();
    const rooms = [...new Set(senders.map((sender) => sender.room))];
    const stored = new Set((await Promise.all(rooms.map(contents))).flat());
    for (const sender of senders) {
      const left = sender.unacked();
      for (const id of left) assert.ok(!stored.has(`message ${id}`), `${id} has no ack`);
      if (left.length === 0) continue;
      const again = await ChatClient.connected(other, sender.user);
      await again.join(sender.room);
      for (const clientMsgId of left) {
        await again.send(sender.room, `message ${clientMsgId}`, { clientMsgId });
      }
      again.close();
    }
    for (const room of rooms) {
      const sent = senders
        .filter((sender) => sender.room === room)
        .flatMap((sender) => [...sender.sends.keys()]);
      assert.deepEqual(await contents(room), sent.map((id) => `message ${id}`).sort(), room);
    }
  },
);

scenario(
  'a drained edge ends at once when nobody is left, and a second TERM ends it before',
  { processes: 'two', edge: { 'drain-time': '1h', 'io-threads': 1 } },
  async (cluster) => {
    const other = await cluster.addEdge('edge-b');
    await cluster.createRoom('den', ['ann', 'ben', 'cis']);
    const stay = { reconnection: false };
    const [ann, ben] = await Promise.all(
      ['ann', 'ben'].map((user) => ChatClient.connected(other, user, stay)),
    );
    const closing = (client) => client.sees('its delay', ({ name }) => name === 'server:closing');

    const ended = other.edge.end('SIGTERM', 60_000);
    await Promise.all([ann, ben].map(closing));
    ann.close();
    ben.close();
    assert.deepEqual(await ended, { code: 0, signal: null });

    const clients = await Promise.all(
      ['ann', 'ben', 'cis'].map((user) => ChatClient.connected(cluster, user, stay)),
    );
    cluster.edge.child.kill('SIGTERM');
    await Promise.all(clients.map(closing));
    assert.ok(cluster.edge.running);
    assert.deepEqual(await cluster.edge.end('SIGTERM'), { code: null, signal: 'SIGTERM' });
  },
);

scenario(
  'confabctl empties an edge, and shows how it goes on',
  { processes: 'two' },
  async (cluster) => {
    const other = await cluster.addEdge('edge-b');
    await cluster.createRoom('den', ['ann', 'ben']);
    const stay = { reconnection: false };
    const clients = await Promise.all(
      Array.from({ length: 12 }, (_, i) =>
        ChatClient.connected(other, i % 2 ? 'ann' : 'ben', stay),
      ),
    );
    const ann = await ChatClient.connected(cluster, 'ann', stay);
    const edges = async () =>
      Object.fromEntries((await cluster.ctlJson('edge', 'list')).edges.map((e) => [e.edgeId, e]));
    await until(
      'both edges are listed with their connections',
      async () => (await edges())['edge-b']?.connectionCount === '12',
    );
    assert.equal((await edges())['edge-b'].isDraining, false);
    assert.match(await cluster.ctl('edge', 'list'), /^EDGE +VERSION +STARTED +ATTACHED/);

    const unknown = await cluster.ctlRaw(['edge', 'drain', 'edge-z', '--yes']);
    assert.equal(unknown.code, 1);
    assert.match(unknown.err, /no edge of that name/);
    const asked = await cluster.ctlRaw(['edge', 'drain', 'edge-b'], 'n\n');
    assert.equal(asked.code, 2);
    const shown = await cluster.ctl('edge', 'drain', 'edge-b', '--time', '3s', '--wait', '--yes');

    assert.match(shown, /edge-b: \d+ connections left\n/);
    assert.match(shown, /edge-b has ended\n$/);
    await until('its process has ended', () => !other.edge.running);
    assert.deepEqual(await other.edge.exited, { code: 0, signal: null });
    await until('everybody was closed', () => clients.every((c) => c.disconnects.length === 1));
    for (const client of clients) {
      const told = client.events.filter(({ name }) => name === 'server:closing');
      assert.ok(told.length > 0 && told.every(({ code }) => code === DRAINING));
      assert.ok((told[0].retryAfterMs ?? 0) < 3_000, 'within the time that was given');
    }
    assert.deepEqual(Object.keys(await edges()).includes('edge-b'), false);
    assert.deepEqual(ann.disconnects, []);
    const { entries } = await cluster.ctlJson('audit', 'list', '--user', 'edge-b');
    const acts = entries.map(({ act, service, result }) => `${service} ${act} ${result}`);
    assert.deepEqual(acts, ['confabctl edge.drain OK']);
  },
);

scenario(
  'confabctl says that control ends with the edge that runs in its process',
  { processes: 'one' },
  async (cluster) => {
    const { edges } = await cluster.ctlJson('edge', 'list');
    assert.equal(edges.length, 1);
    const [{ edgeId, isWithinControl }] = edges;
    assert.equal(edgeId, 'confab');
    assert.equal(isWithinControl, true);
    await cluster.createRoom('den', ['ann']);
    const ann = await ChatClient.connected(cluster, 'ann', { reconnection: false });

    const asked = await cluster.ctlRaw(['edge', 'drain', edgeId], 'n\n');
    assert.equal(asked.code, 2);
    assert.match(asked.out + asked.err, /and control, which runs in the same process/);
    const shown = await cluster.ctl('edge', 'drain', edgeId, '--time', '3s', '--wait', '--yes');

    assert.match(shown, /: \d connections left\n/);
    assert.ok(shown.endsWith(`${edgeId} has ended, and control with it\n`), shown);
    await until('its process has ended', () => !cluster.edge.running);
    assert.deepEqual(await cluster.edge.exited, { code: 0, signal: null });
    await until('ann was closed', () => ann.disconnects.length === 1);
    // Nobody is there any more: what now asks is told so.
    const late = await cluster.ctlRaw(['edge', 'drain', edgeId, '--wait', '--yes']);
    assert.equal(late.code, 3);
    assert.match(late.err, /control is not reachable/);
  },
);
