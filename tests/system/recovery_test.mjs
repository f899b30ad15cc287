// recovery_test.mjs: Socket.IO's connection state recovery at one edge, with the stock client: whoever
// loses the network has its session back with all that it missed, each event once and in order, without
// a line of its own; where that cannot be, `recovered` is false. Who does not have it switched on sees
// nothing of it.
import assert from 'node:assert/strict';
import fs from 'node:fs';

import { io } from 'socket.io-client';

import { ChatClient } from '../support/chat_client.mjs';
import { scaled } from '../support/cluster.mjs';
import { scenario } from '../support/scenario.mjs';
import { until } from '../support/until.mjs';

const BACK_MS = 30_000;
const ON = { edge: { recovery: 'confab' } };

const seqsOf = (client, room) => client.logged(room).map(({ seq }) => seq);
const numbers = (first, last) => Array.from({ length: last - first + 1 }, (_, i) => first + i);

// A member of the room, behind whatever `cluster` is seen through.
async function member(cluster, user, room, options) {
  const client = await ChatClient.connected(cluster, user, options);
  const { lastSeq } = await client.join(room);
  client.joinedAt = lastSeq;
  client.returns = []; // {recovered, id} of each time it came back.
  client.isLive = true; // It hears of messages as they are sent, and has all before.
  client.socket.on('connect', () => {
    client.isLive = false;
    client.returns.push({ recovered: client.socket.recovered, id: client.socket.id });
  });
  client.socket.onAny((name, payload, offset) => {
    client.isLive ||= name === 'newMessage' && isOfAll(offset);
  });
  return client;
}

// What is read from the log for one client alone has a number of its own in the low bits.
function isOfAll(offset) {
  return BigInt(offset.slice(offset.lastIndexOf('.') + 1)) % (1n << 20n) === 0n;
}

const comesBack = (client, times) =>
  until(`${client.user} is back`, () => client.returns.length >= times, BACK_MS);

// Everything of the room behind its join, once and in order.
async function hasAll(client, room, last) {
  await until(
    `${client.user} has everything`,
    () => seqsOf(client, room).length >= last - client.joinedAt,
    BACK_MS,
    () => `${seqsOf(client, room)}`,
  );
  assert.deepEqual(seqsOf(client, room), numbers(client.joinedAt + 1, last));
}

// Sends until it is told to end; what the log has come to then.
function sendOn(client, room) {
  let isOver = false;
  let last = 0;
  const ended = (async () => {
    for (let i = 0; !isOver; ++i) last = (await client.send(room, `message ${i}`)).seq;
  })();
  return {
    end: async () => {
      isOver = true;
      await ended;
      return last;
    },
  };
}

scenario('a client that loses the network has its session back', ON, async (cluster) => {
  await cluster.createRoom('den', ['ann', 'ben']);
  const away = await cluster.behindProxy();
  const ann = await member(cluster, 'ann', 'den');
  const ben = await member(away, 'ben', 'den');
  const { id } = ben.socket;
  await ann.send('den', 'before');
  await ben.seesContent('den', 'before');

  const sending = sendOn(ann, 'den');
  for (let times = 1; times <= scaled(10, 3); ++times) {
    away.proxy.refuse();
    if (times % 2) away.proxy.reset();
    else away.proxy.cut();
    const missed = ann.messages('den').length + 20;
    await until('others talk on', () => ann.messages('den').length >= missed);
    away.proxy.calm();
    await comesBack(ben, times);
    await until('it hears what is live again', () => ben.isLive, BACK_MS);
  }
  const last = await sending.end();

  await hasAll(ben, 'den', last);
  for (const back of ben.returns) assert.deepEqual(back, { recovered: true, id });
  const told = ben.events.map(({ name }) => name);
  assert.equal(told.filter((name) => name === 'connected').length, 1);
  assert.ok(!told.includes('error') && !told.includes('resync'), `${new Set(told)}`);
  await ben.send('den', 'I am here');
  await ann.seesContent('den', 'I am here');
  const { text } = await cluster.ops(cluster.edge, '/metrics');
  const count = /confab_edge_recoveries_total\{result="recovered"\} (\d+)/.exec(text);
  assert.equal(Number(count?.[1]), ben.returns.length);
});

scenario('back before anybody noticed, also by polling', ON, async (cluster) => {
  await cluster.createRoom('den', ['ann', 'ben', 'cleo']);
  const ann = await member(cluster, 'ann', 'den');
  const clients = [];
  for (const [user, transports] of [['ben', ['websocket']], ['cleo', ['polling']]]) {
    const away = await cluster.behindProxy();
    const client = await member(away, user, 'den', { transports });
    clients.push({ client, away, id: client.socket.id });
  }
  const sending = sendOn(ann, 'den');
  for (const { client, away } of clients) {
    await until('it hears', () => client.messages('den').length > 5);
    away.proxy.stall(); // The news that it has gone does not come through.
    client.socket.io.uri = cluster.url;
    client.socket.io.engine.close();
    await comesBack(client, 1);
  }
  const last = await sending.end();

  for (const { client, id } of clients) {
    await hasAll(client, 'den', last);
    assert.deepEqual(client.returns, [{ recovered: true, id }]);
  }
});

scenario('a hundred clients at once', { ...ON, limitMs: 200_000 }, async (cluster) => {
  const count = scaled(100, 20);
  const users = numbers(1, count).map((n) => `user-${n}`);
  await cluster.createRoom('den', ['ann', ...users]);
  const away = await cluster.behindProxy();
  const ann = await member(cluster, 'ann', 'den');
  const clients = await Promise.all(users.map((user) => member(away, user, 'den')));
  await ann.send('den', 'before');
  await Promise.all(clients.map((client) => client.seesContent('den', 'before', BACK_MS)));

  away.proxy.refuse();
  away.proxy.reset();
  await until('all are away', () => clients.every(({ socket }) => !socket.connected));
  let last = 0;
  for (let i = 0; i < 50; ++i) last = (await ann.send('den', `missed ${i}`)).seq;
  away.proxy.calm();
  await Promise.all(clients.map((client) => comesBack(client, 1)));

  for (const client of clients) {
    await hasAll(client, 'den', last);
    assert.equal(client.returns[0].recovered, true, client.user);
  }
});

scenario('rooms that it left, or was removed from, while it was away', ON, async (cluster) => {
  for (const room of ['den', 'hall', 'yard']) await cluster.createRoom(room, ['ann', 'ben']);
  const away = await cluster.behindProxy();
  const ann = await member(cluster, 'ann', 'den');
  const ben = await member(away, 'ben', 'den');
  for (const room of ['hall', 'yard']) {
    await ann.join(room);
    await ben.join(room);
  }
  await ben.must('leaveRoom', { roomId: 'yard' });
  await ann.send('den', 'before');
  await ben.seesContent('den', 'before');

  away.proxy.refuse();
  away.proxy.reset();
  await until('ben is away', () => !ben.socket.connected);
  await cluster.ctl('member', 'remove', 'hall', 'ben');
  for (const room of ['den', 'hall', 'yard']) await ann.send(room, 'after');
  away.proxy.calm();
  await comesBack(ben, 1);

  assert.equal(ben.returns[0].recovered, true);
  await ben.seesContent('den', 'after');
  const isRefusal = ({ name, reason }) => name === 'error' && reason === 'NOT_A_MEMBER';
  await ben.sees('that it is out of the hall', isRefusal);
  assert.deepEqual(ben.messages('hall'), []);
  assert.deepEqual(ben.messages('yard'), []);
});

const SHORT = { edge: { ...ON.edge, 'recovery-time': '3s' } };
scenario('nothing is had back too late, after an end for good, by another user', SHORT, async (cluster) => {
  await cluster.createRoom('den', ['ann', 'ben']);
  const ben = await member(cluster, 'ben', 'den', { reconnection: false });
  const lose = async () => {
    const { id } = ben.socket;
    ben.socket.io.engine.close();
    await until('ben is away', () => !ben.socket.connected);
    return id;
  };
  const lost = () => cluster.metric(cluster.edge, 'confab_edge_lost_sessions');

  let id = await lose();
  await until('its session is kept', async () => (await lost()) === 1);
  await until('its session is forgotten', async () => (await lost()) === 0);
  ben.socket.connect();
  await comesBack(ben, 1);
  assert.equal(ben.returns[0].recovered, false);
  assert.notEqual(ben.returns[0].id, id);

  id = ben.socket.id;
  ben.socket.disconnect();
  ben.socket.connect();
  await comesBack(ben, 2);
  assert.equal(ben.returns[1].recovered, false);
  assert.notEqual(ben.returns[1].id, id);

  id = await lose();
  ben.socket.auth = { token: cluster.token('ann') };
  ben.socket.connect();
  await comesBack(ben, 3);
  assert.equal(ben.returns[2].recovered, false);
  assert.notEqual(ben.returns[2].id, id);
});

// The page of docs/recovery.md, as it stands there.
function openPage(cluster, user, rooms) {
  const text = fs.readFileSync(new URL('../../docs/recovery.md', import.meta.url), 'utf8');
  const code = /```js\n(.*?)```/s.exec(text)[1];
  const page = { shown: [] };
  const run = new Function('io', 'url', 'token', 'rooms', 'show', `${code}\nreturn socket;`);
  page.socket = run(io, cluster.url, cluster.token(user), rooms, (one) => page.shown.push(one.seq));
  cluster.closing.push(() => page.socket.disconnect());
  return page;
}

scenario('the page of the documents lacks nothing, recovered or not', ON, async (cluster) => {
  await cluster.createRoom('den', ['ann', 'ben']);
  const away = await cluster.behindProxy();
  const ann = await member(cluster, 'ann', 'den');
  const page = openPage(away, 'ben', ['den']);
  const sendAndSee = async (content) => {
    const { seq } = await ann.send('den', content);
    await until(`${content} is shown`, () => page.shown.at(-1) === seq, BACK_MS);
    return seq;
  };
  await until('the page is there', () => page.socket.connected, BACK_MS);
  // Its first join is under way: what is sent before that is over, it does not show.
  await until('it shows what is said', async () => {
    await ann.send('den', 'anybody here?');
    return page.shown.length > 0;
  });
  await sendAndSee('first');

  away.proxy.refuse();
  away.proxy.reset();
  await until('the page is away', () => !page.socket.connected);
  await ann.send('den', 'missed');
  away.proxy.calm();
  await sendAndSee('second');
  assert.equal(page.socket.recovered, true);

  await cluster.kill(cluster.edge);
  await cluster.restart(cluster.edge);
  await until('both are back', () => ann.socket.connected && page.socket.connected, BACK_MS);
  const last = await sendAndSee('third');
  assert.equal(page.socket.recovered, false);
  assert.deepEqual(page.shown, numbers(page.shown[0], last));
});

scenario('whoever has it not switched on sees nothing of it', ON, async (cluster) => {
  await cluster.createRoom('7', ['ann', 'ben']);
  const args = { confab: [], rooms: [] };
  const open = async (user, dialect) => {
    const client = await ChatClient.connected(cluster, user, { query: { dialect } });
    client.socket.onAny((name, ...more) => args[dialect].push({ name, more }));
    return client;
  };
  const ann = await open('ann', 'confab');
  const ben = await open('ben', 'rooms');
  await ann.join('7');
  ben.socket.emit('joinRoom', { roomId: 7 });
  await ben.sees('its room', (event) => event.name === 'roomJoined');
  await ann.send('7', 'hello');
  await ben.sees('the message', (event) => event.content === 'hello');
  await ann.seesContent('7', 'hello');

  for (const { name, more } of args.rooms) assert.equal(more.length, 1, name);
  for (const { name, more } of args.confab) {
    assert.equal(more.length, 2, name);
    assert.match(more[1], /^.+\.\d+\.\d+$/, name);
  }
  ben.socket.io.engine.close();
  await until('ben is back', () => ben.disconnects.length === 1 && ben.socket.connected);
  assert.ok(!ben.socket.recovered); // Undefined in a client that was never given a pid.
});
