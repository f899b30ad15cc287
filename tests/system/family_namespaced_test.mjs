// family_namespaced_test.mjs: clients whose events have a subject in front (chat:send), each acked
// {success}; a device in the query, a role in the token.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';

import { acked, all, connected, family, refused, told } from '../support/family.mjs';

const PAGE = 'https://front.example';
const DONE = { success: true };

const tokenOf = ({ cluster }, id) => cluster.token(id, { roleContextId: `role-of-${id}` });

// What their clients write.
const open = ({ io, url }, token, deviceId) => io(url, { auth: { token }, query: { deviceId } });
const enter = (world, id, deviceId = 'desk') => open(world, tokenOf(world, id), deviceId);

async function joined(world, id, chatId, deviceId) {
  const socket = enter(world, id, deviceId);
  assert.deepEqual(await acked(socket, 'chat:join', { chatId }), DONE);
  return socket;
}

// Names of events, but those of who comes and goes.
const said = (socket) =>
  socket.heard.map(([name]) => name).filter((name) => !name.startsWith('presence:'));

const hears = (socket, content) => told(socket, 'chat:message', (m) => m.content === content);

const settings = {
  edge: { 'allowed-origins': PAGE },
  control: { 'offline-delay': '300ms', 'presence-settle': '0s' },
};

family('namespaced', settings, {
  'the examples of the document': async (world) => {
    await world.cluster.createRoom('chat-123', ['u-1', 'u-2']);
    const socket = await joined(world, 'u-1', 'chat-123');
    const other = await joined(world, 'u-2', 'chat-123');

    const messages = [];
    other.on('chat:message', (message) => {
      messages.push(message);
    });
    socket.emit('chat:send', {
      chatId: 'chat-123',
      content: 'Привет!',
    });

    for (const listener of [socket, other]) {
      const { id, createdAt, ...rest } = await hears(listener, 'Привет!');
      assert.deepEqual(rest, { content: 'Привет!', senderId: 'u-1', chatId: 'chat-123' });
      assert.equal((await world.cluster.roomLog('chat-123')).at(-1).messageId, id);
      assert.ok(Date.parse(createdAt) > 0);
    }
    assert.equal(messages.length, 1);
  },

  'every event is acked with success': async (world) => {
    const chatId = randomUUID();
    await world.cluster.createRoom(chatId, ['u-1']);
    const socket = enter(world, 'u-1');
    assert.deepEqual(await acked(socket, 'chat:join', { chatId }), DONE);
    assert.deepEqual(await acked(socket, 'chat:send', { chatId, content: 'hi' }), DONE);
    assert.deepEqual(await acked(socket, 'presence:ping'), DONE);
    assert.deepEqual(await acked(socket, 'presence:ping', {}), DONE);
    assert.deepEqual(await acked(socket, 'chat:leave', { chatId }), DONE);
    assert.equal((await hears(socket, 'hi')).chatId, chatId);
  },

  'devices of one user each hear the chats that they joined': async (world) => {
    await world.cluster.createRoom('two', ['u-1', 'u-2']);
    await world.cluster.createRoom('three', ['u-1', 'u-2']);
    const desk = await joined(world, 'u-1', 'two', 'desk');
    const phone = await joined(world, 'u-1', 'two', 'phone');
    assert.deepEqual(await acked(phone, 'chat:join', { chatId: 'three' }), DONE);
    const other = await joined(world, 'u-2', 'two', 'desk');

    await acked(other, 'chat:send', { chatId: 'two', content: 'to both' });
    await acked(other, 'chat:send', { chatId: 'three', content: 'to the phone' });
    await hears(phone, 'to both');
    await hears(phone, 'to the phone');
    await hears(desk, 'to both');
    assert.deepEqual(await acked(phone, 'chat:leave', { chatId: 'two' }), DONE);
    await acked(other, 'chat:send', { chatId: 'two', content: 'to the desk' });
    await hears(desk, 'to the desk');
    await acked(phone, 'presence:ping'); // Behind whatever would have come.

    const messages = (socket) => all(socket, 'chat:message').map(({ content }) => content);
    assert.deepEqual(messages(desk), ['to both', 'to the desk']);
    assert.deepEqual(messages(phone), ['to both', 'to the phone']);
    assert.deepEqual(messages(other), ['to both', 'to the desk']);
  },

  'who types is told to the others of the chat, until it is over': async (world) => {
    await world.cluster.createRoom('typed', ['u-1', 'u-2']);
    const socket = await joined(world, 'u-1', 'typed');
    const other = await joined(world, 'u-2', 'typed');

    const isTyping = { chatId: 'typed', isTyping: true };
    assert.deepEqual(await acked(socket, 'chat:typing', isTyping), DONE);
    await told(other, 'chat:typing', (t) => t.isTyping);
    assert.deepEqual(await acked(socket, 'chat:typing', { ...isTyping, isTyping: false }), DONE);
    await told(other, 'chat:typing', (t) => !t.isTyping);

    assert.deepEqual(all(other, 'chat:typing'), [
      { userId: 'u-1', isTyping: true },
      { userId: 'u-1', isTyping: false },
    ]);
    assert.deepEqual(all(socket, 'chat:typing'), []);
    const stranger = enter(world, 'u-9');
    assert.equal((await acked(stranger, 'chat:typing', isTyping)).reason, 'NOT_A_MEMBER');
  },

  'who shares a chat is told who is online, who comes and who goes': async (world) => {
    await world.cluster.createRoom('seen', ['p-1', 'p-2']);
    const socket = enter(world, 'p-1');
    await told(socket, 'presence:bulk-online', ({ userIds }) => userIds.length === 0);

    const other = enter(world, 'p-2');
    await told(other, 'presence:bulk-online', ({ userIds }) => userIds.includes('p-1'));
    await told(socket, 'presence:online', ({ userId }) => userId === 'p-2');
    other.disconnect();

    await told(socket, 'presence:offline', ({ userId }) => userId === 'p-2');
    assert.equal(all(socket, 'presence:online').length, 1);
    assert.equal(all(socket, 'presence:offline').length, 1);
  },

  'a join is checked for membership': async (world) => {
    await world.cluster.createRoom('four', ['u-1']);
    const member = await joined(world, 'u-1', 'four');
    const stranger = enter(world, 'u-9');
    for (const [event, payload, reason] of [
      ['chat:join', { chatId: 'four' }, 'NOT_A_MEMBER'],
      ['chat:send', { chatId: 'four', content: 'let me in' }, 'NOT_A_MEMBER'],
      ['chat:join', { chatId: 'nowhere' }, 'ROOM_NOT_FOUND'],
      ['chat:join', {}, 'BAD_REQUEST'],
      ['chat:send', { chatId: 'four' }, 'BAD_REQUEST'],
      ['chat:send', { chatId: 'four', content: 5 }, 'BAD_REQUEST'],
      ['chat:shout', { chatId: 'four' }, 'UNKNOWN_COMMAND'],
    ]) {
      const answer = await acked(stranger, event, payload);
      assert.equal(answer.success, false);
      assert.equal(answer.reason, reason, JSON.stringify(answer));
      assert.equal(typeof answer.error, 'string');
    }
    assert.deepEqual(said(stranger), []);
    // The document's own examples ask for no ack: the client is told all the same.
    stranger.emit('chat:send', { chatId: 'four', content: 'let me in' });
    assert.match((await told(stranger, 'error')).message, /not a member/);

    await acked(member, 'chat:send', { chatId: 'four', content: 'alone' });
    await hears(member, 'alone');
    assert.deepEqual(said(stranger), ['error']);
  },

  'numbers are ids as well': async (world) => {
    await world.cluster.createRoom('5', ['7']);
    const socket = await joined(world, 7, 5);
    await acked(socket, 'chat:send', { chatId: 5, content: 'hi' });
    const message = await hears(socket, 'hi');
    assert.deepEqual([message.chatId, message.senderId], ['5', '7']);
  },

  'without a user nobody connects; a device has a name that can be printed': async (world) => {
    const { io, url } = world;
    for (const options of [{ query: { deviceId: 'desk' } }, { auth: { token: 'nonsense' } }]) {
      assert.match((await refused(io(url, options))).data.reason, /^TOKEN_/);
    }
    const odd = await refused(enter(world, 'u-1', 'a\nb'));
    assert.equal(odd.data.reason, 'BAD_REQUEST');
    await connected(enter(world, 'u-1', "le téléphone d'Anne (2)"));
  },

  'pages of the configured origin may come, with credentials': async ({ url }) => {
    const polling = `${url}/socket.io/?EIO=4&transport=polling`;
    const answer = await fetch(polling, { headers: { origin: PAGE } });
    assert.equal(answer.headers.get('access-control-allow-origin'), PAGE);
    assert.equal(answer.headers.get('access-control-allow-credentials'), 'true');
  },
});
