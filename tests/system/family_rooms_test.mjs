// family_rooms_test.mjs: clients that get confirmations and refusals as events, with numeric ids.
// Their documents: roomJoined, roomLeft, messageCreated, error; the token in auth, in the
// Authorization header or in the query, with Bearer or without.
import assert from 'node:assert/strict';

import { io } from 'socket.io-client';

import { all, connected, family, refused, told } from '../support/family.mjs';
import { scenario } from '../support/scenario.mjs';

const PAGE = 'http://localhost:3000';
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

// A token as theirs: the user's number and address.
const tokenOf = ({ cluster }, userId) =>
  cluster.token(undefined, { userId, email: `user${userId}@example.org` });

// What their clients write.
const open = ({ io, url }, accessToken) =>
  io(url, {
    auth: { token: `Bearer ${accessToken}` },
  });
const enter = (world, userId) => open(world, tokenOf(world, userId));

async function joined(world, userId, roomId) {
  const socket = enter(world, userId);
  socket.emit('joinRoom', { roomId });
  await told(socket, 'roomJoined');
  return socket;
}

family('rooms', { edge: { 'allowed-origins': PAGE } }, {
  'the example of the document': async (world) => {
    await world.cluster.createRoom('1', ['7']);
    const socket = enter(world, 7);

    socket.emit('joinRoom', { roomId: 1 });
    socket.emit('sendMessage', { roomId: 1, content: 'Hello!' });

    assert.deepEqual(await told(socket, 'roomJoined'), { roomId: 1 });
    const { id, messageId, createdAt, ...rest } = await told(socket, 'messageCreated');
    assert.deepEqual(rest, { roomId: 1, senderId: 7, userId: 7, content: 'Hello!' });
    assert.match(createdAt, TIME);
    const stored = (await world.cluster.roomLog('1')).at(-1);
    assert.deepEqual([stored.seq, stored.messageId], [id, messageId]);
    assert.deepEqual(all(socket, 'error'), []);
  },

  'two devices and another user hear the same, until they leave': async (world) => {
    await world.cluster.createRoom('2', ['7', '8']);
    const desk = await joined(world, 7, 2);
    const phone = await joined(world, 7, 2);
    const other = await joined(world, 8, 2);
    const said = (socket) => all(socket, 'messageCreated').map((m) => [m.id, m.userId, m.content]);
    const hears = (socket, content) => told(socket, 'messageCreated', (m) => m.content === content);

    for (let n = 1; n <= 10; ++n) {
      desk.emit('sendMessage', { roomId: 2, content: `desk ${n}` });
      other.emit('sendMessage', { roomId: 2, content: `other ${n}` });
    }
    for (const socket of [desk, phone, other]) {
      await hears(socket, 'desk 10');
      await hears(socket, 'other 10');
    }
    assert.equal(said(desk).length, 20);
    assert.deepEqual(said(phone), said(desk));
    assert.deepEqual(said(other), said(desk));

    phone.emit('leaveRoom', { roomId: 2 });
    assert.deepEqual(await told(phone, 'roomLeft'), { roomId: 2 });
    desk.emit('sendMessage', { roomId: 2, content: 'without the phone' });
    await hears(desk, 'without the phone');
    phone.emit('joinRoom', { roomId: 2 });
    phone.emit('sendMessage', { roomId: 2, content: 'back again' });
    await hears(phone, 'back again');
    assert.equal(said(phone).length, 21);
    // Confirmations are for who asked.
    assert.deepEqual(all(desk, 'roomLeft'), []);
    assert.equal(all(desk, 'roomJoined').length, 1);
  },

  'a refusal is an error event for its sender alone': async (world) => {
    await world.cluster.createRoom('3', ['7']);
    const member = await joined(world, 7, 3);
    const stranger = enter(world, 9);

    const refusals = [
      ['joinRoom', { roomId: 3 }, /not a member/],
      ['joinRoom', { roomId: 404 }, /no such room|not.* found|does not exist/i],
      ['sendMessage', { roomId: 3, content: 'let me in' }, /not a member/],
      ['sendMessage', { roomId: 3 }, /content is missing/],
      ['sendMessage', { roomId: 3, content: '' }, /content|1 to/],
      ['joinRoom', { roomId: 1.5 }, /roomId must be/],
      ['joinRoom', {}, /roomId is missing/],
      ['joinRoom', 'three', /object/],
      ['shout', { roomId: 3 }, /no event is named "shout"/],
    ];
    for (const [i, [event, payload, message]] of refusals.entries()) {
      stranger.emit(event, payload);
      await told(stranger, 'error', () => all(stranger, 'error').length === i + 1);
      const error = all(stranger, 'error').at(-1);
      assert.deepEqual(Object.keys(error), ['message']);
      assert.match(error.message, message);
    }
    member.emit('sendMessage', { roomId: 3, content: 'in peace' });
    await told(member, 'messageCreated');
    assert.deepEqual(member.heard.map(([name]) => name), ['roomJoined', 'messageCreated']);
    assert.deepEqual(stranger.heard.filter(([name]) => name !== 'error'), []);
  },

  'UUIDs and words are ids as well': async (world) => {
    const user = '6f2e5c1e-0b7a-4d59-9a53-0d3c4b1f2a10';
    for (const roomId of ['c1f6a0e2-93a4-4b53-8f5e-9a1f6b7d8e90', 'chat-123', 'game_42', '007']) {
      await world.cluster.createRoom(roomId, [user]);
      const socket = open(world, world.cluster.token(user));
      socket.emit('joinRoom', { roomId });
      socket.emit('sendMessage', { roomId, content: 'hi' });
      assert.deepEqual(await told(socket, 'roomJoined'), { roomId });
      const message = await told(socket, 'messageCreated');
      assert.deepEqual([message.roomId, message.userId, message.senderId], [roomId, user, user]);
    }
  },

  'the token comes in auth, in a header or in the query': async (world) => {
    await world.cluster.createRoom('4', ['7', '8']);
    const { io, url } = world;
    const token = tokenOf(world, 7);
    for (const options of [
      { auth: { token: `Bearer ${token}` } },
      { auth: { token } },
      { extraHeaders: { authorization: `Bearer ${token}` } },
      { query: { token } },
      { auth: { token }, query: { token: 'less than auth' } },
    ]) {
      const socket = io(url, options);
      socket.emit('joinRoom', { roomId: 4 });
      assert.deepEqual(await told(socket, 'roomJoined'), { roomId: 4 });
    }
  },

  'a bad token connects nobody': async (world) => {
    const { io, url, cluster } = world;
    for (const options of [
      {},
      { auth: { token: 'Bearer nonsense' } },
      { auth: { token: `Bearer ${cluster.token('7', { exp: 1 })}` } },
      { query: { token: 'nonsense' } },
    ]) {
      const socket = io(url, options);
      const error = await refused(socket);
      assert.match(error.data.reason, /^TOKEN_/);
      assert.equal(socket.connected, false);
    }
  },

  'pages of the configured origin may come, with credentials': async (world) => {
    const { io, url } = world;
    const socket = io(url, {
      auth: { token: `Bearer ${tokenOf(world, 7)}` },
      withCredentials: true,
      extraHeaders: { origin: PAGE }, // A browser's doing.
    });
    await connected(socket);

    const polling = `${url}/socket.io/?EIO=4&transport=polling`;
    for (const [method, status, address] of [
      ['GET', 200, polling],
      ['OPTIONS', 204, polling],
      ['POST', 400, `${polling}&sid=unknown`],
    ]) {
      const headers = { origin: PAGE, 'access-control-request-method': 'POST' };
      const answer = await fetch(address, { method, headers });
      assert.equal(answer.status, status);
      assert.equal(answer.headers.get('access-control-allow-origin'), PAGE);
      assert.equal(answer.headers.get('access-control-allow-credentials'), 'true');
    }
    const evil = await fetch(polling, { headers: { origin: 'http://evil.example' } });
    assert.equal(evil.status, 403);
    assert.equal(evil.headers.get('access-control-allow-origin'), null);
  },
});

scenario(
  'rooms: what cannot be stored is an error for its sender and nothing for others',
  { processes: 'two', edge: { dialect: 'rooms' } },
  async (cluster) => {
    await cluster.createRoom('5', ['7', '8']);
    const sockets = [7, 8].map((user) =>
      io(cluster.url, { auth: { token: cluster.token(String(user)) }, forceNew: true }),
    );
    cluster.closing.push(() => sockets.forEach((socket) => socket.disconnect()));
    for (const socket of sockets) {
      socket.heard = [];
      socket.onAny((...event) => socket.heard.push(event));
      socket.emit('joinRoom', { roomId: 5 });
      await told(socket, 'roomJoined');
    }
    const [sender, other] = sockets;

    await cluster.kill(cluster.control);
    sender.emit('sendMessage', { roomId: 5, content: 'lost' });
    assert.deepEqual(Object.keys(await told(sender, 'error')), ['message']);
    await cluster.restart(cluster.control);
    await cluster.awaitReady(cluster.edge);
    sender.emit('sendMessage', { roomId: 5, content: 'kept' });
    await told(other, 'messageCreated', (message) => message.content === 'kept');

    assert.deepEqual(all(other, 'messageCreated').map((message) => message.content), ['kept']);
    assert.equal(sender.connected && other.connected, true);
  },
);
