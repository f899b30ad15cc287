// members_test.mjs: who gets a room's messages: its members, each message once, and nobody else.
import assert from 'node:assert/strict';

import { ChatClient } from '../support/chat_client.mjs';
import { scenario } from '../support/scenario.mjs';

scenario('two members chat, a stranger is refused and hears nothing', {}, async (cluster) => {
  await cluster.createRoom('den', ['ann', 'ben']);
  await cluster.createRoom('hall', ['ann', 'eve']);
  const [ann, ben, eve] = await Promise.all(
    ['ann', 'ben', 'eve'].map((user) => ChatClient.connected(cluster, user)),
  );
  await Promise.all([ann.join('den'), ben.join('den'), ann.join('hall'), eve.join('hall')]);

  const refusals = [
    await eve.ask('joinRoom', { roomId: 'den' }),
    await eve.ask('joinRoom', { roomId: 'den', afterSeq: 0 }),
    await eve.ask('leaveRoom', { roomId: 'den' }),
    await eve.ask('sendMessage', { roomId: 'den', content: 'let me in' }),
    await eve.ask('getHistory', { roomId: 'den' }),
  ];
  const ack = await ann.send('den', 'for members', { clientMsgId: 'a-1' });
  const got = await ben.seesContent('den', 'for members');
  await ann.seesContent('den', 'for members');
  await ann.send('hall', 'fence'); // Comes behind whatever eve might have been given.
  await eve.seesContent('hall', 'fence');

  for (const { ok, error } of refusals) {
    assert.equal(ok, false);
    assert.equal(error.reason, 'NOT_A_MEMBER');
    assert.equal(error.retryable, false);
    assert.ok(error.message.length > 0);
  }
  assert.deepEqual(
    eve.events.filter((event) => event.roomId === 'den'),
    [],
  );
  assert.deepEqual(
    { ...got, createdAt: undefined },
    {
      name: 'newMessage',
      roomId: 'den',
      seq: ack.seq,
      messageId: ack.messageId,
      senderId: 'ann',
      sender: { id: 'ann', name: 'Name of ann' },
      clientMsgId: 'a-1',
      type: 'text',
      content: 'for members',
      createdAt: undefined,
    },
  );
  assert.equal(got.createdAt, ack.createdAt);
  assert.match(got.createdAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
  assert.match(
    ack.messageId,
    /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  );
  for (const client of [ann, ben]) assert.equal(client.messages('den').length, 1);
});

scenario('connecting tells the client who it is', {}, async (cluster) => {
  const ann = await ChatClient.connected(cluster, 'ann', {
    token: `Bearer ${cluster.token('ann')}`,
  });

  const connected = await ann.sees('connected', (event) => event.name === 'connected');

  assert.deepEqual(connected.user, { id: 'ann', name: 'Name of ann' });
  assert.equal(typeof connected.connectionId, 'string');
});

scenario('a retried send yields the same ack and one message', {}, async (cluster) => {
  await cluster.createRoom('den', ['ann', 'ben']);
  const [ann, ben] = await Promise.all(
    ['ann', 'ben'].map((user) => ChatClient.connected(cluster, user)),
  );
  await Promise.all([ann.join('den'), ben.join('den')]);
  const send = (client) => client.send('den', 'once', { clientMsgId: 'same' });

  const first = await send(ann);
  const again = await Promise.all([send(ann), send(ann), send(ann)]);
  const other = await send(ben); // Another sender with the same id: another message.
  const anew = await ChatClient.connected(cluster, 'ann');
  const later = await send(anew);
  await ann.send('den', 'fence');
  await ben.seesContent('den', 'fence');

  for (const ack of [...again, later]) assert.deepEqual(ack, first);
  assert.notEqual(other.messageId, first.messageId);
  assert.deepEqual(
    ben.messages('den').map((m) => [m.senderId, m.content]),
    [
      ['ann', 'once'],
      ['ben', 'once'],
      ['ann', 'fence'],
    ],
  );
  const log = await cluster.roomLog('den');
  assert.equal(log.filter((event) => event.content === 'once').length, 2);
});

scenario('memberLeft is the last thing a removed member gets', {}, async (cluster) => {
  await cluster.createRoom('den', ['ann', 'ben']);
  await cluster.createRoom('hall', ['ann', 'ben']);
  const ann = await ChatClient.connected(cluster, 'ann');
  const bens = await Promise.all([1, 2, 3].map(() => ChatClient.connected(cluster, 'ben')));
  await Promise.all([ann, ...bens].flatMap((client) => [client.join('den'), client.join('hall')]));
  let sent = 0;
  let stop = false;
  const chatter = (async () => {
    while (!stop) await ann.send('den', `word ${++sent}`);
  })();
  await bens[0].seesContent('den', 'word 5');

  await cluster.ctl('member', 'remove', 'den', 'ben');
  const left = await ann.sees('memberLeft', (event) => event.name === 'memberLeft');
  await ann.seesContent('den', `word ${sent + 5}`);
  stop = true;
  await chatter;
  const refused = await bens[0].ask('sendMessage', { roomId: 'den', content: 'still here?' });
  await ann.send('hall', 'fence');

  assert.equal(left.userId, 'ben');
  assert.equal(refused.error.reason, 'NOT_A_MEMBER');
  for (const ben of bens) {
    await ben.seesContent('hall', 'fence');
    const last = ben.logged('den').at(-1);
    assert.equal(last.name, 'memberLeft');
    assert.equal(last.seq, left.seq);
    const seqs = ben.logged('den').map((event) => event.seq);
    assert.deepEqual(
      seqs,
      seqs.map((_, i) => seqs[0] + i),
    );
  }
});

scenario('a removed member who is added again must join again', {}, async (cluster) => {
  await cluster.createRoom('den', ['ann', 'ben']);
  const [ann, ben] = await Promise.all(
    ['ann', 'ben'].map((user) => ChatClient.connected(cluster, user)),
  );
  await Promise.all([ann.join('den'), ben.join('den')]);

  await cluster.ctl('member', 'remove', 'den', 'ben');
  await ben.sees('memberLeft', (event) => event.name === 'memberLeft');
  await cluster.ctl('member', 'add', 'den', 'ben');
  await ann.sees(
    'memberJoined',
    (event) => event.name === 'memberJoined' && event.userId === 'ben',
  );
  await ann.send('den', 'while ben is not subscribed');
  const { lastSeq } = await ben.join('den', ben.logged('den').at(-1).seq);
  await ben.seesContent('den', 'while ben is not subscribed');

  assert.deepEqual(
    ben.logged('den').map((event) => event.name),
    ['memberLeft', 'memberJoined', 'newMessage'],
  );
  assert.equal(ben.logged('den').at(-1).seq, lastSeq);
});

scenario('leaveRoom ends the subscription of this connection alone', {}, async (cluster) => {
  await cluster.createRoom('den', ['ann', 'ben']);
  await cluster.createRoom('hall', ['ann', 'ben']);
  const ann = await ChatClient.connected(cluster, 'ann');
  const [first, second] = await Promise.all([1, 2].map(() => ChatClient.connected(cluster, 'ben')));
  await Promise.all(
    [ann, first, second].flatMap((client) => [client.join('den'), client.join('hall')]),
  );

  await first.must('leaveRoom', { roomId: 'den' });
  await ann.send('den', 'for who stayed');
  await second.seesContent('den', 'for who stayed');
  await ann.send('hall', 'fence');
  await first.seesContent('hall', 'fence');

  assert.deepEqual(first.messages('den'), []);
  await first.send('den', 'a member still'); // Membership is not touched.
});

scenario(
  'joinRoom with afterSeq gives what was missed, in order, then what is live',
  {},
  async (cluster) => {
    await cluster.createRoom('den', ['ann', 'ben']);
    const ann = await ChatClient.connected(cluster, 'ann');
    await ann.join('den');
    const count = 1200; // More than two pages of 500.
    const acks = await Promise.all(
      Array.from({ length: count }, (_, i) => ann.send('den', `old ${i}`)),
    );

    const ben = await ChatClient.connected(cluster, 'ben');
    const ack = await ben.join('den', 0);
    const live = await ann.send('den', 'live');
    await ben.seesContent('den', 'live');
    const ahead = await ben.ask('joinRoom', { roomId: 'den', afterSeq: live.seq + 1000 });

    assert.equal(ack.lastSeq, Math.max(...acks.map(({ seq }) => seq)));
    assert.equal(ack.role, 'member');
    assert.deepEqual(
      ben.logged('den').map((event) => event.seq),
      Array.from({ length: live.seq }, (_, i) => i + 1),
    );
    assert.equal(ahead.error.reason, 'RESYNC');
  },
);

scenario('getHistory reads pages both ways', {}, async (cluster) => {
  await cluster.createRoom('den', ['ann']);
  const ann = await ChatClient.connected(cluster, 'ann');
  await ann.join('den');
  for (let i = 1; i <= 9; ++i) await ann.send('den', `word ${i}`); // seq 2 to 10, behind memberJoined
  const page = async (bounds) => {
    const { events, more } = await ann.must('getHistory', { roomId: 'den', ...bounds });
    return [events.map((event) => event.seq), more];
  };

  const newest = await ann.must('getHistory', { roomId: 'den', limit: 1 });

  assert.deepEqual(await page({}), [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10], false]);
  assert.deepEqual(await page({ limit: 3 }), [[8, 9, 10], true]);
  assert.deepEqual(await page({ beforeSeq: 8, limit: 3 }), [[5, 6, 7], true]);
  assert.deepEqual(await page({ beforeSeq: 3, limit: 3 }), [[1, 2], false]);
  assert.deepEqual(await page({ afterSeq: 2, limit: 3 }), [[3, 4, 5], true]);
  assert.deepEqual(await page({ afterSeq: 10 }), [[], false]);
  const { name, ...live } = ann.messages('den').at(-1);
  assert.deepEqual(newest.events, [{ event: name, ...live }]);
});

scenario('who joins a public room becomes a member', {}, async (cluster) => {
  await cluster.ctl('room', 'create', 'hall', '--public', '--members', 'ann');
  const [ann, eve] = await Promise.all(
    ['ann', 'eve'].map((user) => ChatClient.connected(cluster, user)),
  );
  await ann.join('hall');

  const ack = await eve.join('hall');
  const joined = await ann.sees(
    'memberJoined',
    (event) => event.name === 'memberJoined' && event.userId === 'eve',
  );
  await eve.send('hall', 'hello');
  await ann.seesContent('hall', 'hello');

  assert.equal(ack.lastSeq, joined.seq);
  assert.equal(ack.role, 'member');
  assert.deepEqual(
    eve.logged('hall').map((event) => event.name),
    ['newMessage'],
  );
});

scenario('a reader may read and not post, until the role changes', {}, async (cluster) => {
  await cluster.createRoom('den', ['ann', 'ben']);
  const [ann, ben] = await Promise.all(
    ['ann', 'ben'].map((user) => ChatClient.connected(cluster, user)),
  );
  await Promise.all([ann.join('den'), ben.join('den')]);

  await cluster.ctl('member', 'role', 'den', 'ben', 'reader');
  const updated = await ben.sees('memberUpdated', (event) => event.name === 'memberUpdated');
  const refused = await ben.ask('sendMessage', { roomId: 'den', content: 'may I?' });
  await ann.send('den', 'you may listen');
  await ben.seesContent('den', 'you may listen');
  await cluster.ctl('member', 'role', 'den', 'ben', 'member');
  await ben.send('den', 'I may');

  assert.equal(updated.role, 'reader');
  assert.equal(refused.error.reason, 'FORBIDDEN');
});

scenario(
  'a deleted room ends for its subscribers and goes on with the next seq when made anew',
  {},
  async (cluster) => {
    await cluster.createRoom('den', ['ann']);
    const ann = await ChatClient.connected(cluster, 'ann');
    await ann.join('den');
    const before = await ann.send('den', 'before');

    await cluster.ctl('room', 'delete', 'den', '--yes');
    const refused = await ann.ask('sendMessage', { roomId: 'den', content: 'into nothing' });
    const gone = await ann.ask('joinRoom', { roomId: 'den' });
    await cluster.createRoom('den', ['ann']);
    const { lastSeq } = await ann.join('den');
    await ann.send('den', 'after');
    await ann.seesContent('den', 'after');

    assert.equal(refused.error.reason, 'ROOM_NOT_FOUND');
    assert.equal(gone.error.reason, 'ROOM_NOT_FOUND');
    assert.equal(lastSeq, before.seq + 1);
    assert.deepEqual(ann.disconnects, []);
  },
);
