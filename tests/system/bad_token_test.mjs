// bad_token_test.mjs: bad tokens get CONNECT_ERROR with a reason, then the socket is closed, and
// no client tries again for ever.
import assert from 'node:assert/strict';

import { ChatClient } from '../support/chat_client.mjs';
import { RawSocket } from '../support/raw_socket.mjs';
import { scenario } from '../support/scenario.mjs';
import { badTokens } from '../support/tokens.mjs';
import { until } from '../support/until.mjs';

scenario(
  'each bad token is refused with its reason, once, and the socket is closed',
  {},
  async (cluster) => {
    for (const [what, token, reason] of badTokens(cluster.userSecret, 'ann')) {
      const client = new ChatClient(cluster, 'ann', { token });
      let attempts = 0;
      client.socket.io.on('reconnect_attempt', () => ++attempts);

      await until(`${what} is refused`, () => client.connectErrors.length > 0);
      await until(`${what}: the client gives up`, () => client.socket.io._readyState === 'closed');

      const [error] = client.connectErrors;
      assert.equal(error.data?.reason, reason, `${what}: ${error.message}`);
      assert.equal(error.data.retryable, false, what);
      assert.ok(error.message.length > 0 && error.data.message.length > 0, what);
      assert.equal(client.socket.active, false, `${what}: the client would try again`);
      assert.equal(attempts, 0, what);
      assert.equal(client.connectErrors.length, 1, what);
    }
  },
);

scenario('the server itself closes the socket, behind its refusal', {}, async (cluster) => {
  for (const [what, token, reason] of badTokens(cluster.userSecret, 'ann')) {
    const raw = new RawSocket(cluster, '/socket.io/?EIO=4&transport=websocket');
    await raw.opened();
    await raw.sees('the open packet', (frame) => frame[0] === '0');

    raw.ws.send(token === null ? '40' : `40${JSON.stringify({ token })}`);
    await raw.isClosed();

    const refusal = raw.received.at(-1);
    assert.ok(refusal.startsWith('44{'), `${what}: ${refusal}`);
    assert.equal(JSON.parse(refusal.slice(2)).data.reason, reason, what);
  }
});

scenario(
  'tokens are taken from auth, from the header and from the query, in that order',
  {},
  async (cluster) => {
    const good = cluster.token('ann');
    const connects = async (route, headers, connect) => {
      const raw = new RawSocket(cluster, `/socket.io/?EIO=4&transport=websocket${route}`, {
        headers,
      });
      await raw.opened();
      raw.ws.send(connect);
      const answer = await raw.sees(
        'an answer',
        (frame) => frame.startsWith('40') || frame.startsWith('44'),
      );
      return answer.slice(0, 2);
    };
    const bearer = { authorization: `Bearer ${good}` };
    const bad = { authorization: 'Bearer bad' };

    assert.equal(await connects('', {}, `40{"token":"${good}"}`), '40');
    assert.equal(await connects('', {}, `40{"token":"Bearer ${good}"}`), '40');
    assert.equal(await connects('', bearer, '40'), '40');
    assert.equal(await connects('', { authorization: good }, '40'), '40');
    assert.equal(await connects(`&token=${good}`, {}, '40'), '40');
    assert.equal(await connects('', bearer, '40{"token":"bad"}'), '44');
    assert.equal(await connects(`&token=${good}`, bad, '40'), '44');
  },
);

scenario('an unknown namespace is refused and the connection stays', {}, async (cluster) => {
  const raw = await RawSocket.socketIo(cluster, 'ann');

  raw.ws.send('40/admin,');
  const refusal = await raw.sees('a refusal', (frame) => frame.startsWith('44'));
  raw.ws.send('420["getHistory",{"roomId":"nowhere"}]');

  assert.equal(refusal, '44/admin,{"message":"Invalid namespace"}');
  await raw.sees('an ack', (frame) => frame.startsWith('430'));
});

scenario(
  'origins: none, the same host and localhost are let in, others are not',
  {
    edge: { 'allowed-origins': 'https://chat.example' },
  },
  async (cluster) => {
    const route = '/socket.io/?EIO=4&transport=websocket';
    const upgrade = async (origin) => {
      const raw = new RawSocket(cluster, route, origin ? { headers: { origin } } : {});
      return raw.opened().then(
        () => 101,
        async () => (await raw.isClosed()).code,
      );
    };

    assert.equal(await upgrade(undefined), 101);
    assert.equal(await upgrade('http://localhost:3000'), 101);
    assert.equal(await upgrade('https://chat.example'), 101);
    assert.equal(await upgrade('https://evil.example'), 403);
    assert.equal(await upgrade('null'), 403);
  },
);
