// authority.mjs: a certificate authority of a test's own, made on the spot by the openssl program.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import tls from 'node:tls';

const CURVE = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

function openssl(...args) {
  execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'], timeout: 20_000 });
}

export class Authority {
  constructor(dir, name) {
    this.dir = dir;
    this.cert = `${dir}/${name}.crt`;
    this.key = `${dir}/${name}.key`;
    const subject = ['-subj', `/CN=${name}`, '-days', '2'];
    openssl('req', '-x509', ...CURVE, ...subject, '-keyout', this.key, '-out', this.cert);
  }

  // Certificate and key of that name, whole or not at all; a further call renews them.
  issue(name) {
    const base = `${this.dir}/${name}`;
    openssl('req', ...CURVE, '-subj', `/CN=${name}`, '-keyout', `${base}.key.new`, '-out', `${base}.csr`);
    fs.writeFileSync(`${base}.ext`, 'subjectAltName=DNS:localhost,IP:127.0.0.1\n');
    const signer = ['-CA', this.cert, '-CAkey', this.key, '-CAcreateserial', '-days', '2'];
    openssl('x509', '-req', '-in', `${base}.csr`, ...signer, '-extfile', `${base}.ext`, '-out', `${base}.crt.new`);
    for (const kind of ['key', 'crt']) fs.renameSync(`${base}.${kind}.new`, `${base}.${kind}`);
    return { cert: `${base}.crt`, key: `${base}.key` };
  }

  // The public port of `cluster` has TLS from its start on, with a certificate of this authority.
  serve(cluster, name) {
    const files = this.issue(name);
    Object.assign(cluster.edgeFlags, { 'tls-cert': files.cert, 'tls-key': files.key });
    cluster.ca = fs.readFileSync(this.cert);
    return files;
  }
}

// The serial number of the certificate that the public port shows to who connects now.
export function serialShown(cluster) {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ host: '127.0.0.1', port: cluster.port, ca: cluster.ca }, () => {
      resolve(socket.getPeerCertificate().serialNumber);
      socket.end();
    });
    socket.setTimeout(10_000, () => socket.destroy(new Error('no handshake')));
    socket.once('error', reject);
  });
}
