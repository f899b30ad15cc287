// moderation_test.mjs: bans, mutes and the rules of a room take effect at once, on every edge.
import assert from 'node:assert/strict';

import { ChatClient } from '../support/chat_client.mjs';
import { scaled } from '../support/cluster.mjs';
import { scenario } from '../support/scenario.mjs';
import { until } from '../support/until.mjs';

const RATE = scaled(1000, 100); // Messages a second.
const TWO = { processes: 'two' };

// Posts at the rate until it is told to stop, or as fast as it is answered: with no more than half a
// second's messages on the way. Ends when everything is acked.
function flood(client, room, rate) {
  const TICK_MS = 10;
  const IN_FLIGHT = rate / 2;
  const started = Date.now();
  const acks = [];
  let sent = 0;
  let answered = 0;
  const timer = setInterval(() => {
    const due = Math.floor(((Date.now() - started) / 1000) * rate);
    while (sent < due && sent - answered < IN_FLIGHT) {
      sent += 1;
      const ack = client.must('sendMessage', { roomId: room, content: `m${sent}`, clientMsgId: `m${sent}` });
      ack.then(() => (answered += 1), () => {}); // stop() says what went wrong.
      acks.push(ack);
    }
  }, TICK_MS);
  return {
    get sent() {
      return sent;
    },
    async stop() {
      clearInterval(timer);
      const seconds = (Date.now() - started) / 1000;
      await Promise.all(acks);
      return { sent, seconds };
    },
  };
}

async function banUnderLoad(cluster) {
  const other = await cluster.addEdge();
  await cluster.createRoom('hall', ['ann', 'ben', 'eve']);
  await cluster.ctl('room', 'update', 'hall', '--visibility', 'public');
  const ann = await ChatClient.connected(cluster, 'ann');
  const ben = await ChatClient.connected(other, 'ben');
  // Four sockets of one user, two on each edge, one by polling.
  const eves = await Promise.all([
    ChatClient.connected(cluster, 'eve'),
    ChatClient.connected(cluster, 'eve', { transports: ['polling'] }),
    ChatClient.connected(other, 'eve'),
    ChatClient.connected(other, 'eve'),
  ]);
  for (const client of [ann, ben, ...eves]) await client.join('hall');

  const posts = flood(ann, 'hall', RATE);
  await until('the messages flow', () => posts.sent > 2 * RATE, 30_000);
  const banned = await cluster.ctlJson('member', 'ban', 'hall', 'eve', '--for', '1h');
  const answeredAt = posts.sent;
  await until('they flow on', () => posts.sent > answeredAt + 2 * RATE, 30_000);
  const { sent, seconds } = await posts.stop();
  const last = await ann.send('hall', 'the last');
  await ben.seesContent('hall', 'the last', 30_000);
  await ann.seesContent('hall', 'the last', 30_000);

  assert.ok(banned.banned.until, 'the ban has an end');
  const log = await cluster.roomLog('hall');
  const ban = log.find((event) => event.kind === 'memberBanned');
  assert.equal(ban.user, 'eve');
  assert.ok(ban.seq < last.seq - RATE, 'messages came behind the ban');
  for (const eve of eves) {
    await eve.sees('the ban', (e) => e.name === 'memberLeft' && e.banned === true, 30_000);
    // Comes behind whatever she might have been given.
    const refused = await eve.ask('joinRoom', { roomId: 'hall', afterSeq: ban.seq });
    const got = eve.logged('hall');
    assert.equal(Math.max(...got.map((event) => event.seq)), ban.seq, 'nothing behind the ban');
    const end = got.at(-1);
    assert.equal(end.name, 'memberLeft');
    assert.equal(end.banned, true);
    assert.equal(end.userId, 'eve');
    assert.deepEqual(
      got.map((event) => event.seq),
      Array.from(got, (_, i) => got[0].seq + i),
      'and everything before it',
    );
    assert.equal(eve.socket.connected, true);
    assert.equal(refused.error.reason, 'BANNED');
    assert.ok(refused.error.retryAfterMs > 3_000_000);
    assert.equal((await eve.ask('getHistory', { roomId: 'hall' })).error.reason, 'BANNED');
  }
  for (const member of [ann, ben]) {
    const seqs = member.logged('hall').map((event) => event.seq);
    assert.deepEqual(seqs, Array.from(seqs, (_, i) => seqs[0] + i));
    assert.equal(seqs.at(-1), last.seq);
  }
  console.log(`${sent} messages in ${seconds.toFixed(1)} s: ${Math.round(sent / seconds)}/s`);
}

for (const store of ['sqlite', 'postgres']) {
  scenario(`a ban takes effect while 1,000 messages/s flow (${store})`, { ...TWO, store }, banUnderLoad);
}

scenario('rules hold at once on every edge, and members see them', TWO, async (cluster) => {
  const other = await cluster.addEdge();
  await cluster.createRoom('den', ['ann', 'ben']);
  await cluster.ctl('member', 'add', 'den', 'mod', '--role', 'moderator');
  const ann = await ChatClient.connected(cluster, 'ann');
  const ben = await ChatClient.connected(other, 'ben');
  for (const client of [ann, ben]) await client.join('den');
  const reason = async (client, content) =>
    (await client.ask('sendMessage', { roomId: 'den', content })).error?.reason;

  await cluster.ctl('member', 'mute', 'den', 'ben', '--for', '10m');
  const muted = await ben.sees('his mute', (e) => e.name === 'memberUpdated' && e.muted === true);
  assert.equal(muted.userId, 'ben');
  assert.ok(Date.parse(muted.until) > Date.now());
  assert.equal(await reason(ben, 'hm'), 'MUTED');
  await cluster.ctl('member', 'unmute', 'den', 'ben');
  assert.equal(await reason(ben, 'thanks'), undefined);

  await cluster.ctl('room', 'update', 'den', '--topic', 'tea', '--set', 'color=red=ish');
  const updated = await ben.sees('the update', (e) => e.name === 'roomUpdated');
  assert.deepEqual(updated.changed, ['topic', 'metadata']);
  assert.deepEqual([updated.topic, updated.metadata], ['tea', { color: 'red=ish' }]);

  await cluster.ctl('room', 'slow-mode', 'den', '1h');
  assert.equal(await reason(ann, 'one'), undefined);
  assert.equal(await reason(ann, 'two'), 'SLOW_MODE');
  await cluster.ctl('room', 'slow-mode', 'den', 'off');
  assert.equal(await reason(ann, 'three'), undefined);

  await cluster.ctl('room', 'read-only', 'den', 'on');
  assert.equal(await reason(ann, 'four'), 'ROOM_READ_ONLY');
  await cluster.ctl('room', 'read-only', 'den', 'off');
  await cluster.ctl('room', 'archive', 'den');
  assert.equal(await reason(ben, 'five'), 'ROOM_ARCHIVED');
  await ann.sees('the archive', (e) => e.name === 'roomUpdated' && e.isArchived);
  await cluster.ctl('room', 'unarchive', 'den');
  assert.equal(await reason(ben, 'six'), undefined);

  const { entries } = await cluster.ctlJson('audit', 'list', '--room', 'den');
  assert.deepEqual(
    entries.reverse().map(({ act, userId, result }) => `${act} ${userId} ${result}`),
    [
      'room.create  OK',
      'member.add mod OK',
      'member.mute ben OK',
      'member.unmute ben OK',
      ...Array(7).fill('room.update  OK'),
    ],
  );
  assert.ok(entries.every((entry) => entry.service === 'confabctl' && entry.requestId));
  assert.ok(!JSON.stringify(entries).includes('tea'), 'no content');
});

scenario('moderators act over HTTP, and what is refused is recorded', TWO, async (cluster) => {
  await cluster.createRoom('den', ['ann', 'ben']);
  await cluster.ctl('member', 'add', 'den', 'mod', '--role', 'moderator');
  const ben = await ChatClient.connected(cluster, 'ben');
  await ben.join('den');
  const call = async (user, method, path, body) => {
    const response = await fetch(`${cluster.url}/v1/rooms/den${path}`, {
      method,
      headers: {
        authorization: `Bearer ${cluster.token(user)}`,
        ...(body ? { 'content-type': 'application/json' } : {}),
      },
      body: body ? JSON.stringify(body) : undefined,
    });
    return { status: response.status, ...(await response.json()) };
  };

  const refused = await call('ann', 'POST', '/ban', { userId: 'ben' });
  assert.deepEqual([refused.status, refused.error.reason], [403, 'FORBIDDEN']);
  assert.equal((await call('mod', 'PATCH', '', { isArchived: true })).status, 403);
  const room = await call('mod', 'PATCH', '', { topic: 'tea', metadata: { a: '1' } });
  assert.deepEqual([room.status, room.topic, room.metadata], [200, 'tea', { a: '1' }]);
  const gone = await call('mod', 'PATCH', '', { metadata: { a: null } });
  assert.deepEqual(gone.metadata, {});
  const bad = await call('mod', 'PATCH', '', { slowModeSeconds: 99_999 });
  assert.deepEqual([bad.status, bad.error.message], [400, 'slowModeSeconds: at most 21600']);
  const banned = await call('mod', 'POST', '/ban', { userId: 'ben', seconds: 60 });
  assert.equal(banned.status, 200);
  assert.ok(Date.parse(banned.banned.until) > Date.now());
  await ben.sees('his ban', (e) => e.name === 'memberLeft' && e.banned === true && e.by === 'mod');
  const bans = await call('mod', 'GET', '/bans');
  assert.deepEqual(
    bans.members.map((member) => member.userId),
    ['ben'],
  );
  assert.equal((await call('ann', 'GET', '/bans')).status, 403);
  const added = await call('mod', 'POST', '/members', { userId: 'ben', role: 'reader' });
  assert.deepEqual([added.status, added.role, added.banned], [200, 'reader', undefined]);
  assert.equal((await call('mod', 'POST', '/role', { userId: 'ben', role: 'owner' })).status, 403);

  const recorded = await until('the refusals are recorded', async () => {
    const { entries } = await cluster.ctlJson('audit', 'list', '--room', 'den');
    const lines = entries.map(({ actorId, act, userId, result }) => [actorId, act, userId, result]);
    return lines.length >= 9 && lines.reverse();
  });
  assert.deepEqual(
    recorded.slice(2).map((line) => line.join(' ')).sort(),
    [
      'ann member.ban ben FORBIDDEN',
      'mod room.update  FORBIDDEN',
      'mod room.update  OK',
      'mod room.update  OK',
      'mod member.ban ben OK',
      'mod member.add ben OK',
      'mod member.role ben FORBIDDEN',
    ].sort(),
  );
});
