// key_rotation_test.mjs: HUP takes the issuer's new keys and the public port's new certificate while
// everybody stays connected. Figures are printed; CONFAB_TEST_CONNECTIONS sets how many stay.
import assert from 'node:assert/strict';
import { X509Certificate, generateKeyPairSync, sign } from 'node:crypto';
import fs from 'node:fs';

import { Authority, serialShown } from '../support/authority.mjs';
import { ChatClient } from '../support/chat_client.mjs';
import { scaled } from '../support/cluster.mjs';
import { RawSocket } from '../support/raw_socket.mjs';
import { scenario } from '../support/scenario.mjs';
import { until } from '../support/until.mjs';

const CONNECTIONS = Number(process.env.CONFAB_TEST_CONNECTIONS ?? scaled(500, 50));
const USERS = CONNECTIONS / 5;
const AT_ONCE = 25; // That open: this process has one core for their handshakes.
const WITHIN_MS = 5_000; // What is promised from HUP to the first user of what is new.

const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

// An issuer's key and the tokens it signs.
class IssuerKey {
  constructor(kid, alg) {
    this.kid = kid;
    this.alg = alg;
    const kinds = {
      RS256: ['rsa', { modulusLength: 2048 }],
      ES256: ['ec', { namedCurve: 'P-256' }],
      EdDSA: ['ed25519', {}],
    };
    Object.assign(this, generateKeyPairSync(...kinds[alg]));
  }

  get jwk() {
    return { ...this.publicKey.export({ format: 'jwk' }), kid: this.kid, alg: this.alg, use: 'sig' };
  }

  token(user) {
    const exp = Math.floor(Date.now() / 1000) + 3600;
    const text = `${encode({ alg: this.alg, kid: this.kid })}.${encode({ sub: user, exp })}`;
    const digest = this.alg === 'EdDSA' ? null : 'sha256';
    const key = { key: this.privateKey, dsaEncoding: 'ieee-p1363' };
    return `${text}.${sign(digest, Buffer.from(text), key).toString('base64url')}`;
  }
}

// Whole or not at all, as a file of keys is to be renewed.
function publish(file, keys) {
  fs.writeFileSync(`${file}.new`, JSON.stringify({ keys: keys.map((key) => key.jwk) }));
  fs.renameSync(`${file}.new`, file);
}

async function isLetIn(cluster, token) {
  const client = new ChatClient(cluster, 'probe', { token, reconnection: false });
  await until('an answer', () => client.socket.connected || client.connectErrors.length > 0);
  const reason = client.connectErrors[0]?.data?.reason;
  client.close();
  return reason === undefined ? true : reason;
}

// How long it took until `probes` in a row, which meet every io thread, had this answer.
async function settles(what, ask, answer, probes = 8) {
  const start = Date.now();
  let first = null;
  for (let agreed = 0; agreed < probes;) {
    const is = (await ask()) === answer;
    first = is ? (first ?? Date.now() - start) : null;
    agreed = is ? agreed + 1 : 0;
    assert.ok(Date.now() - start < 4 * WITHIN_MS, `${what}: the server does not come to ${answer}`);
  }
  assert.ok(first <= WITHIN_MS, `${what}: after ${first} ms`);
  return first;
}

// A light client: 500 of the stock one would be a test of this process.
async function stay(cluster, token) {
  const raw = await RawSocket.socketIo(cluster, null, { token });
  raw.ws.on('message', (data) => data.toString() === '2' && raw.ws.send('3'));
  raw.ws.send('421["joinRoom",{"roomId":"hall"}]');
  await raw.sees('its room', (frame) => frame.startsWith?.('431[{"ok":true'));
  return raw;
}

scenario('keys and certificate are renewed by HUP, nobody dropped', { start: false }, async (cluster) => {
  const file = `${cluster.dir}/keys.json`;
  const [old, next, last] = [
    new IssuerKey('2026-10', 'RS256'),
    new IssuerKey('2026-11', 'ES256'),
    new IssuerKey('2026-12', 'EdDSA'),
  ];
  publish(file, [old]);
  cluster.edgeFlags['user-keys-file'] = file;
  const authority = new Authority(cluster.dir, 'authority');
  const certificate = authority.serve(cluster, 'public');
  await cluster.start();
  const users = Array.from({ length: USERS }, (_, i) => `user${i}`);
  await cluster.createRoom('hall', users);
  const clients = [];
  while (clients.length < CONNECTIONS) {
    const some = Array.from({ length: AT_ONCE }, (_, i) => users[(clients.length + i) % USERS]);
    clients.push(...(await Promise.all(some.map((user) => stay(cluster, old.token(user))))));
  }
  const ann = await ChatClient.connected(cluster, users[0], { token: old.token(users[0]) });
  await ann.join('hall');
  const hup = () => process.kill(cluster.edge.pid, 'SIGHUP');
  const fails = async (count, why) => {
    const name = 'confab_edge_reloads_total{result="failed"}';
    const counted = async () => (await cluster.metric(cluster.edge, name)) === count;
    await until('the broken file is noticed', counted);
    await until('the broken file is told', () => why.test(cluster.edge.log()));
  };
  const letsIn = (key) => () => isLetIn(cluster, key.token(users[1]));
  const shows = () => serialShown(cluster);

  const first = await shows();
  assert.equal(await letsIn(next)(), 'TOKEN_INVALID');
  publish(file, [old, next, last]);
  authority.issue('public');
  const renewed = new X509Certificate(fs.readFileSync(certificate.cert)).serialNumber;
  assert.notEqual(renewed, first);
  hup();
  const [accepted, shown] = await Promise.all([
    settles('the new key', letsIn(next), true),
    settles('the new certificate', shows, renewed),
  ]);
  assert.equal(await letsIn(last)(), true);
  assert.equal(await letsIn(old)(), true);

  fs.writeFileSync(file, '{"keys": [');
  hup();
  await fails(1, /not reloaded: the keys in use stay.*keys\.json: is no JSON/);
  publish(file, [next]);
  const good = fs.readFileSync(certificate.key);
  fs.copyFileSync(authority.key, certificate.key);
  hup();
  await fails(2, /not reloaded: .*public\.key: is not the key of/);
  // Whole or not at all: nor were the keys of tokens taken.
  assert.equal(await letsIn(old)(), true);
  assert.equal(await letsIn(next)(), true);
  assert.equal(await shows(), renewed);

  fs.writeFileSync(certificate.key, good);
  hup();
  const refused = await settles('the old key', letsIn(old), 'TOKEN_INVALID');

  await ann.send('hall', 'still here');
  const isIt = (frame) => frame.includes?.('"still here"');
  await Promise.all(clients.map((client) => client.sees('the message', isIt)));
  const dropped = clients.filter((client) => client.closed !== null).length;
  assert.equal(dropped + ann.disconnects.length, 0);
  console.log(
    `${CONNECTIONS} connections over TLS, ${dropped} dropped; new key accepted after ${accepted} ms, ` +
      `new certificate shown after ${shown} ms, withdrawn key refused after ${refused} ms`,
  );
});
