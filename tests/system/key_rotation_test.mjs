// key_rotation_test.mjs: HUP takes the issuer's new keys while everybody stays connected. Figures
// are printed; CONFAB_TEST_CONNECTIONS sets how many stay.
import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import fs from 'node:fs';

import { ChatClient } from '../support/chat_client.mjs';
import { scaled } from '../support/cluster.mjs';
import { scenario } from '../support/scenario.mjs';
import { until } from '../support/until.mjs';

const CONNECTIONS = Number(process.env.CONFAB_TEST_CONNECTIONS ?? scaled(100, 20));
const WITHIN_MS = 5_000; // What is promised from HUP to the first user of a new key.

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
async function settles(cluster, token, answer, probes = 8) {
  const start = Date.now();
  let first = null;
  for (let agreed = 0; agreed < probes;) {
    const is = (await isLetIn(cluster, token)) === answer;
    first = is ? (first ?? Date.now() - start) : null;
    agreed = is ? agreed + 1 : 0;
    assert.ok(Date.now() - start < 4 * WITHIN_MS, `${answer} is not what the server came to`);
  }
  return first;
}

scenario('keys are renewed by HUP and nobody is dropped', { start: false }, async (cluster) => {
  const file = `${cluster.dir}/keys.json`;
  const [old, next, last] = [
    new IssuerKey('2026-10', 'RS256'),
    new IssuerKey('2026-11', 'ES256'),
    new IssuerKey('2026-12', 'EdDSA'),
  ];
  publish(file, [old]);
  cluster.edgeFlags['user-keys-file'] = file;
  await cluster.start();
  await cluster.createRoom('hall', ['ann', 'bob']);
  const clients = await Promise.all(
    Array.from({ length: CONNECTIONS }, (_, i) =>
      ChatClient.connected(cluster, i % 2 ? 'ann' : 'bob', { token: old.token(i % 2 ? 'ann' : 'bob') }),
    ),
  );
  await Promise.all(clients.map((client) => client.join('hall')));
  const hup = () => process.kill(cluster.edge.pid, 'SIGHUP');
  const failures = () => cluster.metric(cluster.edge, 'confab_edge_reloads_total{result="failed"}');

  assert.equal(await isLetIn(cluster, next.token('ann')), 'TOKEN_INVALID');
  publish(file, [old, next, last]);
  hup();
  const accepted = await settles(cluster, next.token('ann'), true);
  assert.ok(accepted <= WITHIN_MS, `accepted after ${accepted} ms`);
  assert.equal(await isLetIn(cluster, last.token('ann')), true);
  assert.equal(await isLetIn(cluster, old.token('ann')), true);

  fs.writeFileSync(file, '{"keys": [');
  hup();
  await until('the broken file is noticed', async () => (await failures()) === 1);
  assert.match(cluster.edge.log(), /not reloaded: the keys in use stay.*keys\.json: is no JSON/);
  assert.equal(await isLetIn(cluster, next.token('ann')), true);

  publish(file, [next]);
  hup();
  const refused = await settles(cluster, old.token('ann'), 'TOKEN_INVALID');
  assert.ok(refused <= WITHIN_MS, `refused after ${refused} ms`);

  await clients[0].send('hall', 'still here');
  for (const client of clients) await client.sees('the message', (e) => e.content === 'still here');
  const dropped = clients.filter((client) => client.disconnects.length > 0).length;
  assert.equal(dropped, 0);
  console.log(
    `${CONNECTIONS} connections, ${dropped} dropped; new key accepted after ${accepted} ms, ` +
      `withdrawn key refused after ${refused} ms`,
  );
});
