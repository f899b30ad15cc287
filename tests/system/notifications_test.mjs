// notifications_test.mjs: what services push reaches stock clients: live, from the inbox, to slow
// readers and to fast ones.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';

import { io } from 'socket.io-client';

import { ChatClient } from '../support/chat_client.mjs';
import { binDir } from '../support/cluster.mjs';
import { told } from '../support/family.mjs';
import { HttpApi } from '../support/http_client.mjs';
import { RawSocket } from '../support/raw_socket.mjs';
import { scenario } from '../support/scenario.mjs';
import { until } from '../support/until.mjs';

// An OutgoingNotification a line, to confabctl push lines.
const lines = (notifications) => notifications.map((one) => `${JSON.stringify(one)}\n`).join('');

async function push(cluster, notifications) {
  const { code, out, err } = await cluster.ctlRaw(['push', 'lines', '-o', 'json'], lines(notifications));
  assert.equal(code, 0, err);
  return JSON.parse(out);
}

// A socket of the family whose events come under their own names.
function eventsSocket(cluster, user) {
  const socket = io(cluster.url, {
    transports: ['websocket'],
    forceNew: true,
    auth: { token: cluster.token(user), dialect: 'events' },
  });
  socket.heard = [];
  socket.onAny((...event) => socket.heard.push(event));
  cluster.closing.push(() => socket.disconnect());
  return socket;
}

scenario('a stream keeps its order where many of it are under way', {}, async (cluster) => {
  // Beyond what is told at a time, so that reading pauses and goes on by another thread.
  const kept = Array.from({ length: 1000 }, (_, i) => ({
    userId: 'ann',
    event: 'task_due',
    json: JSON.stringify({ number: i + 1 }),
    deliveryClass: 'DELIVERY_CLASS_LOGGED',
  }));
  const sum = await push(cluster, kept);
  assert.equal(Number(sum.stored), kept.length);

  const ann = await ChatClient.connected(cluster, 'ann');
  await ann.sees('the last one', (e) => e.inboxSeq === kept.length);
  const got = ann.events.filter(({ inboxSeq }) => inboxSeq);
  assert.deepEqual(
    got.map(({ payload }) => payload.number),
    kept.map((_, i) => i + 1),
  );
});

for (const store of ['sqlite', 'postgres']) {
  scenario(
    `an inbox of 100 for an absent user arrives in order, once; acknowledged it is gone (${store})`,
    { store },
    async (cluster) => {
      const kept = Array.from({ length: 100 }, (_, i) => ({
        userId: 'ann',
        event: 'task_due',
        json: JSON.stringify({ number: i + 1 }),
        deliveryClass: 'DELIVERY_CLASS_LOGGED',
      }));
      const sum = await push(cluster, kept);
      assert.equal(Number(sum.stored), 100);

      const ann = await ChatClient.connected(cluster, 'ann');
      await ann.sees('the last one', (e) => e.inboxSeq === 100);
      const live = await cluster.ctl('push', 'user', 'ann', 'task_due', '{"number":101}', '--logged');
      assert.match(live, /told 1 connection, stored as 101/);
      await ann.sees('the live one', (e) => e.inboxSeq === 101);
      const got = ann.events.filter(({ inboxSeq }) => inboxSeq);
      assert.deepEqual(
        got.map(({ inboxSeq, payload }) => [inboxSeq, payload.number]),
        Array.from({ length: 101 }, (_, i) => [i + 1, i + 1]),
      );
      assert.deepEqual(await ann.must('notification:ack', { inboxSeq: 60 }), {
        ok: true,
        ackedSeq: 60,
      });

      const second = await ChatClient.connected(cluster, 'ann');
      await second.sees('the rest', (e) => e.inboxSeq === 101);
      const rest = second.events.filter(({ inboxSeq }) => inboxSeq);
      assert.deepEqual(rest.map(({ inboxSeq }) => inboxSeq), Array.from({ length: 41 }, (_, i) => i + 61));
      await second.must('notification:ack', { inboxSeq: 101 });

      const third = await ChatClient.connected(cluster, 'ann');
      await cluster.ctl('push', 'user', 'ann', 'fence', '1', '--logged');
      await third.sees('the fence', (e) => e.inboxSeq === 102);
      assert.equal(third.events.filter(({ inboxSeq }) => inboxSeq).length, 1);
    },
  );
}

scenario('each target is told, under the names each dialect has', {}, async (cluster) => {
  await cluster.createRoom('game_1', ['ann', 'ben']);
  const ann = await ChatClient.connected(cluster, 'ann', {
    token: cluster.token('ann', { role: 'teacher' }),
  });
  const ben = eventsSocket(cluster, 'ben');
  const { connectionId } = await told(ben, 'connected');
  await ann.join('game_1');

  assert.match(await cluster.ctl('push', 'user', 'ann', 'to_user', '{"a" : 1.50}'), /told 1 conn/);
  assert.match(await cluster.ctl('push', 'role', 'teacher', 'to_role'), /told 1 conn/);
  // ben's family is subscribed to his games by itself.
  assert.match(await cluster.ctl('push', 'room', 'game_1', 'to_room', '[]'), /told 2 conn/);
  assert.match(await cluster.ctl('push', 'all', 'to_all', '"x"'), /told 2 conn/);
  assert.match(await cluster.ctl('push', 'connection', connectionId, 'to_one', '7'), /told 1 conn/);
  assert.match(await cluster.ctl('push', 'user', 'nobody', 'x'), /told 0 conn/);
  const logged = await cluster.ctl('push', 'room', 'game_1', 'in_log', '{"z":[]}', '--logged');
  assert.match(logged, /told 2 connections, stored as 3/);

  await told(ben, 'to_one', (payload) => payload === 7);
  await told(ben, 'to_all', (payload) => payload === 'x');
  for (const event of ['to_user', 'to_role', 'to_room', 'to_all', 'in_log']) {
    // `name` is the notification's own: the client's helper lets a payload's member win.
    await ann.sees(event, (e) => e.name === event && e.id);
  }
  const inLog = ann.events.find((e) => e.name === 'in_log');
  assert.equal(inLog.roomId, 'game_1');
  assert.equal(inLog.seq, 3);
  const history = await ann.must('getHistory', { roomId: 'game_1' });
  assert.deepEqual(
    history.events.filter(({ event }) => event === 'notification').map(({ name, payload }) => [name, payload]),
    [['in_log', { z: [] }]],
  );
});

scenario('who cannot acknowledge has dealt with what was written', {}, async (cluster) => {
  await push(cluster, [1, 2, 3].map((n) => ({
    userId: 'ben', event: 'sp_daily_recovery', json: String(n), deliveryClass: 'DELIVERY_CLASS_LOGGED',
  })));
  const first = eventsSocket(cluster, 'ben');
  await told(first, 'sp_daily_recovery', (n) => n === 3);
  assert.deepEqual(first.heard.filter(([name]) => name === 'sp_daily_recovery').map(([, n]) => n), [1, 2, 3]);
  await until('the inbox is empty', async () => {
    const probe = await ChatClient.connected(cluster, 'ben');
    await cluster.ctl('push', 'user', 'ben', 'probe');
    await probe.sees('the probe', (e) => e.name === 'probe');
    probe.close();
    return !probe.events.some(({ inboxSeq }) => inboxSeq);
  });
});

scenario('bytes arrive as an attachment, over polling too', {}, async (cluster) => {
  const api = await HttpApi.of(cluster);
  const token = (await cluster.ctl('token', 'mint', '--service', 'game', '--scopes', 'notify')).trim();
  const bytes = Buffer.from([0, 1, 254, 255]);
  for (const transports of [['websocket'], ['polling']]) {
    const client = await ChatClient.connected(cluster, 'ann', { transports });
    const outcome = await api.must('POST', '/v1/notify', {
      token,
      body: { userId: 'ann', event: 'image', payloadBase64: bytes.toString('base64') },
    });
    assert.equal(outcome.connections, 1);
    const { payload } = await client.sees('the image', (e) => e.name === 'image');
    assert.deepEqual(Buffer.from(payload), bytes);
    client.close();
    await until('it has gone', async () =>
      (await cluster.metric(cluster.edge, 'confab_edge_connections')) === 0);
  }
});

scenario('services push over HTTP', {}, async (cluster) => {
  const api = await HttpApi.of(cluster);
  const token = (await cluster.ctl('token', 'mint', '--service', 'shop', '--scopes', 'notify')).trim();
  const ann = await RawSocket.socketIo(cluster, 'ann');
  const notify = (raw) => api.must('POST', '/v1/notify', { token, raw });

  await notify('{"userId":"ann","event":"price","payload": {"eur" : 1.50, "n":1e2} }');
  // Byte for byte: no number is written anew.
  await ann.sees('the price', (frame) => frame.includes('"payload":{"eur" : 1.50, "n":1e2}'));
  const first = await api.must('POST', '/v1/notify', {
    token,
    headers: { 'idempotency-key': 'k' },
    body: { userId: 'ben', event: 'x', delivery: 'logged' },
  });
  const again = await api.must('POST', '/v1/notify', {
    token,
    headers: { 'idempotency-key': 'k' },
    body: { userId: 'ben', event: 'x', delivery: 'logged' },
  });
  assert.deepEqual(again, { ...first, duplicate: true });
  assert.equal(first.stored, true);
  await api.refused(400, 'BAD_REQUEST', 'POST', '/v1/notify', { token, body: { event: 'x' } });
  await api.refused(400, 'BAD_REQUEST', 'POST', '/v1/notify', {
    token,
    body: { everybody: true, event: 'connect' },
  });
  await api.refused(401, 'TOKEN_INVALID', 'POST', '/v1/notify', {
    user: 'ann',
    body: { everybody: true, event: 'x' },
  });
  const other = (await cluster.ctl('token', 'mint', '--service', 'shop', '--scopes', 'rooms:read')).trim();
  await api.refused(403, 'SCOPE_MISSING', 'POST', '/v1/notify', {
    token: other,
    body: { everybody: true, event: 'x' },
  });
});

scenario('of 1,000 sp_update with one key both end with the last, the slow one got few', { processes: 'two' }, async (cluster) => {
  const fast = await ChatClient.connected(cluster, 'fast');
  const slow = await RawSocket.socketIo(cluster, 'slow');
  slow.ws._socket.pause();
  const updates = Array.from({ length: 1000 }, (_, i) => ['fast', 'slow'].map((user) => ({
    userId: user,
    event: 'sp_update',
    json: JSON.stringify({ sp: i, padding: 'x'.repeat(8000) }),
    deliveryClass: 'DELIVERY_CLASS_LATEST',
    key: 'sp',
  }))).flat();
  const begin = Date.now();
  await push(cluster, updates);
  const took = Date.now() - begin;
  await fast.sees('the last', (e) => e.name === 'sp_update' && e.payload.sp === 999);
  slow.ws._socket.resume();
  await slow.sees('the last', (frame) => frame.includes('{"sp":999,'));

  const count = slow.received.filter((frame) => String(frame).includes('"sp_update"')).length;
  console.log(`2,000 pushed within ${took} ms; the fast client got `
    + `${fast.events.filter((e) => e.name === 'sp_update').length}, the slow one ${count}`);
  assert.ok(count < 300, `the slow one got ${count}`);
  assert.equal(await cluster.metric(cluster.edge, 'confab_edge_connections'), 2);
});

scenario('a flood of low priority does not hold up what is urgent', { processes: 'two' }, async (cluster) => {
  const slow = await RawSocket.socketIo(cluster, 'slow');
  slow.ws._socket.pause();
  // Twice what the kernel takes for a reader that has stopped.
  const low = Array.from({ length: 4000 }, (_, i) => ({
    userId: 'slow', event: 'low', json: JSON.stringify({ i, padding: 'x'.repeat(2000) }),
    priority: 'NOTIFICATION_PRIORITY_LOW',
  }));
  await push(cluster, low);
  await push(cluster, [{ userId: 'slow', event: 'urgent', json: '1', priority: 'NOTIFICATION_PRIORITY_HIGH' }]);
  slow.ws._socket.resume();
  await slow.sees('the urgent one', (frame) => frame.includes('"urgent"'));
  await slow.sees('the last low one', (frame) => frame.includes('{"i":3999,'));

  const frames = slow.received.map(String);
  const urgent = frames.findIndex((frame) => frame.includes('"urgent"'));
  const behind = frames.slice(urgent).filter((frame) => frame.includes('"low"')).length;
  assert.ok(behind > 50, `${behind} low ones came behind the urgent one`);
});

scenario('the worked example: a game tells its players', {}, async (cluster) => {
  const ann = await ChatClient.connected(cluster, 'ann');
  const ben = eventsSocket(cluster, 'ben');
  await told(ben, 'connected');
  const scopes = 'rooms:write,messages:write,notify';
  const token = (await cluster.ctl('token', 'mint', '--service', 'game', '--scopes', scopes)).trim();
  const run = () => new Promise((resolve) => {
    execFile(
      `${binDir}/confab-example-game`,
      [cluster.ctlEnv.CONFAB_CONTROL, '7', 'ann', 'ben', 'eve'],
      { env: { ...process.env, CONFAB_TOKEN: token }, timeout: 30_000 },
      (error, out, err) => resolve({ code: error ? error.code : 0, out, err }),
    );
  });

  const first = await run();
  assert.equal(first.code, 0, first.err);
  assert.match(first.out, /all told/);
  await told(ben, 'sp_update', ({ sp }) => sp === 100);
  await ann.sees('the last points', (e) => e.name === 'sp_update' && e.payload.sp === 100);
  await told(ben, 'reward', ({ gold }) => gold === 10);
  const again = await run();
  assert.match(again.out, /all told/);

  // Twice run, once there: every repeated call carried its key.
  await ann.join('game_7');
  const { events } = await ann.must('getHistory', { roomId: 'game_7' });
  assert.deepEqual(
    events.map(({ event, content, name }) => content ?? name ?? event),
    ['memberJoined', 'memberJoined', 'memberJoined', 'The game begins.', 'game_started'],
  );
  const eve = await ChatClient.connected(cluster, 'eve');
  await eve.sees('the reward that waited', (e) => e.name === 'reward' && e.inboxSeq === 1);
});

scenario('the feed tells every event of all rooms, and goes on from its cursor', { store: 'postgres' }, async (cluster) => {
  await cluster.createRoom('a', ['ann']);
  await cluster.createRoom('b', ['ann']);
  for (let i = 0; i < 5; ++i) {
    await cluster.ctl('message', 'post', 'a', `a${i}`);
    await cluster.ctl('message', 'post', 'b', `b${i}`);
  }
  const read = async (...more) => {
    const out = await cluster.ctl('feed', 'tail', '--consumer', 'search', '--from-start', '--stop', '-o', 'json', ...more);
    return out.split('\n').filter(Boolean).map((line) => JSON.parse(line).event);
  };
  const lines = (events) => events.map(({ roomId, seq }) => `${roomId}${seq}`).sort();

  const uncommitted = await read();
  assert.deepEqual(lines(await read('--commit')), lines(uncommitted));
  assert.equal(uncommitted.length, 12);
  for (const room of ['a', 'b']) {
    const seqs = uncommitted.filter(({ roomId }) => roomId === room).map(({ seq }) => Number(seq));
    assert.deepEqual(seqs, [1, 2, 3, 4, 5, 6]);
  }
  await cluster.ctl('message', 'post', 'a', 'later');
  assert.deepEqual(lines(await read('--commit')), ['a7']);
  assert.deepEqual(await read(), []);
  assert.match(await cluster.ctl('feed', 'list'), /^search /m);
});
