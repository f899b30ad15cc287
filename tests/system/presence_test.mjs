// presence_test.mjs: who is told of whom, over two edges, with the stock client: coming, going, a
// reload, an edge that dies, a status, typing, and what operators see of it.
import assert from 'node:assert/strict';
import fs from 'node:fs';

import { ChatClient } from '../support/chat_client.mjs';
import { scenario } from '../support/scenario.mjs';
import { until } from '../support/until.mjs';

const QUICK = { 'offline-delay': '1s', 'presence-settle': '0s' };

const presences = (client) => client.events.filter(({ name }) => name === 'presence');
const changes = (client, user) =>
  presences(client)
    .filter(({ userId }) => userId === user)
    .map(({ status }) => status);
const seesStatus = (client, user, status) =>
  client.sees(`${user} ${status}`, (e) => e.name === 'presence' && e.userId === user && e.status === status);
// In a snapshot, or as news: which of them depends on who came first.
const seesThere = (client, user) =>
  client.sees(
    `${user} there`,
    (e) => e.name === 'presence' && (e.online?.includes(user) || (e.userId === user && e.status === 'online')),
  );
const seesOnline = (client, users) =>
  client.sees(
    `${users} online`,
    (e) => e.name === 'presence' && e.online && String([...e.online].sort()) === String(users),
  );

scenario(
  'users who share a room see each other come and go, over two edges',
  { processes: 'two', control: { ...QUICK, 'offline-delay': '5s' } },
  async (cluster) => {
    const other = await cluster.addEdge();
    await cluster.createRoom('den', ['ann', 'ben']);
    await cluster.createRoom('hall', ['ann', 'ben', 'gil']);
    await cluster.createRoom('moon', ['eve']);
    const ann = await ChatClient.connected(cluster, 'ann');
    await seesOnline(ann, []);

    const ben = await ChatClient.connected(other, 'ben');
    const eve = await ChatClient.connected(other, 'eve');
    await seesStatus(ann, 'ben', 'online');
    await seesOnline(ben, ['ann']);
    await seesOnline(eve, []);
    // A page that is loaded anew: nobody hears of it. What is told behind the loss shows that it was
    // held back, and not only merged with the return.
    ben.socket.disconnect();
    const gil = await ChatClient.connected(cluster, 'gil');
    await seesStatus(ann, 'gil', 'online');
    ben.socket.connect();
    await until('ben is back', () => ben.socket.connected);
    gil.socket.disconnect();
    await seesStatus(ann, 'gil', 'offline');
    assert.deepEqual(changes(ann, 'ben'), ['online']);

    await ben.must('setStatus', { status: 'dnd', text: 'in a talk' });
    const busy = await seesStatus(ann, 'ben', 'dnd');
    assert.equal(busy.text, 'in a talk');
    const refused = await ben.ask('setStatus', { status: 'asleep' });
    assert.equal(refused.error.reason, 'BAD_REQUEST');
    const page = await ann.must('getPresence', { roomId: 'den' });
    assert.deepEqual(page.online, ['ann', 'ben']);
    assert.equal(page.memberCount, 2);
    assert.equal((await eve.ask('getPresence', { roomId: 'den' })).error.reason, 'NOT_A_MEMBER');

    ben.socket.disconnect();
    const gone = await seesStatus(ann, 'ben', 'offline');
    assert.ok(Date.parse(gone.lastSeen) > Date.now() - 20_000);
    assert.deepEqual(changes(ann, 'ben'), ['online', 'dnd', 'offline'], 'once, though two rooms');
    assert.deepEqual(changes(eve, 'ben'), []);
    assert.deepEqual(changes(eve, 'ann'), []);
  },
);

scenario(
  "an edge that dies takes its users' presence along, and brings it back",
  { processes: 'two', control: { ...QUICK, 'edge-lease': '3s' } },
  async (cluster) => {
    const other = await cluster.addEdge();
    await cluster.createRoom('den', ['ann', 'ben']);
    const ann = await ChatClient.connected(cluster, 'ann');
    const ben = await ChatClient.connected(other, 'ben');
    await seesStatus(ann, 'ben', 'online');

    await cluster.kill(other.edge);
    await seesStatus(ann, 'ben', 'offline');
    await cluster.restart(other.edge);

    await until('ben is back', () => ben.socket.connected);
    await until('ann sees it', () => changes(ann, 'ben').length === 3);
    assert.deepEqual(changes(ann, 'ben'), ['online', 'offline', 'online']);
  },
);

scenario(
  'a restart of control makes no signal, then one snapshot',
  { processes: 'two', control: { 'offline-delay': '500ms', 'edge-lease': '3s', 'presence-settle': '5s' } },
  async (cluster) => {
    await cluster.createRoom('den', ['ann', 'ben', 'gil']);
    const [ann, ben] = await Promise.all(
      ['ann', 'ben'].map((user) => ChatClient.connected(cluster, user)),
    );
    await seesThere(ann, 'ben');
    await seesThere(ben, 'ann');
    const before = presences(ann).length;

    await cluster.kill(cluster.control);
    await cluster.restart(cluster.control);

    await until('ann has another snapshot', () => presences(ann).length > before);
    // Who comes and goes now is told behind all that came of the restart.
    const gil = await ChatClient.connected(cluster, 'gil');
    await seesStatus(ann, 'gil', 'online');
    gil.socket.disconnect();
    await seesStatus(ann, 'gil', 'offline');
    const told = presences(ann).slice(before).filter(({ userId }) => userId !== 'gil');
    assert.deepEqual(
      told.map(({ online }) => online),
      [['ben']],
    );
  },
);

scenario(
  'typing reaches the others of the room, and ends by itself',
  { processes: 'two', control: QUICK },
  async (cluster) => {
    const other = await cluster.addEdge();
    await cluster.createRoom('den', ['ann', 'ben']);
    const phone = await ChatClient.connected(cluster, 'ann');
    const desk = await ChatClient.connected(cluster, 'ann');
    const ben = await ChatClient.connected(other, 'ben');
    const eve = await ChatClient.connected(other, 'eve');
    for (const client of [phone, desk, ben]) await client.join('den');
    const typing = (client) =>
      client.events.filter(({ name }) => name === 'typing').map(({ isTyping }) => isTyping);

    for (let i = 0; i < 4; ++i) await phone.must('typing', { roomId: 'den' });
    const began = Date.now();
    await phone.must('typing', { roomId: 'den' });
    const told = await ben.sees('typing', ({ name }) => name === 'typing');
    assert.deepEqual(told, { name: 'typing', roomId: 'den', userId: 'ann', isTyping: true });
    await until('it is over', () => typing(ben).length === 2);
    const took = Date.now() - began;
    await until('it is over for the desk', () => typing(desk).length === 2);

    assert.deepEqual(typing(ben), [true, false], 'once in 2 s');
    assert.deepEqual(typing(desk), [true, false], "a user's other device is told");
    assert.deepEqual(typing(phone), [], 'never the connection it comes from');
    assert.ok(took >= 5_900 && took < 12_000, `it took ${took} ms`);
    assert.equal((await eve.ask('typing', { roomId: 'den' })).error.reason, 'NOT_A_MEMBER');
    await phone.must('typing', { roomId: 'den' });
    await phone.must('typing', { roomId: 'den', isTyping: false });
    await until('it is over at once', () => typing(ben).length === 4, 5_000); // Below its 6 s.
    const log = await cluster.roomLog('den');
    assert.deepEqual(log.map(({ kind }) => kind), ['memberAdded', 'memberAdded'], 'never logged');
  },
);

scenario(
  'a dialect subscribes its connections to rooms by itself, and makes nobody a member',
  { edge: { 'dialect-dir': '' }, start: false },
  async (cluster) => {
    fs.writeFileSync(
      `${cluster.dir}/games.json`,
      JSON.stringify({
        dialect: 'games',
        connect: { autoSubscribe: 'game_*' },
        refusals: { default: { why: '$message' } },
        events: { messagePosted: { name: 'said', payload: { in: '$roomId', what: '$content' } } },
      }),
    );
    cluster.edgeFlags['dialect-dir'] = cluster.dir;
    cluster.edgeFlags['dialect'] = 'games';
    await cluster.start();
    await cluster.createRoom('game_1', ['ann']);
    await cluster.createRoom('den', ['ann']);
    await cluster.ctl('room', 'create', 'game_open', '--public', '--members', 'ben');
    const ann = await ChatClient.connected(cluster, 'ann');
    const says = (room, what) => cluster.ctl('message', 'post', room, what);
    const hears = (what) => ann.sees(what, (e) => e.name === 'said' && e.what === what);

    await until('ann is subscribed', async () => (await cluster.metric(cluster.edge, 'confab_edge_subscriptions')) === 1);
    await says('game_1', 'begin');
    await hears('begin');
    await cluster.createRoom('game_2', ['ben']);
    await cluster.ctl('member', 'add', 'game_2', 'ann');
    // What is posted before her edge has joined the room for her is not missed.
    await says('den', 'unheard');
    await says('game_open', 'unheard too');
    await says('game_2', 'second');
    await hears('second');

    assert.deepEqual(
      ann.events.filter(({ name }) => name === 'said').map((e) => e.what),
      ['begin', 'second'],
    );
    const members = await cluster.ctlJson('member', 'list', 'game_open');
    assert.deepEqual(members.members.map(({ userId }) => userId), ['ben']);
  },
);

scenario('operators see and end connections', { control: QUICK }, async (cluster) => {
  await cluster.createRoom('den', ['ann', 'ben']);
  const phone = await ChatClient.connected(cluster, 'ann', { query: { deviceId: 'phone' } });
  const desk = await ChatClient.connected(cluster, 'ann', { query: { deviceId: 'desk' } });
  const ben = await ChatClient.connected(cluster, 'ben');
  await seesThere(ben, 'ann');
  // An edge lets connections in before control has heard of them, and closes them likewise.
  const connections = async () => (await cluster.ctlJson('connection', 'list', '--user', 'ann')).connections;
  const controlKnows = (count) =>
    until(`control knows of ${count}`, async () => (await connections()).length === count);
  await controlKnows(2);

  const got = await cluster.ctlJson('presence', 'get', 'ann', 'zoe');
  assert.deepEqual(
    got.users.map(({ presence, devices }) => [presence.isOnline, devices.map((d) => d.deviceId)]),
    [[true, ['desk', 'phone']], [false, []]],
  );
  assert.match(await cluster.ctl('presence', 'list', 'den'), /ann +online[^]*2 of 2 members online/);
  const one = (await connections()).find(({ deviceId }) => deviceId === 'desk');
  await cluster.ctl('connection', 'kick', 'ann', '--yes', '--connection', `${one.edgeId}/${one.connection}`);
  await until('the desk is closed', () => !desk.socket.connected);
  await controlKnows(1);
  assert.equal(phone.socket.connected, true);
  const watched = cluster.ctlProcess('presence', 'watch', '--user', 'ann', '--count', '2');
  await until('ann is watched', () => watched.lines.length === 1);
  assert.match(await cluster.ctl('connection', 'kick', 'ann', '--yes'), /kicked 1 connection of ann/);

  assert.equal(await watched.ended, 0);
  assert.deepEqual(watched.lines, ['ann  online', 'ann  offline']);
  await seesStatus(ben, 'ann', 'offline');
  assert.match(await cluster.ctl('presence', 'get', 'ann'), /ann +offline +20/);
  const { entries } = await cluster.ctlJson('audit', 'list', '--user', 'ann');
  const kicks = entries.filter(({ act }) => act === 'connection.kick');
  assert.deepEqual(
    kicks.map(({ service, result }) => `${service} ${result}`),
    ['confabctl OK', 'confabctl OK'],
  );
});
