// control_tls_test.mjs: gRPC between edge, control and confabctl over mutual TLS, with certificates
// that the openssl program makes on the spot; renewed by HUP while streams go on.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import tls from 'node:tls';

import { Authority } from '../support/authority.mjs';
import { ChatClient } from '../support/chat_client.mjs';
import { pickPort } from '../support/cluster.mjs';
import { scenario } from '../support/scenario.mjs';
import { until } from '../support/until.mjs';

const WITHIN_MS = 5_000; // From HUP to the first connection that meets the new certificate.

// The serial number that control shows to who connects now; an error's code if it refuses.
function serialShown(port, options) {
  return new Promise((resolve) => {
    const socket = tls.connect({ host: '127.0.0.1', port, ALPNProtocols: ['h2'], ...options });
    socket.setTimeout(10_000, () => socket.destroy(new Error('no answer')));
    // A server that asks for a certificate refuses after the client's handshake: wait for its word.
    socket.once('data', () => resolve(socket.getPeerCertificate().serialNumber));
    socket.once('error', (error) => resolve(error.code ?? error.message));
    socket.once('close', () => resolve('closed'));
  }).finally(() => {});
}

scenario(
  'control is reached over mutual TLS only, and renews its certificate under live streams',
  { processes: 'two', start: false },
  async (cluster) => {
    const authority = new Authority(cluster.dir, 'authority');
    const stranger = new Authority(cluster.dir, 'stranger');
    const control = authority.issue('control');
    const edge = authority.issue('edge');
    const foreign = stranger.issue('foreign');
    const port = await pickPort();
    Object.assign(cluster.controlFlags, {
      'control-tls-cert': control.cert,
      'control-tls-key': control.key,
      'control-tls-client-ca': authority.cert,
    });
    Object.assign(cluster.edgeFlags, {
      'control-tls-cert': edge.cert,
      'control-tls-key': edge.key,
      'control-tls-ca': authority.cert,
    });
    await cluster.prepare({ control: `127.0.0.1:${port}` });
    // One after the other: the edge has never been without control.
    for (const server of cluster.servers) await cluster.restart(server);
    Object.assign(cluster.ctlEnv, {
      CONFAB_CONTROL_TLS_CERT: edge.cert,
      CONFAB_CONTROL_TLS_KEY: edge.key,
      CONFAB_CONTROL_TLS_CA: authority.cert,
    });

    await cluster.createRoom('hall', ['ann']);
    const ann = await ChatClient.connected(cluster, 'ann');
    await ann.join('hall');
    await ann.send('hall', 'over TLS');

    const pem = (file) => fs.readFileSync(file);
    const trusted = { ca: pem(authority.cert), cert: pem(edge.cert), key: pem(edge.key) };
    const first = await serialShown(port, trusted);
    assert.match(first, /^[0-9A-F]{20,}$/);
    assert.doesNotMatch(await serialShown(port, { ca: trusted.ca }), /^[0-9A-F]{20,}$/);
    const unknown = { ca: trusted.ca, cert: pem(foreign.cert), key: pem(foreign.key) };
    assert.doesNotMatch(await serialShown(port, unknown), /^[0-9A-F]{20,}$/);
    Object.assign(cluster.ctlEnv, { CONFAB_CONTROL_TLS_CA: stranger.cert });
    assert.equal((await cluster.ctlRaw(['room', 'list'])).code, 3);
    Object.assign(cluster.ctlEnv, { CONFAB_CONTROL_TLS_CA: authority.cert });

    authority.issue('control');
    const start = Date.now();
    process.kill(cluster.control.pid, 'SIGHUP');
    await until('the new certificate is shown', async () => {
      const serial = await serialShown(port, trusted);
      return /^[0-9A-F]{20,}$/.test(serial) && serial !== first;
    });
    const shown = Date.now() - start;
    assert.ok(shown <= WITHIN_MS, `shown after ${shown} ms`);
    const renewed = await serialShown(port, trusted);

    fs.writeFileSync(control.key, 'broken');
    process.kill(cluster.control.pid, 'SIGHUP');
    await until('the broken key is noticed', () =>
      /not reloaded.*holds no PEM private key/.test(cluster.control.log()),
    );
    assert.equal(await serialShown(port, trusted), renewed);

    await ann.send('hall', 'the stream went on');
    assert.equal(ann.disconnects.length, 0);
    assert.equal(await cluster.metric(cluster.edge, 'confab_edge_link_attached'), 1);
    assert.doesNotMatch(cluster.edge.log(), /control is away/);
    console.log(`new certificate shown after ${shown} ms, no stream lost`);
  },
);
