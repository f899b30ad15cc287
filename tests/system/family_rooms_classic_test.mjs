// family_rooms_classic_test.mjs: clients whose newMessage carries its sender as an object, with
// joinedRoom, leftRoom and error; the token in auth or in the query, CORS with credentials.
import assert from 'node:assert/strict';

import { all, connected, family, refused, told } from '../support/family.mjs';

const PAGE = 'http://localhost:3000';

// Claims as theirs: the user is `id`, a number.
const tokenOf = ({ cluster }, id, claims = {}) =>
  cluster.token(undefined, { id, email: `user${id}@example.org`, name: `User ${id}`, ...claims });

// What their clients write.
const open = ({ io, url }, token) => io(url, { auth: { token: `Bearer ${token}` } });
const enter = (world, id) => open(world, tokenOf(world, id));

async function joined(world, id, roomId) {
  const socket = enter(world, id);
  socket.emit('joinRoom', { roomId });
  await told(socket, 'joinedRoom');
  return socket;
}

family('rooms-classic', { edge: { 'allowed-origins': PAGE } }, {
  'a message carries its sender as a user': async (world) => {
    await world.cluster.createRoom('1', ['7', '8']);
    const reader = await joined(world, 8, 1);
    const socket = enter(world, 7);

    socket.emit('joinRoom', { roomId: 1 });
    socket.emit('sendMessage', { roomId: 1, content: 'Hello!' });

    assert.deepEqual(await told(socket, 'joinedRoom'), { roomId: 1 });
    for (const listener of [socket, reader]) {
      const { id, messageId, createdAt, ...rest } = await told(listener, 'newMessage');
      assert.deepEqual(rest, {
        roomId: 1,
        senderId: 7,
        userId: 7,
        content: 'Hello!',
        user: { id: 7, email: 'user7@example.org', name: 'User 7' },
      });
      const stored = (await world.cluster.roomLog('1')).at(-1);
      assert.deepEqual([stored.seq, stored.messageId], [id, messageId]);
      assert.ok(Date.parse(createdAt) > 0);
    }
  },

  'two devices hear the same; leaving ends it for the one that left': async (world) => {
    await world.cluster.createRoom('2', ['7', '8']);
    const desk = await joined(world, 7, 2);
    const phone = await joined(world, 7, 2);
    const other = await joined(world, 8, 2);
    const said = (socket) => all(socket, 'newMessage').map((m) => [m.id, m.user.id, m.content]);
    const hears = (socket, content) => told(socket, 'newMessage', (m) => m.content === content);

    for (let n = 1; n <= 10; ++n) {
      phone.emit('sendMessage', { roomId: 2, content: `phone ${n}` });
      other.emit('sendMessage', { roomId: 2, content: `other ${n}` });
    }
    for (const socket of [desk, phone, other]) {
      await hears(socket, 'phone 10');
      await hears(socket, 'other 10');
    }
    assert.equal(said(desk).length, 20);
    assert.deepEqual(said(phone), said(desk));
    assert.deepEqual(said(other), said(desk));

    phone.emit('leaveRoom', { roomId: 2 });
    assert.deepEqual(await told(phone, 'leftRoom'), { roomId: 2 });
    other.emit('sendMessage', { roomId: 2, content: 'is the phone gone?' });
    await hears(desk, 'is the phone gone?');
    // It may still send, being a member; its own message comes to who listens.
    phone.emit('sendMessage', { roomId: 2, content: 'yes' });
    await hears(desk, 'yes');
    phone.emit('shout', {});
    await told(phone, 'error'); // Behind whatever would have come.
    assert.equal(said(phone).length, 20);
    assert.deepEqual(all(desk, 'leftRoom'), []);
  },

  'a refusal is an error event, by which the sender may try again': async (world) => {
    await world.cluster.createRoom('3', ['7']);
    const member = await joined(world, 7, 3);
    const stranger = enter(world, 9);

    for (const [i, [event, payload, message]] of [
      ['joinRoom', { roomId: 3 }, /not a member/],
      ['sendMessage', { roomId: 3, content: 'let me in' }, /not a member/],
      ['sendMessage', { roomId: '3' }, /content is missing/],
      ['leaveRoom', {}, /roomId is missing/],
    ].entries()) {
      stranger.emit(event, payload);
      await told(stranger, 'error', () => all(stranger, 'error').length === i + 1);
      const error = all(stranger, 'error').at(-1);
      assert.deepEqual(Object.keys(error), ['message']);
      assert.match(error.message, message);
    }
    await world.cluster.ctl('member', 'add', '3', '9');
    stranger.emit('joinRoom', { roomId: 3 });
    assert.deepEqual(await told(stranger, 'joinedRoom'), { roomId: 3 });
    stranger.emit('sendMessage', { roomId: 3, content: 'in now' });
    await told(member, 'newMessage', (message) => message.user.id === 9);
    assert.deepEqual(all(member, 'error'), []);
  },

  'UUIDs and words are ids as well; who has no address has none': async (world) => {
    const user = '6f2e5c1e-0b7a-4d59-9a53-0d3c4b1f2a10';
    for (const roomId of ['c1f6a0e2-93a4-4b53-8f5e-9a1f6b7d8e90', 'general']) {
      await world.cluster.createRoom(roomId, [user]);
      const socket = open(world, world.cluster.token(user, { name: 'Ann' }));
      socket.emit('joinRoom', { roomId });
      socket.emit('sendMessage', { roomId, content: 'hi' });
      assert.deepEqual(await told(socket, 'joinedRoom'), { roomId });
      const message = await told(socket, 'newMessage');
      assert.equal(message.roomId, roomId);
      assert.deepEqual(message.user, { id: user, email: null, name: 'Ann' });
    }
  },

  'the token in auth or in the query; without a good one nobody connects': async (world) => {
    const { io, url } = world;
    const token = tokenOf(world, 7);
    await connected(io(url, { query: { token } }));
    await connected(io(url, { query: { token: `Bearer ${token}` } }));
    for (const options of [{}, { auth: { token: `Bearer ${tokenOf(world, 7, { exp: 1 })}` } }]) {
      assert.match((await refused(io(url, options))).data.reason, /^TOKEN_/);
    }
  },

  'pages of the configured origin may come, with credentials': async ({ url }) => {
    const polling = `${url}/socket.io/?EIO=4&transport=polling`;
    const answer = await fetch(polling, { headers: { origin: PAGE } });
    assert.equal(answer.headers.get('access-control-allow-origin'), PAGE);
    assert.equal(answer.headers.get('access-control-allow-credentials'), 'true');
  },
});
