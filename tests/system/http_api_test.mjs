// http_api_test.mjs: what a page does outside the socket: rooms, joining and leaving, members,
// history, messages; publishing for services. Each answer is held against the OpenAPI document.
import assert from 'node:assert/strict';
import net from 'node:net';

import { Validator } from '@seriousme/openapi-schema-validator';

import { ChatClient } from '../support/chat_client.mjs';
import { HttpApi } from '../support/http_client.mjs';
import { scenario } from '../support/scenario.mjs';
import { badTokens, mint } from '../support/tokens.mjs';
import { until } from '../support/until.mjs';

const serviceToken = (cluster, scope = 'messages:write', claims = {}) =>
  mint(cluster.serviceSecret, 'svc', { aud: 'control', scope, ...claims });

scenario('the OpenAPI document is a valid one', {}, async (cluster) => {
  const api = await HttpApi.of(cluster);
  const { valid, errors } = await new Validator().validate(structuredClone(api.document));
  assert.ok(valid, JSON.stringify(errors));
  assert.equal(api.document.openapi, '3.1.0');
});

scenario('rooms are made, listed and shown, to who may see them', {}, async (cluster) => {
  const api = await HttpApi.of(cluster);
  const made = await api.ask('POST', '/v1/rooms', {
    user: 'ann',
    body: { roomId: 'tea', topic: 'Tea & "cakes"', members: ['bob', { userId: 7, role: 'reader' }] },
  });
  assert.equal(made.status, 201);
  assert.equal(made.headers.get('location'), '/v1/rooms/tea');
  assert.equal(made.body.lastSeq, 3);
  const own = await api.must('POST', '/rooms', { user: 'ann', body: { visibility: 'public' } });
  assert.match(own.roomId, /^[0-9a-f]{8}-[0-9a-f]{4}-7/);

  const shown = await api.must('GET', '/v1/rooms/tea', { user: 'bob' });
  assert.deepEqual(shown, { ...made.body, memberCount: 3 });
  await api.must('GET', `/v1/rooms/${own.roomId}`, { user: 'eve' });
  await api.refused(403, 'NOT_A_MEMBER', 'GET', '/v1/rooms/tea', { user: 'eve' });
  await api.refused(404, 'ROOM_NOT_FOUND', 'GET', '/v1/rooms/none', { user: 'ann' });
  await api.refused(409, 'ROOM_EXISTS', 'POST', '/v1/rooms', {
    user: 'eve',
    body: { roomId: 'tea' },
  });

  const { rooms } = await api.must('GET', '/v1/rooms', { user: 'ann' });
  assert.deepEqual(rooms.map((room) => room.roomId).sort(), [own.roomId, 'tea'].sort());
  const first = await api.must('GET', '/v1/rooms?limit=1', { user: 'ann' });
  const second = await api.must(
    'GET',
    `/v1/rooms?limit=1&pageToken=${encodeURIComponent(first.nextPageToken)}`,
    { user: 'ann' },
  );
  assert.deepEqual([...first.rooms, ...second.rooms], rooms);
  assert.equal(second.nextPageToken, undefined);
  assert.deepEqual((await api.must('GET', '/v1/rooms', { user: 'eve' })).rooms, []);

  const { members } = await api.must('GET', '/rooms/tea/members', { user: 'bob' });
  assert.deepEqual(
    members.map(({ userId, role }) => [userId, role]),
    [
      ['7', 'reader'],
      ['ann', 'owner'],
      ['bob', 'member'],
    ],
  );
  await api.refused(403, 'NOT_A_MEMBER', 'GET', '/rooms/tea/members', { user: 'eve' });
  await api.refused(403, 'NOT_A_MEMBER', 'GET', `/rooms/${own.roomId}/members`, { user: 'eve' });
});

scenario('who joins over HTTP may join on the socket; who leaves hears nothing more', {}, async (cluster) => {
  const api = await HttpApi.of(cluster);
  await api.must('POST', '/v1/rooms', {
    user: 'ann',
    body: { roomId: 'open', visibility: 'public' },
  });
  const ann = await ChatClient.connected(cluster, 'ann');
  await ann.join('open');
  const bob = await ChatClient.connected(cluster, 'bob');

  // As the acked family does it: no body, then the socket.
  const joined = await api.must('POST', '/rooms/open/join', { user: 'bob' });
  assert.deepEqual(joined, { roomId: 'open', role: 'member', lastSeq: 2 });
  assert.deepEqual(await api.must('POST', '/v1/rooms/open/join', { user: 'bob' }), joined);
  await ann.sees('bob joining', (e) => e.name === 'memberJoined' && e.userId === 'bob');
  await bob.join('open');
  await ann.send('open', 'welcome');
  await bob.seesContent('open', 'welcome');

  await api.must('POST', '/rooms/open/leave', { user: 'bob' });
  await ann.send('open', 'is bob gone?');
  await ann.sees('bob leaving', (e) => e.name === 'memberLeft' && e.userId === 'bob');
  const ack = await bob.ask('sendMessage', { roomId: 'open', content: 'no' });
  assert.equal(ack.error.reason, 'NOT_A_MEMBER');
  assert.equal(bob.messages('open').length, 1);
  await api.must('POST', '/rooms/open/leave', { user: 'bob' }); // Again: he is none.

  await cluster.createRoom('closed', ['ann']);
  await api.refused(403, 'NOT_A_MEMBER', 'POST', '/rooms/closed/join', { user: 'bob' });
  await api.refused(404, 'ROOM_NOT_FOUND', 'POST', '/rooms/none/join', { user: 'bob' });
});

scenario('a message over HTTP reaches sockets, once for one key', {}, async (cluster) => {
  const api = await HttpApi.of(cluster);
  await cluster.createRoom('r', ['ann', 'bob']);
  const bob = await ChatClient.connected(cluster, 'bob');
  await bob.join('r');
  const post = (options) => api.must('POST', '/v1/rooms/r/messages', { user: 'ann', ...options });

  const first = await post({ body: { content: 'hi' }, headers: { 'idempotency-key': 'k1' } });
  const again = await post({ body: { content: 'hi' }, headers: { 'idempotency-key': 'k1' } });
  const inBody = await post({ body: { content: 'hi', clientMsgId: 'k1' } });
  assert.deepEqual(again, first);
  assert.deepEqual(inBody, first);
  // Many at once, and the socket's retry of the same key.
  const burst = await Promise.all(
    Array.from({ length: 20 }, () => post({ body: { content: 'burst', clientMsgId: 'k2' } })),
  );
  assert.equal(new Set(burst.map((answer) => answer.messageId)).size, 1);
  const ann = await ChatClient.connected(cluster, 'ann');
  const ack = await ann.send('r', 'hi', { clientMsgId: 'k1' });
  assert.equal(ack.messageId, first.messageId);

  await bob.seesContent('r', 'burst');
  await post({ body: { content: 'last', type: 'image', replyTo: first.messageId } });
  await bob.seesContent('r', 'last');
  assert.deepEqual(
    bob.messages('r').map((message) => message.content),
    ['hi', 'burst', 'last'],
  );

  const page = await api.must('GET', '/v1/rooms/r/history?afterSeq=2&limit=2', { user: 'bob' });
  assert.deepEqual(
    page.events.map((event) => event.content),
    ['hi', 'burst'],
  );
  assert.equal(page.more, true);
  assert.equal(page.lastSeq, 5);
  const { events } = await api.must('GET', '/v1/rooms/r/history', { user: 'bob' });
  assert.deepEqual(
    events.map((event) => event.seq),
    [1, 2, 3, 4, 5],
  );
  const newest = events.at(-1);
  assert.equal(newest.sender.name, 'Name of ann');
  assert.equal(newest.type, 'image');
  assert.equal(newest.replyTo, first.messageId);
  const { name, ...live } = bob.messages('r').at(-1);
  assert.deepEqual({ event: name, ...live }, newest);
});

scenario('nobody is let in', {}, async (cluster) => {
  const api = await HttpApi.of(cluster);
  await cluster.createRoom('r', ['ann']);
  const body = { content: 'x' };
  await api.refused(403, 'NOT_A_MEMBER', 'GET', '/v1/rooms/r/history', { user: 'eve' });
  await api.refused(403, 'NOT_A_MEMBER', 'POST', '/v1/rooms/r/messages', { user: 'eve', body });
  for (const [what, token, reason] of badTokens(cluster.userSecret, 'ann')) {
    if (token?.length > 8_000) continue; // More than the headers of a request may be.
    const answer = await api.refused(401, reason, 'GET', '/v1/rooms/r', {
      token: token || undefined,
    });
    assert.equal(answer.headers.get('www-authenticate'), 'Bearer', what);
  }
  // A service's token is no user's, and the reverse; a scope is asked for.
  const publication = { roomId: 'r', content: 'news' };
  const publish = (token) => ['POST', '/v1/publish', { token, body: publication }];
  await api.refused(401, 'TOKEN_INVALID', 'GET', '/v1/rooms', { token: serviceToken(cluster) });
  await api.refused(401, 'TOKEN_INVALID', ...publish(cluster.token('ann')));
  await api.refused(401, 'TOKEN_MISSING', ...publish(undefined));
  await api.refused(403, 'SCOPE_MISSING', ...publish(serviceToken(cluster, 'rooms:write')));
  await api.refused(401, 'TOKEN_EXPIRED', ...publish(serviceToken(cluster, undefined, { exp: 1 })));
  assert.equal((await cluster.roomLog('r')).length, 1);
});

scenario('services publish, as the system or as a member, once for one key', {}, async (cluster) => {
  const api = await HttpApi.of(cluster);
  await cluster.createRoom('r', ['ann']);
  const ann = await ChatClient.connected(cluster, 'ann');
  await ann.join('r');
  const publish = (more) => ({
    token: serviceToken(cluster),
    body: { roomId: 'r', content: 'news', ...more },
  });
  const first = await api.must('POST', '/v1/publish', publish({ idempotencyKey: 'n1' }));
  assert.deepEqual(await api.must('POST', '/publish', publish({ idempotencyKey: 'n1' })), first);
  await api.must('POST', '/publish', publish({ content: 'from ann', sender: { id: 'ann' } }));
  await api.refused(403, 'NOT_A_MEMBER', 'POST', '/publish', publish({ sender: { id: 'eve' } }));
  await api.refused(404, 'ROOM_NOT_FOUND', 'POST', '/publish', publish({ roomId: 'none' }));
  await ann.seesContent('r', 'from ann');
  assert.deepEqual(
    ann.messages('r').map(({ content, type, senderId }) => [content, type, senderId]),
    [
      ['news', 'system', ''],
      ['from ann', 'text', 'ann'],
    ],
  );
});

scenario('room ids may be any UTF-8', {}, async (cluster) => {
  const api = await HttpApi.of(cluster);
  for (const roomId of ['방 한국어', 'a/b?c#d%', '😀', '%2F', 'é', '"\\']) {
    const path = `/v1/rooms/${encodeURIComponent(roomId)}`;
    const made = await api.ask('POST', '/v1/rooms', { user: 'ann', body: { roomId } });
    assert.equal(made.status, 201, roomId);
    assert.equal(made.body.roomId, roomId);
    await api.must('POST', `${path}/messages`, { user: 'ann', body: { content: roomId } });
    const { events } = await api.must('GET', `${path}/history`, { user: 'ann' });
    assert.equal(events.at(-1).content, roomId);
  }
  await api.must('POST', '/v1/rooms', { user: 'ann', body: { roomId: 42 } });
  assert.equal((await api.must('GET', '/rooms/42', { user: 'ann' })).roomId, '42');
  for (const path of ['/v1/rooms/%ff', '/v1/rooms/%', '/v1/rooms/%00', `/rooms/${'x'.repeat(129)}`]) {
    await api.refused(400, 'BAD_REQUEST', 'GET', path, { user: 'ann' });
  }
});

scenario('bad requests get a clear answer and harm nobody', {}, async (cluster) => {
  const api = await HttpApi.of(cluster);
  await cluster.createRoom('r', ['ann', 'bob']);
  const bob = await ChatClient.connected(cluster, 'bob');
  await bob.join('r');
  const messages = ['POST', '/v1/rooms/r/messages'];
  const user = 'ann';
  for (const raw of ['', '{', '[]', 'null', '1', '{"content":1}', '{}', '{"content":"x","type":7}',
    `{"content":${'['.repeat(100)}${']'.repeat(100)}}`, '{"content":"\\ud800"}',
    '{"content":"x","clientMsgId":{}}', '{"__proto__":{"content":"x"}}']) {
    await api.refused(400, 'BAD_REQUEST', ...messages, { user, raw });
  }
  await api.refused(413, 'CONTENT_SIZE', ...messages, { user, body: { content: '' } });
  await api.refused(413, 'CONTENT_SIZE', ...messages, { user, body: { content: 'x'.repeat(4001) } });
  await api.refused(415, 'BAD_REQUEST', ...messages, {
    user,
    raw: 'content=x',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  });
  const huge = await fetch(`${cluster.url}/v1/rooms/r/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: cluster.token('ann') },
    body: JSON.stringify({ content: 'x'.repeat(1 << 20) }),
  }).then((response) => response.status, () => 'cut');
  assert.ok(huge === 413 || huge === 'cut', `a body of 1 MiB: ${huge}`);
  for (const query of ['limit=x', 'beforeSeq=-1', 'afterSeq=1&beforeSeq=2', 'afterSeq=1.5']) {
    await api.refused(400, 'BAD_REQUEST', 'GET', `/v1/rooms/r/history?${query}`, { user });
  }
  await api.refused(404, 'UNKNOWN_COMMAND', 'GET', '/v1/nothing', { user });
  for (const method of ['PUT', 'DELETE', 'PATCH']) {
    const wrong = await api.ask(method, '/v1/rooms');
    assert.equal(wrong.status, 405, method);
    assert.equal(wrong.headers.get('allow'), 'GET, HEAD, POST, OPTIONS');
  }
  const head = await api.ask('HEAD', '/v1/rooms/r', { user });
  assert.equal(head.status, 200);
  assert.equal(head.body, undefined);

  await api.must(...messages, { user, body: { content: 'still here' } });
  await bob.seesContent('r', 'still here');
  assert.equal(bob.messages('r').length, 1);
});

scenario(
  'pages of allowed origins read every answer, others none',
  { edge: { 'allowed-origins': 'https://chat.example' } },
  async (cluster) => {
    const api = await HttpApi.of(cluster);
    const origin = 'https://chat.example';
    const allowed = (answer) => [
      answer.headers.get('access-control-allow-origin'),
      answer.headers.get('access-control-allow-credentials'),
    ];
    const preflight = await api.ask('OPTIONS', '/v1/rooms/r/messages', {
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type,idempotency-key',
      },
    });
    assert.equal(preflight.status, 204);
    assert.deepEqual(allowed(preflight), [origin, 'true']);
    assert.match(preflight.headers.get('access-control-allow-methods'), /POST/);
    assert.match(preflight.headers.get('access-control-allow-headers'), /Idempotency-Key/i);
    for (const [method, path, options] of [
      ['GET', '/v1/rooms', { user: 'ann' }],
      ['GET', '/v1/rooms', {}],
      ['GET', '/v1/rooms/none', { user: 'ann' }],
      ['GET', '/v1/nothing', {}],
      ['DELETE', '/v1/rooms', {}],
      ['POST', '/v1/rooms', { user: 'ann', raw: '{' }],
    ]) {
      const answer = await api.ask(method, path, { ...options, headers: { origin } });
      assert.deepEqual(allowed(answer), [origin, 'true'], `${method} ${path} ${answer.status}`);
    }
    const evil = { user: 'ann', headers: { origin: 'https://evil.example' } };
    const refused = await api.refused(403, 'FORBIDDEN', 'GET', '/v1/rooms', evil);
    assert.deepEqual(allowed(refused), [null, null]);
  },
);

scenario(
  'while control is away requests fail in time and retryably, then go on',
  { processes: 'two' },
  async (cluster) => {
    const api = await HttpApi.of(cluster);
    await cluster.createRoom('r', ['ann']);
    await api.must('GET', '/v1/health');
    await cluster.kill(cluster.control);
    await until('health says no', async () => (await api.ask('GET', '/health')).status === 503);

    const began = Date.now();
    const post = ['POST', '/v1/rooms/r/messages', { user: 'ann', body: { content: 'x', clientMsgId: 'k' } }];
    const away = await api.refused(503, 'UNAVAILABLE', ...post);
    assert.ok(Date.now() - began < 6_000, `${Date.now() - began} ms`);
    assert.equal(away.body.error.retryable, true);
    assert.ok(Number(away.headers.get('retry-after')) >= 1);

    await cluster.restart(cluster.control);
    await until('health says yes', async () => (await api.ask('GET', '/health')).status === 200);
    const posted = await api.must(...post);
    assert.deepEqual(await api.must(...post), posted);
    assert.equal((await cluster.roomLog('r')).filter((event) => event.content === 'x').length, 1);
  },
);

scenario('a client that goes before its answer leaves nothing behind', { processes: 'two' }, async (cluster) => {
  const api = await HttpApi.of(cluster);
  await cluster.createRoom('r', ['ann']);
  await cluster.kill(cluster.control);
  await until('health says no', async () => (await api.ask('GET', '/health')).status === 503);
  const request = `GET /v1/rooms/r HTTP/1.1\r\nHost: x\r\nAuthorization: ${cluster.token('ann')}\r\n\r\n`;
  for (let i = 0; i < 20; ++i) {
    const socket = net.connect(cluster.port, '127.0.0.1');
    await new Promise((resolve) => socket.write(request, resolve));
    socket.destroy();
  }
  await cluster.restart(cluster.control);
  await until('health says yes', async () => (await api.ask('GET', '/health')).status === 200);
  await api.must('GET', '/v1/rooms/r', { user: 'ann' });
  assert.equal(await cluster.metric(cluster.edge, 'confab_edge_connections'), 0);
});
