// family_acked_test.mjs: clients that ask by acks alone: joinRoom after POST /rooms/:roomId/join,
// sendMessage ACCEPTED or FAILED, a heartbeat every 20 s, several devices of one user.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';

import { HttpApi } from '../support/http_client.mjs';
import { acked, all, connected, family, refused, told } from '../support/family.mjs';

const FIELDS = 'clientMsgId content createdAt messageId roomId senderId type';

// What their clients write.
const open = ({ io, url }, token) => io(url, { auth: { token } });
const enter = (world, userId) => open(world, world.cluster.token(userId));

function send(socket, roomId, content, more = {}) {
  const clientMsgId = randomUUID();
  return acked(socket, 'sendMessage', { roomId, clientMsgId, type: 'TEXT', content, ...more });
}

// A public room, made by its owner over HTTP; its id is a UUID.
async function publicRoom(world, owner) {
  const api = await HttpApi.of(world.cluster);
  const { roomId } = await api.must('POST', '/v1/rooms', {
    user: owner,
    body: { visibility: 'public' },
  });
  assert.match(roomId, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  return { api, roomId };
}

family('acked', {}, {
  'first over HTTP, then joinRoom, then messages': async (world) => {
    const [ann, ben] = [randomUUID(), randomUUID()];
    const { api, roomId } = await publicRoom(world, ann);
    const owner = enter(world, ann);
    assert.deepEqual(await acked(owner, 'joinRoom', { roomId }), { success: true });

    const socket = enter(world, ben);
    await connected(socket);
    assert.deepEqual(await send(socket, roomId, 'too early', { clientMsgId: 'c-0' }), {
      clientMsgId: 'c-0',
      status: 'FAILED',
    });
    await api.must('POST', `/rooms/${roomId}/join`, { user: ben });
    assert.deepEqual(await acked(socket, 'joinRoom', { roomId }), { success: true });
    const clientMsgId = randomUUID();
    assert.deepEqual(await send(socket, roomId, 'hello', { clientMsgId }), {
      clientMsgId,
      status: 'ACCEPTED',
    });

    for (const listener of [owner, socket]) {
      const message = await told(listener, 'newMessage');
      assert.equal(Object.keys(message).sort().join(' '), FIELDS);
      const { roomId: room, senderId, type, content } = message;
      assert.deepEqual([room, senderId, type, content], [roomId, ben, 'TEXT', 'hello']);
      assert.equal(message.clientMsgId, clientMsgId);
      assert.equal(all(listener, 'newMessage').length, 1);
    }
  },

  'ACCEPTED is stored, and a retry is the same message': async (world) => {
    await world.cluster.createRoom('books', ['u-1', 'u-2']);
    const socket = enter(world, 'u-1');
    const other = enter(world, 'u-2');
    for (const listener of [socket, other]) {
      assert.deepEqual(await acked(listener, 'joinRoom', { roomId: 'books' }), { success: true });
    }
    const clientMsgId = randomUUID();
    const answers = await Promise.all(
      [1, 2, 3].map(() => send(socket, 'books', 'once', { clientMsgId })),
    );
    answers.push(await send(other, 'books', 'mine', { clientMsgId }));

    const accepted = { clientMsgId, status: 'ACCEPTED' };
    assert.deepEqual(answers, [accepted, accepted, accepted, accepted]);
    const stored = (await world.cluster.roomLog('books')).filter((e) => e.clientMsgId !== '');
    assert.deepEqual(stored.map((e) => [e.sender, e.content]), [['u-1', 'once'], ['u-2', 'mine']]);
    await told(socket, 'newMessage', (message) => message.content === 'mine');
    assert.equal(all(socket, 'newMessage').length, 2);
  },

  'a message of the wrong shape has FAILED': async (world) => {
    await world.cluster.createRoom('shapes', ['u-1']);
    const socket = enter(world, 'u-1');
    await acked(socket, 'joinRoom', { roomId: 'shapes' });
    const good = { roomId: 'shapes', clientMsgId: 'c-1', type: 'TEXT', content: 'x' };
    for (const [wrong, clientMsgId] of [
      [{ ...good, content: undefined }, 'c-1'],
      [{ ...good, content: '' }, 'c-1'],
      [{ ...good, content: 'x'.repeat(4001) }, 'c-1'],
      [{ ...good, content: 5 }, 'c-1'],
      [{ ...good, type: undefined }, 'c-1'],
      [{ ...good, type: 'system' }, 'c-1'],
      [{ ...good, roomId: undefined }, 'c-1'],
      [{ ...good, roomId: 1.5 }, 'c-1'],
      [{ ...good, roomId: 'elsewhere' }, 'c-1'],
      [{ ...good, clientMsgId: undefined }, null],
      [{ ...good, clientMsgId: 7 }, null],
      ['shapes', null],
    ]) {
      const answer = await acked(socket, 'sendMessage', wrong);
      assert.deepEqual(answer, { clientMsgId, status: 'FAILED' }, JSON.stringify(wrong));
    }
    assert.equal((await send(socket, 'shapes', 'well')).status, 'ACCEPTED');
    await told(socket, 'newMessage');
    const heard = socket.heard.map(([name, data]) => [name, data.content]);
    assert.deepEqual(heard, [['newMessage', 'well']]);
  },

  'joining is refused to who is no member, in its ack': async (world) => {
    await world.cluster.createRoom('closed', ['u-1']);
    const socket = enter(world, 'u-3');
    for (const [payload, error] of [
      [{ roomId: 'closed' }, /not a member/],
      [{ roomId: randomUUID() }, /./],
      [{}, /roomId is missing/],
    ]) {
      const answer = await acked(socket, 'joinRoom', payload);
      assert.equal(answer.success, false);
      assert.match(answer.error, error);
    }
    assert.equal((await acked(socket, 'leaveRoom', { roomId: 'closed' })).success, false);
    assert.deepEqual(socket.heard, []);
    // Whoever asks for no ack is told all the same.
    socket.emit('joinRoom', { roomId: 'closed' });
    assert.match((await told(socket, 'error')).message, /not a member/);
  },

  'the heartbeat is answered, with other events between': async (world) => {
    await world.cluster.createRoom('alive', ['u-1']);
    const socket = enter(world, 'u-1');
    for (let beat = 0; beat < 3; ++beat) {
      const [heartbeat, joined] = await Promise.all([
        acked(socket, 'heartbeat', {}),
        acked(socket, 'joinRoom', { roomId: 'alive' }),
      ]);
      assert.deepEqual([heartbeat, joined], [{ success: true }, { success: true }]);
    }
  },

  'devices of one user come and go apart': async (world) => {
    await world.cluster.createRoom('many', ['u-1', 'u-2']);
    const [desk, phone] = [enter(world, 'u-1'), enter(world, 'u-1')];
    const other = enter(world, 'u-2');
    for (const socket of [desk, phone, other]) await acked(socket, 'joinRoom', { roomId: 'many' });

    await send(desk, 'many', 'from the desk');
    for (const socket of [desk, phone, other]) await told(socket, 'newMessage');
    phone.disconnect();
    await send(other, 'many', 'to the desk alone');
    await told(desk, 'newMessage', ({ content }) => content === 'to the desk alone');
    assert.equal(all(phone, 'newMessage').length, 1);
    phone.connect();
    assert.deepEqual(await acked(phone, 'joinRoom', { roomId: 'many' }), { success: true });
    await send(desk, 'many', 'to both');
    await told(phone, 'newMessage', ({ content }) => content === 'to both');
  },

  'numbers and words are ids as well': async (world) => {
    for (const [roomId, user] of [[42, 7], ['chat-123', 'u-1']]) {
      await world.cluster.createRoom(String(roomId), [String(user)]);
      const socket = enter(world, user);
      assert.deepEqual(await acked(socket, 'joinRoom', { roomId }), { success: true });
      assert.equal((await send(socket, roomId, 'hi')).status, 'ACCEPTED');
      // Their ids are texts.
      const message = await told(socket, 'newMessage');
      assert.deepEqual([message.roomId, message.senderId], [String(roomId), String(user)]);
    }
  },

  'the token in auth or in the header; a bad one ends the connection': async (world) => {
    const { io, url, cluster } = world;
    const token = cluster.token('u-1');
    await connected(io(url, { extraHeaders: { Authorization: `Bearer ${token}` } }));
    for (const options of [{}, { auth: { token: 'nonsense' } }]) {
      const socket = io(url, options);
      assert.match((await refused(socket)).data.reason, /^TOKEN_/);
      assert.equal(socket.connected, false);
    }
  },
});
