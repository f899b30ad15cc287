// recovery_edges_test.mjs: Socket.IO connection state recovery from one edge to another: while the old
// one lives, when it was emptied, and what there is when it is dead. The stock client, which names no
// position of its own.
import assert from 'node:assert/strict';

import { ChatClient } from '../support/chat_client.mjs';
import { scenario } from '../support/scenario.mjs';
import { until } from '../support/until.mjs';

const TWO_EDGES = { processes: 'two', edge: { recovery: 'confab' } };
const DRAIN_MS = 2_000;
const END_MS = DRAIN_MS + 5_000 + 3_000; // What the edge promises, and a busy machine.

// A client whose way leads to one edge or another, as a balancer has it.
class Roamer {
  static async of(cluster, user, options = {}) {
    const roamer = new Roamer();
    roamer.front = await cluster.behindProxy();
    roamer.connects = []; // [{sid, recovered}]
    const client = new ChatClient(roamer.front, user, options);
    client.socket.on('connect', () =>
      roamer.connects.push({ sid: client.socket.id, recovered: client.socket.recovered }),
    );
    roamer.client = client;
    await roamer.connected(1);
    return roamer;
  }

  // Its next connection leads there; those that are open stay.
  aimAt(cluster) {
    this.front.proxy.target = { port: cluster.port, host: '127.0.0.1' };
  }

  // It is cut off, and comes back once `meanwhile` is done.
  async away(meanwhile) {
    this.front.proxy.refuse();
    this.front.proxy.reset();
    await until('the client has noticed', () => this.client.disconnects.length > 0);
    await meanwhile();
    this.front.proxy.calm();
  }

  async connected(times, ms = 20_000) {
    await until(
      `connected for the ${times}th time`,
      () => this.connects.length >= times,
      ms,
      () => this.client.connectErrors.slice(-3).map(String).join('; '),
    );
    return this.connects[times - 1];
  }

  contents(room) {
    return this.client.messages(room).map((message) => message.content);
  }
}

// Ann, who roams, and ben, who stays at the other edge; both in the room "den".
async function annAndBen(cluster, options) {
  await cluster.createRoom('den', ['ann', 'ben']);
  const other = await cluster.addEdge('edge-b');
  const ann = await Roamer.of(cluster, 'ann', options);
  const ben = await ChatClient.connected(other, 'ben');
  await Promise.all([ann.client.join('den'), ben.join('den')]);
  await ben.send('den', 'before');
  await ann.client.seesContent('den', 'before');
  return { other, ann, ben };
}

const says = async (client, ...contents) => {
  for (const content of contents) await client.send('den', content);
};

scenario('a session goes on at another edge', TWO_EDGES, async (cluster) => {
  const { other, ann, ben } = await annAndBen(cluster);

  ann.aimAt(other);
  await ann.away(() => says(ben, 'missed', 'missed too'));
  const back = await ann.connected(2);
  await says(ben, 'live');
  await ann.client.seesContent('den', 'live');

  assert.deepEqual(back, { sid: ann.connects[0].sid, recovered: true });
  assert.deepEqual(ann.contents('den'), ['before', 'missed', 'missed too', 'live']);
  assert.equal(await cluster.metric(cluster.control, 'confab_control_recoveries_total'), 1);
});

scenario(
  'a session goes from an edge that is emptied to another',
  { ...TWO_EDGES, edge: { ...TWO_EDGES.edge, 'drain-time': `${DRAIN_MS}ms` } },
  async (cluster) => {
    const { other, ann, ben } = await annAndBen(cluster);
    const sent = ['before'];
    let isOver = false;
    const talk = (async () => {
      while (!isOver) {
        sent.push(`message ${sent.length}`);
        await ben.send('den', sent.at(-1));
      }
    })();

    ann.aimAt(other);
    const { code } = await cluster.edge.end('SIGTERM', END_MS);
    const back = await ann.connected(2);
    isOver = true;
    await talk;
    await ann.client.seesContent('den', sent.at(-1));

    assert.equal(code, 0);
    assert.deepEqual(back, { sid: ann.connects[0].sid, recovered: true });
    assert.deepEqual(ann.contents('den'), sent, 'each once and in order');
    const told = ann.client.events.filter((event) => event.name === 'server:closing');
    assert.ok(told.length > 0 && told.every((event) => event.code === 4010));
  },
);

scenario(
  'a session waits for its edge to start anew',
  { ...TWO_EDGES, edge: { ...TWO_EDGES.edge, 'drain-time': '200ms' } },
  async (cluster) => {
    const { ann, ben } = await annAndBen(cluster);

    await cluster.edge.end('SIGTERM', END_MS);
    await says(ben, 'missed');
    await cluster.restart(cluster.edge);
    const back = await ann.connected(2);
    await says(ben, 'live');
    await ann.client.seesContent('den', 'live');

    assert.deepEqual(back, { sid: ann.connects[0].sid, recovered: true });
    assert.deepEqual(ann.contents('den'), ['before', 'missed', 'live']);
  },
);

scenario('with its edge dead a session begins anew, and says so', TWO_EDGES, async (cluster) => {
  const { other, ann, ben } = await annAndBen(cluster);
  const { seq } = ann.client.messages('den').at(-1);

  ann.aimAt(other);
  await ann.away(async () => {
    await cluster.kill(cluster.edge);
    await says(ben, 'missed');
  });
  const back = await ann.connected(2);

  assert.equal(back.recovered, false);
  assert.notEqual(back.sid, ann.connects[0].sid);
  assert.deepEqual(ann.contents('den'), ['before'], 'it is in no room');
  await ann.client.join('den', seq);
  await ann.client.seesContent('den', 'missed');
  assert.deepEqual(ann.contents('den'), ['before', 'missed'], 'it asks for what it lacks');
});

scenario('nobody has the session of another user', TWO_EDGES, async (cluster) => {
  const { other, ann, ben } = await annAndBen(cluster);
  const { _pid: pid, _lastOffset: offset } = ann.client.socket;
  assert.ok(pid && offset);
  ann.front.proxy.refuse();
  ann.front.proxy.reset();
  await until('ann is away', () => ann.client.disconnects.length > 0);
  await says(ben, 'for ann');

  // A client that has stolen both, with a good token of its own.
  const auth = { token: cluster.token('eve'), pid, offset };
  const eve = await ChatClient.connected(other, 'eve', { auth });
  assert.notEqual(eve.socket.id, ann.connects[0].sid);
  assert.notEqual(eve.socket._pid, pid);
  await says(ben, 'for ann alone');

  ann.aimAt(other);
  ann.front.proxy.calm();
  const back = await ann.connected(2);
  await ann.client.seesContent('den', 'for ann alone');

  assert.deepEqual(back, { sid: ann.connects[0].sid, recovered: true }, 'it was left to its owner');
  assert.deepEqual(ann.contents('den'), ['before', 'for ann', 'for ann alone']);
  assert.deepEqual(eve.messages('den'), []);

  // What is in use again nobody has a second time.
  const again = { token: cluster.token('ann'), pid, offset };
  const twin = await ChatClient.connected(cluster, 'ann', { auth: again });
  assert.notEqual(twin.socket.id, ann.connects[0].sid);
  for (const server of [cluster.edge, other.edge, cluster.control]) {
    assert.ok(!server.log().includes(pid), `the pid stands in the log of ${server.name}`);
  }
});
