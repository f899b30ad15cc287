// namespaces_test.mjs: what the stock client does with namespaces, acks and binary: each namespace a
// connection of its own on one socket, refusals that end what they name and nothing else.
import assert from 'node:assert/strict';

import { Manager } from 'socket.io-client';

import { scenario } from '../support/scenario.mjs';
import { until } from '../support/until.mjs';

const ACK_MS = 10_000;
const edge = { namespaces: '/,/game' };

// One Engine.IO session; its namespaces are opened by socket(name, auth).
function open(cluster, query = {}) {
  const manager = new Manager(cluster.url, { transports: ['websocket'], forceNew: true, query });
  cluster.closing.push(() => manager._close());
  return manager;
}

async function joined(manager, name, auth) {
  const socket = manager.socket(name, { auth });
  socket.heard = [];
  socket.onAny((event, payload) => socket.heard.push({ event, ...payload }));
  await until(`${name} is joined`, () => socket.connected);
  return socket;
}

async function refused(manager, name, auth) {
  const socket = manager.socket(name, { auth });
  let refusal = null;
  socket.on('connect_error', (error) => (refusal = error));
  await until(`${name} is refused`, () => refusal !== null);
  assert.equal(socket.active, false, 'the client would try again');
  return refusal;
}

const ask = (socket, ...event) => socket.timeout(ACK_MS).emitWithAck(...event);

scenario('namespaces of one socket live and end apart', { edge }, async (cluster) => {
  await cluster.createRoom('den', ['ann', 'ben']);
  const manager = open(cluster);
  const main = await joined(manager, '/', { token: cluster.token('ann') });
  const game = await joined(manager, '/game', { token: cluster.token('ben') });
  assert.notEqual(main.id, game.id);

  assert.equal((await ask(game, 'joinRoom', { roomId: 'den' })).ok, true);
  assert.equal((await ask(main, 'sendMessage', { roomId: 'den', content: 'one' })).ok, true);
  await until('the game hears it', () => game.heard.some((e) => e.content === 'one'));
  assert.equal(
    main.heard.some((e) => e.event === 'newMessage'),
    false,
    'only the game has joined the room',
  );

  game.disconnect();
  assert.equal((await ask(main, 'joinRoom', { roomId: 'den' })).ok, true);
  assert.equal((await ask(main, 'sendMessage', { roomId: 'den', content: 'two' })).ok, true);
  await until('main hears it', () => main.heard.some((e) => e.content === 'two'));
  assert.equal(main.connected, true);

  game.connect();
  await until('the game is joined again', () => game.connected);
});

scenario('refused namespaces leave the others alone', { edge }, async (cluster) => {
  const manager = open(cluster);
  const main = await joined(manager, '/', { token: cluster.token('ann') });

  assert.equal((await refused(manager, '/none', {})).message, 'Invalid namespace');
  const error = await refused(manager, '/game', { token: 'rubbish' });
  assert.equal(error.data.reason, 'TOKEN_INVALID');
  assert.equal(error.data.retryable, false);

  assert.equal((await ask(main, 'launchMissiles', {})).error.reason, 'UNKNOWN_COMMAND');
});

scenario('a dialect is chosen by auth, then by the query', { edge }, async (cluster) => {
  const token = cluster.token('ann');
  await joined(open(cluster, { dialect: 'klingon' }), '/', { token, dialect: 'confab' });
  await joined(open(cluster, { dialect: 'confab' }), '/', { token });
  for (const [query, auth] of [
    [{ dialect: 'klingon' }, { token }],
    [{}, { token, dialect: 'klingon' }],
  ]) {
    const error = await refused(open(cluster, query), '/', auth);
    assert.equal(error.data.reason, 'BAD_REQUEST');
    assert.match(error.message, /no such dialect; there is: .*confab/);
  }
});

scenario('binary is refused on its event, and the socket goes on', { edge }, async (cluster) => {
  await cluster.createRoom('den', ['ann']);
  const socket = await joined(open(cluster), '/', { token: cluster.token('ann') });

  const content = Buffer.from([1, 2, 3]);
  const ack = await ask(socket, 'sendMessage', { roomId: 'den', content }, Buffer.alloc(1000));
  assert.equal(ack.error.reason, 'BAD_REQUEST');
  assert.match(ack.error.message, /takes no binary/);
  socket.emit('sendMessage', { roomId: 'den', content });
  await until('the error event', () => socket.heard.some((e) => e.event === 'error'));

  assert.equal((await ask(socket, 'sendMessage', { roomId: 'den', content: 'text' })).ok, true);
});
