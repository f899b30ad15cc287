// tls_test.mjs: the public port with TLS: every way a client connects, through several io threads,
// beside who speaks no TLS at all.
import assert from 'node:assert/strict';
import https from 'node:https';
import net from 'node:net';

import { Authority } from '../support/authority.mjs';
import { ChatClient } from '../support/chat_client.mjs';
import { scaled } from '../support/cluster.mjs';
import { RawSocket } from '../support/raw_socket.mjs';
import { scenario } from '../support/scenario.mjs';
import { until, within } from '../support/until.mjs';

const PER_KIND = scaled(10, 4); // Clients of each way to connect.
const MESSAGES = scaled(20, 5); // That each of them sends, from its first moment on.
const KINDS = [['polling'], ['websocket'], ['polling', 'websocket']];

function get(cluster, path, user) {
  const headers = { authorization: `Bearer ${cluster.token(user)}` };
  const answer = new Promise((resolve, reject) => {
    https
      .get(cluster.url + path, { ca: cluster.ca, headers }, (response) => {
        let body = '';
        response.on('data', (part) => (body += part));
        response.on('end', () => resolve({ status: response.statusCode, body: JSON.parse(body) }));
      })
      .on('error', reject);
  });
  return within(`GET ${path}`, 10_000, answer);
}

// What the server says to HTTP without TLS, up to its end.
function sayPlain(cluster) {
  const end = new Promise((resolve) => {
    let said = '';
    const socket = net.connect(cluster.port, '127.0.0.1');
    socket.on('data', (data) => (said += data.toString('latin1')));
    socket.on('error', () => {});
    socket.on('close', () => resolve(said));
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  });
  return within('the plain client is hung up on', 10_000, end);
}

scenario('every way to connect works over TLS', { start: false, edge: { 'io-threads': 4 } }, async (cluster) => {
  new Authority(cluster.dir, 'authority').serve(cluster, 'public');
  await cluster.start();
  const users = KINDS.flatMap((_, kind) =>
    Array.from({ length: PER_KIND }, (_, i) => `${['polling', 'socket', 'both'][kind]}${i}`),
  );
  await cluster.createRoom('hall', [...users, 'watcher']);
  const watcher = await RawSocket.socketIo(cluster, 'watcher');
  watcher.ws.on('message', (data) => data.toString() === '2' && watcher.ws.send('3'));
  watcher.ws.send('421["joinRoom",{"roomId":"hall"}]');
  await watcher.sees('its room', (frame) => frame.startsWith?.('431[{"ok":true'));

  // Those that upgrade send and receive while they do.
  const clients = await Promise.all(
    users.map(async (user, i) => {
      const transports = KINDS[Math.floor(i / PER_KIND)];
      const client = await ChatClient.connected(cluster, user, { transports });
      await client.join('hall', 0);
      for (let n = 0; n < MESSAGES; ++n) await client.send('hall', `${user} ${n}`);
      return client;
    }),
  );
  const count = users.length * MESSAGES;
  const seqs = Array.from({ length: count }, (_, i) => i + 1);
  for (const client of clients) {
    await until(`${client.user} has everything`, () => client.messages('hall').length >= count, 30_000);
    assert.deepEqual(
      client.messages('hall').map((message) => message.seq),
      seqs.map((seq) => seq + client.messages('hall')[0].seq - 1),
      client.user,
    );
    assert.equal(client.disconnects.length, 0);
  }
  const names = clients.map((client) => client.socket.io.engine.transport.name);
  await until('the upgrades are done', () =>
    clients.slice(2 * PER_KIND).every((client) => client.socket.io.engine.transport.name === 'websocket'),
  );
  assert.ok(names.slice(0, PER_KIND).every((name) => name === 'polling'));
  const moved = await cluster.metric(cluster.edge, 'confab_edge_http_handovers_total');
  assert.ok(moved > users.length, `only ${moved} connections moved to another io thread`);

  const history = await get(cluster, '/v1/rooms/hall/history?limit=5', users[0]);
  assert.equal(history.status, 200);
  assert.equal(history.body.events.length, 5);
  const native = new RawSocket(cluster, `/?token=${cluster.token('watcher')}`, { protocols: ['confab.v1.json'] });
  await native.opened();
  await native.sees('its greeting', (frame) => frame.length > 0);

  for (let i = 0; i < 20; ++i) assert.doesNotMatch(await sayPlain(cluster), /HTTP/);
  const noTls = 'confab_edge_tls_handshakes_total{result="no_tls"}';
  assert.equal(await cluster.metric(cluster.edge, noTls), 20);
  await clients[0].send('hall', 'the canary sings');
  await watcher.sees('the canary', (frame) => frame.includes?.('the canary sings'));
  console.log(`${users.length} clients, ${count} messages each, ${moved} connections moved`);
});
