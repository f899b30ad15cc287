// raw_socket.mjs: a bare WebSocket (the `ws` package the stock client brings along) for what the
// stock client would never send: broken packets, bytes of a native protocol.
import { createRequire } from 'node:module';

import { until, within } from './until.mjs';

// ws is a dependency of engine.io-client, which is one of socket.io-client: look it up from there.
const ours = createRequire(import.meta.url);
const theirs = createRequire(ours.resolve('socket.io-client'));
const { WebSocket } = createRequire(theirs.resolve('engine.io-client'))('ws');

export class RawSocket {
  constructor(cluster, route, { protocols = [], headers = {} } = {}) {
    this.received = []; // Text frames as strings, binary ones as Buffers.
    this.closed = null; // {code, reason} once it is.
    this.httpStatus = null; // Status of a refused upgrade.
    this.ws = new WebSocket(cluster.url.replace('http', 'ws') + route, protocols, {
      headers,
      ca: cluster.ca,
    });
    this.ws.on('message', (data, isBinary) =>
      this.received.push(isBinary ? data : data.toString()),
    );
    this.ws.on('close', (code, reason) => (this.closed = { code, reason: reason.toString() }));
    this.ws.on('unexpected-response', (_, response) => {
      this.httpStatus = response.statusCode;
      response.resume();
      this.closed = { code: response.statusCode, reason: 'http' };
    });
    this.ws.on('error', () => {}); // A close or a status follows.
    cluster.closing.push(() => this.ws.terminate());
  }

  opened() {
    return within(
      'the WebSocket opens',
      10_000,
      new Promise((resolve, reject) => {
        this.ws.once('open', resolve);
        this.ws.once('error', reject);
        this.ws.once('unexpected-response', () => reject(new Error('no upgrade')));
      }),
    );
  }

  // An Engine.IO socket with its CONNECT accepted.
  static async socketIo(cluster, user, { token = cluster.token(user), ...options } = {}) {
    const raw = new RawSocket(cluster, '/socket.io/?EIO=4&transport=websocket', options);
    await raw.opened();
    await raw.sees('the open packet', (frame) => frame[0] === '0');
    raw.ws.send(`40${JSON.stringify({ token })}`);
    await raw.sees('its CONNECT accepted', (frame) => frame.startsWith?.('40'));
    return raw;
  }

  // The first frame that matches, from `from` on.
  sees(what, match, from = 0) {
    return until(
      `the raw socket sees ${what}`,
      () => {
        const frame = this.received.slice(from).find(match);
        if (frame === undefined && this.closed)
          throw new Error(`closed before ${what}: ${JSON.stringify(this.closed)}`);
        return frame;
      },
      10_000,
      () => `it has ${JSON.stringify(this.received.slice(-3).map(String))}`,
    );
  }

  isClosed(ms = 10_000) {
    return until('the server closes the socket', () => this.closed, ms);
  }
}
