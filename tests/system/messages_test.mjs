// messages_test.mjs: messages are edited, deleted and answered, carry bodies and mentions, and are
// found by time; on the socket, over HTTP and by the command line, live and from the log.
import assert from 'node:assert/strict';

import { ChatClient } from '../support/chat_client.mjs';
import { HttpApi } from '../support/http_client.mjs';
import { scenario } from '../support/scenario.mjs';

const without = (event, ...names) =>
  Object.fromEntries(Object.entries(event).filter(([name]) => !names.includes(name)));

async function refused(client, event, payload, reason) {
  const ack = await client.ask(event, payload);
  assert.equal(ack.ok, false, JSON.stringify(ack));
  assert.equal(ack.error.reason, reason);
}

scenario('a sender and a moderator edit and delete, everybody sees it, nobody else may', {}, async (cluster) => {
  await cluster.createRoom('den', ['ann', 'ben', 'mo']);
  await cluster.ctl('member', 'role', 'den', 'mo', 'moderator');
  const [ann, ben, mo] = await Promise.all(
    ['ann', 'ben', 'mo'].map((user) => ChatClient.connected(cluster, user)),
  );
  await Promise.all([ann, ben, mo].map((client) => client.join('den')));
  const first = await ann.send('den', 'helo', { mentions: ['ben', 7] });
  const second = await ben.send('den', 'rude');
  assert.deepEqual((await mo.seesContent('den', 'helo')).mentions, ['ben', '7']);

  const target = { roomId: 'den', messageId: first.messageId };
  await refused(ben, 'editMessage', { ...target, content: 'hacked' }, 'FORBIDDEN');
  await refused(ben, 'deleteMessage', target, 'FORBIDDEN');
  await refused(ann, 'editMessage', { ...target, messageId: 'none', content: 'x' }, 'MESSAGE_NOT_FOUND');
  await refused(ann, 'editMessage', target, 'CONTENT_SIZE');
  const edit = await ann.must('editMessage', { ...target, content: 'hello' });
  const deletion = await mo.must('deleteMessage', { roomId: 'den', messageId: second.messageId });
  await refused(ben, 'editMessage', { roomId: 'den', messageId: second.messageId, content: 'x' }, 'MESSAGE_NOT_FOUND');

  assert.equal(edit.messageId, first.messageId);
  for (const client of [ann, ben, mo]) {
    const edited = await client.sees('the edit', (e) => e.name === 'messageEdited');
    assert.deepEqual(without(edited, 'name'), {
      roomId: 'den',
      seq: edit.seq,
      messageId: first.messageId,
      messageSeq: first.seq,
      content: 'hello',
      createdAt: edit.createdAt,
      by: 'ann',
    });
    const deleted = await client.sees('the deletion', (e) => e.name === 'messageDeleted');
    assert.equal(deleted.messageSeq, second.seq);
    assert.equal(deleted.seq, deletion.seq);
    assert.equal(deleted.by, 'mo');
  }
  const { events } = await ben.must('getHistory', { roomId: 'den', afterSeq: first.seq - 1 });
  assert.deepEqual(
    events.map((e) => [e.event, e.content, e.editedSeq, e.deleted]),
    [
      ['newMessage', 'hello', edit.seq, undefined],
      ['newMessage', '', undefined, true],
      ['messageEdited', 'hello', undefined, undefined],
      ['messageDeleted', undefined, undefined, undefined],
    ],
  );
  assert.deepEqual(events[0].mentions, undefined);

  // Who was away is told what the messages say now, and each event once.
  const late = await ChatClient.connected(cluster, 'ben');
  await late.join('den', first.seq - 1);
  await late.sees('the deletion', (e) => e.name === 'messageDeleted');
  assert.deepEqual(
    late.logged('den').map((e) => e.seq),
    events.map((e) => e.seq),
  );
  assert.equal(late.messages('den')[0].content, 'hello');
  assert.equal(late.messages('den')[1].deleted, true);
});

scenario('a body is passed on byte for byte, on the socket and over HTTP', {}, async (cluster) => {
  await cluster.createRoom('den', ['ann', 'ben']);
  const api = await HttpApi.of(cluster);
  const ben = await ChatClient.connected(cluster, 'ben');
  const ann = await ChatClient.connected(cluster, 'ann');
  await ben.join('den');
  const raw = '{ "price": 1.50, "tags":["a" ,"\\u00e9"], "big":12345678901234567890 }';
  await api.must('POST', '/v1/rooms/den/messages', {
    user: 'ann',
    raw: `{"type":"offer", "body" : ${raw} , "content":""}`,
  });
  const page = await fetch(`${cluster.url}/v1/rooms/den/history`, {
    headers: { authorization: `Bearer ${cluster.token('ben')}` },
  });
  assert.ok((await page.text()).includes(`"body":${raw}`));
  const offer = await ben.sees('the offer', (e) => e.type === 'offer');
  assert.deepEqual(offer.body, JSON.parse(raw));

  const poll = { options: ['tea', { nested: [null, 1e21, 0.1] }] };
  const posted = await ann.must('sendMessage', { roomId: 'den', body: poll });
  const seen = await ben.sees('the poll', (e) => e.messageId === posted.messageId);
  assert.equal(seen.type, 'custom');
  assert.equal(seen.content, '');
  assert.deepEqual(seen.body, poll);
  await refused(ann, 'sendMessage', { roomId: 'den', body: 'x'.repeat(16 * 1024) }, 'CONTENT_SIZE');
  await refused(ann, 'sendMessage', { roomId: 'den' }, 'CONTENT_SIZE');
  await refused(ann, 'sendMessage', { roomId: 'den', content: 'x', mentions: Array(51).fill('b') }, 'BAD_REQUEST');
});

scenario('messages are answered, changed over HTTP and found by time', {}, async (cluster) => {
  await cluster.createRoom('den', ['ann', 'ben']);
  await cluster.createRoom('hall', ['ann']);
  const api = await HttpApi.of(cluster);
  const ann = await ChatClient.connected(cluster, 'ann');
  const ben = await ChatClient.connected(cluster, 'ben');
  await ann.join('den');
  const question = await ann.send('den', 'tea?');
  const elsewhere = await ann.send('hall', 'tea?');
  const answer = await ben.send('den', 'yes', { replyTo: question.messageId, clientMsgId: 'k' });
  assert.equal((await ann.seesContent('den', 'yes')).replyTo, question.messageId);
  await refused(ben, 'sendMessage', { roomId: 'den', content: 'x', replyTo: elsewhere.messageId }, 'MESSAGE_NOT_FOUND');

  const path = `/v1/rooms/den/messages/${question.messageId}`;
  await api.refused(403, 'FORBIDDEN', 'PATCH', path, { user: 'ben', body: { content: 'x' } });
  await api.must('PATCH', path, { user: 'ann', body: { content: 'coffee?', body: [1] } });
  const edited = await ann.sees('the edit', (e) => e.name === 'messageEdited');
  assert.deepEqual([edited.content, edited.body], ['coffee?', [1]]);
  await api.must('DELETE', path, { user: 'ann' });
  await api.refused(404, 'MESSAGE_NOT_FOUND', 'DELETE', path, { user: 'ann' });
  // A retry of an answer is the same message, though what it answers is gone.
  const again = await ben.send('den', 'yes', { replyTo: question.messageId, clientMsgId: 'k' });
  assert.equal(again.seq, answer.seq);

  const since = encodeURIComponent(answer.createdAt);
  const forward = await api.must('GET', `/v1/rooms/den/history?since=${since}`, { user: 'ben' });
  const at = forward.events.findIndex((e) => e.seq === answer.seq);
  assert.ok(at === 0 || forward.events[0].createdAt === answer.createdAt, JSON.stringify(forward));
  assert.deepEqual(forward.events.slice(at).map((e) => e.event), ['newMessage', 'messageEdited', 'messageDeleted']);
  const { events } = await ann.must('getHistory', { roomId: 'den', until: '2020-01-01T00:00:00Z' });
  assert.deepEqual(events, []);
  await refused(ann, 'getHistory', { roomId: 'den', since: answer.createdAt, afterSeq: 0 }, 'BAD_REQUEST');
  await refused(ann, 'getHistory', { roomId: 'den', since: 'yesterday' }, 'BAD_REQUEST');
});

scenario('the command line edits, deletes and lists by time', {}, async (cluster) => {
  await cluster.createRoom('den', ['ann']);
  const ctl = (...args) => cluster.ctlJson(...args);
  const posted = await ctl('message', 'post', 'den', '--body', '{"a":1}', '--mention', 'ann,ben');
  await ctl('message', 'edit', 'den', posted.messageId, 'noon', '--mention', 'ann');
  const { events } = await ctl('message', 'list', 'den', '--since', '1h');
  const message = events.find((e) => e.messagePosted)?.messagePosted;
  assert.equal(message.content, 'noon');
  assert.equal(message.bodyJson, '');
  assert.deepEqual(message.mentions, ['ann']);
  assert.deepEqual((await ctl('message', 'list', 'den', '--until', '1h')).events, []);
  await ctl('message', 'delete', 'den', posted.messageId, '--yes');
  const after = await ctl('message', 'list', 'den');
  assert.ok(after.events.some((e) => e.messagePosted?.deleted));
  assert.ok(after.events.some((e) => e.messageDeleted?.messageId === posted.messageId));
});

scenario('read pointers move forward only, unread counts are exact, on every way in', {}, async (cluster) => {
  await cluster.createRoom('den', ['ann', 'ben']);
  await cluster.createRoom('hall', ['ann', 'ben', 'cy']);
  const api = await HttpApi.of(cluster);
  const ann = await ChatClient.connected(cluster, 'ann');
  const ben = await ChatClient.connected(cluster, 'ben');
  const unread = async (user) => {
    const { rooms } = await api.must('GET', '/v1/rooms', { user });
    return Object.fromEntries(rooms.map((room) => [room.roomId, room.unreadCount]));
  };
  const posted = [];
  for (const content of ['1', '2', '3', '4']) posted.push(await ann.send('den', content));
  await ann.send('hall', 'hi');
  assert.deepEqual(await unread('ben'), { den: 4, hall: 1 });
  assert.deepEqual(await unread('ann'), { den: 0, hall: 0 });

  const mark = (client, seq) => client.must('markRead', { roomId: 'den', seq });
  assert.deepEqual(await mark(ben, posted[1].seq), {
    ok: true,
    roomId: 'den',
    seq: posted[1].seq,
    unreadCount: 2,
  });
  assert.equal((await mark(ben, posted[0].seq)).seq, posted[1].seq);
  await ann.must('deleteMessage', { roomId: 'den', messageId: posted[2].messageId });
  assert.deepEqual(await unread('ben'), { den: 1, hall: 1 });
  await ben.send('den', 'mine'); // Sending is reading.
  assert.deepEqual(await unread('ben'), { den: 0, hall: 1 });
  assert.deepEqual(await unread('ann'), { den: 1, hall: 0 });

  const read = await api.must('POST', '/v1/rooms/hall/read', { user: 'ben', body: { seq: 10 ** 9 } });
  assert.deepEqual(read, { roomId: 'hall', seq: 4, unreadCount: 0 });
  await refused(ann, 'markRead', { roomId: 'den' }, 'BAD_REQUEST');
  await api.refused(403, 'NOT_A_MEMBER', 'POST', '/v1/rooms/den/read', { user: 'cy', body: { seq: 1 } });
  const { rooms } = await cluster.ctlJson('user', 'show', 'cy');
  assert.deepEqual(rooms.map((room) => [room.id, room.unreadCount, room.readSeq]), [['hall', '1', '3']]);
});

scenario('a room is exported, keeps what it is told to, and forgets a user', {}, async (cluster) => {
  await cluster.createRoom('den', ['ann', 'ben']);
  const ann = await ChatClient.connected(cluster, 'ann');
  const ben = await ChatClient.connected(cluster, 'ben');
  const posted = [];
  for (let i = 0; i < 20; ++i) posted.push(await ann.send('den', `ann ${i}`));
  const last = await ben.send('den', 'ben stays', { clientMsgId: 'b' });
  const lines = (await cluster.ctl('room', 'export', 'den')).trim().split('\n').map((line) => JSON.parse(line));
  assert.deepEqual(lines.map((event) => Number(event.seq)), Array.from({ length: last.seq }, (_, i) => i + 1));
  assert.equal(lines.at(-1).messagePosted.content, 'ben stays');

  await cluster.ctl('user', 'erase', 'ann', '--yes');
  const { events } = await ben.must('getHistory', { roomId: 'den' });
  assert.ok(events.filter((e) => e.senderId === 'ann').every((e) => e.deleted && e.content === '' && e.sender.name === ''));
  assert.equal(events.at(-1).content, 'ben stays');

  await cluster.ctl('room', 'retention', 'den', '--max-messages', '2', '--yes');
  assert.equal((await cluster.ctlJson('room', 'show', 'den')).retention.maxMessages, '2');
});
