// limits_test.mjs: what a client meets at the limits of an edge, with the stock client. It says
// where it is by X-Forwarded-For: the test is the proxy.
import assert from 'node:assert/strict';
import fs from 'node:fs';

import { ChatClient } from '../support/chat_client.mjs';
import { scenario } from '../support/scenario.mjs';
import { until } from '../support/until.mjs';

const from = (address) => ({ extraHeaders: { 'X-Forwarded-For': address } });
const PROXY = { 'trusted-proxies': '127.0.0.0/8' };

for (const transport of ['websocket', 'polling']) {
  scenario(
    `one session too many of an address comes in by itself when another goes (${transport})`,
    { edge: { ...PROXY, 'connections-per-address': 1 } },
    async (cluster) => {
      const options = { ...from('192.0.2.1'), transports: [transport] };
      const first = await ChatClient.connected(cluster, 'ann', options);
      const second = new ChatClient(cluster, 'ben', options);
      const other = await ChatClient.connected(cluster, 'cid', {
        ...options,
        ...from('192.0.2.2'),
      });
      await until('ben is refused', () => second.connectErrors.length > 0);
      assert.equal(second.socket.active, true, 'he does not try again');

      first.close();

      await until('ben is let in', () => second.socket.connected);
      assert.deepEqual(other.disconnects, []);
    },
  );
}

scenario(
  'the oldest of too many connections of a user goes, and stays away',
  { edge: { 'connections-per-user': 2 } },
  async (cluster) => {
    const [first, second] = [
      await ChatClient.connected(cluster, 'ann'),
      await ChatClient.connected(cluster, 'ann', { transports: ['polling'] }),
    ];
    const third = await ChatClient.connected(cluster, 'ann');

    await until('the first is gone', () => first.disconnects.length > 0);

    const closing = first.events.find((event) => event.name === 'server:closing');
    assert.deepEqual(closing, { name: 'server:closing', code: 4504, reason: 'REPLACED' });
    assert.deepEqual(first.disconnects, ['io server disconnect']);
    assert.equal(first.socket.active, false, 'they would take turns for ever');
    assert.deepEqual([second.disconnects, third.disconnects], [[], []]);
  },
);

scenario('who guesses tokens has to wait', { edge: { ...PROXY, 'failed-logins': 3 } }, async (cluster) => {
  for (let i = 0; i < 3; ++i) {
    const guess = new ChatClient(cluster, 'ann', { ...from('192.0.2.1'), token: 'rubbish' });
    await until('the guess is refused', () => guess.connectErrors.length > 0);
    assert.equal(guess.connectErrors[0].data?.reason, 'TOKEN_INVALID');
  }
  const blocked = new ChatClient(cluster, 'ann', { ...from('192.0.2.1'), reconnection: false });
  await until('a good token is not looked at', () => blocked.connectErrors.length > 0);
  assert.equal(blocked.socket.connected, false);
  const answer = await fetch(`${cluster.url}/v1/rooms`, {
    headers: {
      'x-forwarded-for': '192.0.2.1',
      authorization: `Bearer ${cluster.token('ann')}`,
    },
  });
  assert.equal(answer.status, 429);
  assert.ok(Number(answer.headers.get('retry-after')) > 0);
  await ChatClient.connected(cluster, 'ann', from('192.0.2.2'));
});

scenario('HUP takes the limits of the file, or none of them', { start: false }, async (cluster) => {
  const file = `${cluster.dir}/edge.toml`;
  const write = (text) => fs.writeFileSync(file, text);
  delete cluster.edgeFlags['rate-joins'];
  cluster.edgeFlags.config = file;
  write('rate-joins = "5/50"\n');
  await cluster.start();
  await cluster.createRoom('den', ['ann']);
  const ann = await ChatClient.connected(cluster, 'ann');
  const reloads = (result) =>
    cluster.metric(cluster.edge, `confab_edge_reloads_total{result="${result}"}`);
  // The log is written behind what it tells of.
  const says = (what, words) => until(`the log says ${what}`, () => words.test(cluster.edge.log()));
  const hup = () => process.kill(cluster.edge.pid, 'SIGHUP');
  await ann.join('den');
  await ann.join('den');

  write('rate-joins = "1/1"\nconnections-per-user = "many"\n');
  hup();
  await until('the faulty file is noticed', async () => (await reloads('failed')) === 1);
  await says('its fault', /not reloaded: the keys in use stay, and the limits.*edge\.toml:2/);
  await ann.join('den');
  await ann.join('den');

  write('rate-joins = "1/1"\ndialect = "events"\n');
  hup();
  await until('the file is read', async () => (await reloads('ok')) === 1);
  let refused;
  await until('the new rate holds', async () => {
    refused = await ann.ask('joinRoom', { roomId: 'den' });
    return refused.ok === false;
  });
  assert.equal(refused.error.reason, 'RATE_LIMITED');
  assert.match(refused.error.message, /more than 1 joins a second, or 1 at once/);
  await says('what it cannot take', /holds after a restart only.*--dialect/);
  assert.deepEqual(ann.disconnects, []);
});
