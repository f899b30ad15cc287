// token_expiry_test.mjs: tokens that end while their connection lives, with the stock client. What
// is short here is the tokens' life; nothing waits longer than that.
import assert from 'node:assert/strict';

import { ChatClient } from '../support/chat_client.mjs';
import { scenario } from '../support/scenario.mjs';
import { until } from '../support/until.mjs';

const LEFT_S = 5; // A client connects, is told and renews its token in this time, on busy cores too.
const EDGE = {
  'token-expiring-before': '10m',
  'token-grace': '500ms',
  'ping-interval': '250ms', // Pings put nothing off.
};

const soon = () => Math.floor(Date.now() / 1000) + LEFT_S;

scenario('a client renews its token, another is closed and comes back', { edge: EDGE }, async (cluster) => {
  await cluster.createRoom('den', ['ann', 'ben']);
  const exp = soon(); // Of both: who renews its token outlives the other.
  let given = 0;
  // The first token is short; who has to come back brings a longer one.
  const ben = await ChatClient.connected(cluster, 'ben', {
    token: null,
    auth: (answer) => answer({ token: cluster.token('ben', given++ === 0 ? { exp } : {}) }),
  });
  const ann = await ChatClient.connected(cluster, 'ann', { token: cluster.token('ann', { exp }) });
  await ann.join('den');
  const told = await ann.sees('token:expiring', (event) => event.name === 'token:expiring');
  assert.equal(Date.parse(told.expiresAt), exp * 1000);

  const other = await ann.ask('refreshToken', { token: cluster.token('ben') });
  const bad = await ann.ask('refreshToken', { token: 'rubbish' });
  const renewed = await ann.must('refreshToken', { token: cluster.token('ann') });

  assert.equal(other.error.reason, 'TOKEN_INVALID');
  assert.equal(bad.error.reason, 'TOKEN_INVALID');
  assert.ok(Date.parse(renewed.expiresAt) > Date.now() + 3_000_000, renewed.expiresAt);
  await until('ben is disconnected', () => ben.disconnects.length > 0);
  const closing = ben.events.find((event) => event.name === 'server:closing');
  assert.deepEqual(closing, { name: 'server:closing', code: 4001, reason: 'TOKEN_EXPIRED' });
  assert.deepEqual(ben.disconnects, ['transport close']);
  await until('ben is back by himself', () => ben.socket.connected && given === 2);
  await ben.join('den');
  await ben.send('den', 'back again');
  await ann.seesContent('den', 'back again');
  assert.deepEqual(ann.disconnects, []);
});

scenario('over polling a client is told, closed and may come back too', { edge: EDGE }, async (cluster) => {
  const ann = await ChatClient.connected(cluster, 'ann', {
    token: cluster.token('ann', { exp: soon() }),
    transports: ['polling'],
    reconnection: false,
  });

  await until('ann is disconnected', () => ann.disconnects.length > 0);

  const closing = ann.events.find((event) => event.name === 'server:closing');
  assert.deepEqual(closing, { name: 'server:closing', code: 4001, reason: 'TOKEN_EXPIRED' });
  assert.deepEqual(ann.disconnects, ['transport close']);
});
