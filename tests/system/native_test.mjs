// native_test.mjs: the native protocols, JSON and binary, beside a stock client in the same room.
import assert from 'node:assert/strict';

import { ChatClient } from '../support/chat_client.mjs';
import { at, encode } from '../support/proto_wire.mjs';
import { RawSocket } from '../support/raw_socket.mjs';
import { scenario } from '../support/scenario.mjs';

const JSON_PROTOCOL = 'confab.v1.json';
const BINARY_PROTOCOL = 'confab.v1.proto';

async function openJson(cluster, user, options = {}) {
  const raw = new RawSocket(cluster, '/', { protocols: [JSON_PROTOCOL], ...options });
  await raw.opened();
  assert.equal(raw.ws.protocol, JSON_PROTOCOL);
  let request = 0;
  raw.say = (frame) => raw.ws.send(JSON.stringify(frame));
  raw.hears = async (what, match) =>
    JSON.parse(await raw.sees(what, (text) => match(JSON.parse(text))));
  raw.ask = async (frame) => {
    const mine = String(++request);
    raw.say({ request: mine, ...frame });
    return (
      await raw.hears(`the reply to ${JSON.stringify(frame)}`, (f) => f.reply?.request === mine)
    ).reply;
  };
  return raw;
}

scenario('native JSON: connect, join, post, history, and events of others', {}, async (cluster) => {
  await cluster.createRoom('den', ['ann', 'ben']);
  const ben = await ChatClient.connected(cluster, 'ben');
  await ben.join('den');
  const ann = await openJson(cluster, 'ann');

  ann.say({ request: '99', connect: { token: cluster.token('ann') } });
  const { connected } = await ann.hears('connected', (frame) => frame.connected);
  const { joinRoom } = await ann.ask({ joinRoom: { roomId: 'den' } });
  const { postMessage } = await ann.ask({
    postMessage: { roomId: 'den', content: 'from native', clientMsgId: 'n-1' },
  });
  const seen = await ben.seesContent('den', 'from native');
  await ben.send('den', 'from the stock client');
  const { event } = await ann.hears(
    'the event',
    (frame) => frame.event?.messagePosted?.content === 'from the stock client',
  );
  const { history } = await ann.ask({ getHistory: { roomId: 'den', limit: 2 } });
  const refused = await ann.ask({ joinRoom: { roomId: 'vault' } });
  const left = await ann.ask({ leaveRoom: { roomId: 'den' } });

  assert.deepEqual(connected.user, { id: 'ann', name: 'Name of ann' });
  assert.deepEqual(joinRoom, { roomId: 'den', role: 'ROLE_MEMBER', lastSeq: '2' });
  assert.equal(postMessage.seq, '3');
  assert.equal(postMessage.messageId, seen.messageId);
  assert.equal(seen.clientMsgId, 'n-1');
  assert.equal(event.roomId, 'den');
  assert.equal(event.seq, '4');
  assert.deepEqual(event.actor, { id: 'ben', name: 'Name of ben' });
  assert.deepEqual(
    history.events.map((e) => e.messagePosted.content),
    ['from native', 'from the stock client'],
  );
  assert.ok(
    ['REASON_NOT_A_MEMBER', 'REASON_ROOM_NOT_FOUND'].includes(refused.error.reason),
    JSON.stringify(refused),
  );
  assert.equal(left.leaveRoom.roomId, 'den');
});

scenario(
  'native JSON: the token may come with the upgrade; bad frames are answered or close',
  {},
  async (cluster) => {
    await cluster.createRoom('den', ['ann']);
    const headers = { authorization: `Bearer ${cluster.token('ann')}` };
    const ann = await openJson(cluster, 'ann', { headers });
    await ann.hears('connected', (frame) => frame.connected);
    assert.equal((await ann.ask({ joinRoom: { roomId: 'den' } })).joinRoom.roomId, 'den');
    assert.equal(
      (await ann.ask({ postMessage: { roomId: 'den' } })).error.reason,
      'REASON_CONTENT_SIZE',
    );

    const eve = await openJson(cluster, 'eve');
    eve.say({ connect: { token: 'bad' } });
    const { closing } = await eve.hears('closing', (frame) => frame.closing);
    const { code } = await eve.isClosed();

    assert.equal(closing.error.reason, 'REASON_TOKEN_INVALID');
    assert.equal(closing.code, code);
    assert.ok(code >= 4500 && code < 5000, `closed with ${code}`);
  },
);

// Field numbers of client.proto and types.proto.
const UP = { request: 1, connect: 2, joinRoom: 3, postMessage: 5 };
const DOWN = { connected: 1, reply: 2, event: 3, closing: 4 };
const REPLY = { request: 1, error: 2, joinRoom: 3, postMessage: 5 };
const EVENT = { seq: 2, messagePosted: 10 };

scenario('native binary: connect, join, post, and events of others', {}, async (cluster) => {
  await cluster.createRoom('den', ['ann', 'ben']);
  const ben = await ChatClient.connected(cluster, 'ben');
  await ben.join('den');
  const ann = new RawSocket(cluster, '/', { protocols: [BINARY_PROTOCOL] });
  await ann.opened();
  assert.equal(ann.ws.protocol, BINARY_PROTOCOL);

  ann.ws.send(encode([[UP.connect, [[1, cluster.token('ann')]]]]));
  await ann.sees('connected', (frame) => at(frame, DOWN.connected));
  ann.ws.send(
    encode([
      [UP.request, 1],
      [UP.joinRoom, [[1, 'den']]],
    ]),
  );
  const joined = await ann.sees('joined', (frame) => at(frame, DOWN.reply, REPLY.request) === 1n);
  ann.ws.send(
    encode([
      [UP.request, 2],
      [
        UP.postMessage,
        [
          [1, 'den'],
          [2, 'in bytes: 漢 🦜'],
          [3, 'b-1'],
        ],
      ],
    ]),
  );
  const posted = await ann.sees('posted', (frame) => at(frame, DOWN.reply, REPLY.request) === 2n);
  const seen = await ben.seesContent('den', 'in bytes: 漢 🦜');
  await ben.send('den', 'back');
  const event = await ann.sees(
    'the event',
    (frame) => at(frame, DOWN.event, EVENT.messagePosted, 4)?.toString() === 'back',
  );
  // A string that is no UTF-8 is no valid frame.
  ann.ws.send(
    encode([
      [UP.request, 3],
      [
        UP.postMessage,
        [
          [1, 'den'],
          [2, Buffer.from([0xff, 0xfe])],
        ],
      ],
    ]),
  );

  assert.equal(at(joined, DOWN.reply, REPLY.joinRoom, 3), 2n);
  assert.equal(at(posted, DOWN.reply, REPLY.postMessage, 1).toString(), seen.messageId);
  assert.equal(at(posted, DOWN.reply, REPLY.postMessage, 2), 3n);
  assert.equal(at(event, DOWN.event, EVENT.seq), 4n);
  await ann
    .sees(
      'a refusal or the end',
      (frame) => at(frame, DOWN.reply, REPLY.error) ?? at(frame, DOWN.closing),
    )
    .catch((error) => assert.match(error.message, /closed before/));
  await ben.send('den', 'unharmed');
  assert.deepEqual(ben.disconnects, []);
});
