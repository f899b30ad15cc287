// raw_tcp.mjs: a bare TCP connection to the edge, for what no HTTP or WebSocket library would send:
// headers byte by byte, bodies that never end, frames against the rules.
import assert from 'node:assert/strict';
import net from 'node:net';
import { setInterval } from 'node:timers/promises';

import { until } from './until.mjs';

export const WS_KEY = 'dGhlIHNhbXBsZSBub25jZQ==';

// A GET that asks for a WebSocket; `changes` replace headers (null: leave one out).
export function upgradeRequest(target, changes = {}, { method = 'GET', version = '1.1' } = {}) {
  const headers = {
    Host: '127.0.0.1',
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': WS_KEY,
    ...changes,
  };
  const lines = Object.entries(headers)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${target} HTTP/${version}\r\n${lines.join('')}\r\n`;
}

// One frame as a client sends it: masked (with zeros, which leaves the payload readable).
// `length`: what the header says, if not the truth.
export function frame(opcode, payload = '', { fin = true, rsv = 0, masked = true, length } = {}) {
  const body = Buffer.from(payload);
  const says = length ?? body.length;
  const mask = masked ? 0x80 : 0;
  const head = [(fin ? 0x80 : 0) | (rsv << 4) | opcode];
  if (says < 126) head.push(mask | says);
  else if (says < 65_536) head.push(mask | 126, says >> 8, says & 0xff);
  else {
    const eight = Buffer.alloc(8);
    eight.writeBigUInt64BE(BigInt(says));
    head.push(mask | 127, ...eight);
  }
  return Buffer.concat([Buffer.from(head), Buffer.alloc(masked ? 4 : 0), body]);
}

const POUR_PIECES = 16; // Sent in one turn of the loop.

export class RawTcp {
  constructor(cluster) {
    this.bytes = Buffer.alloc(0);
    this.isClosed = false; // By the server, or reset.
    this.socket = net.connect({ port: cluster.port, host: '127.0.0.1' });
    this.socket.setNoDelay(true);
    this.socket.on('data', (data) => (this.bytes = Buffer.concat([this.bytes, data])));
    this.socket.on('end', () => (this.isClosed = true));
    this.socket.on('close', () => (this.isClosed = true));
    this.socket.on('error', () => (this.isClosed = true)); // A reset is an end too.
    cluster.closing.push(() => this.socket.destroy());
  }

  // A WebSocket on a raw connection: its 101 is read, what follows are frames.
  static async webSocket(cluster, target = '/socket.io/?EIO=4&transport=websocket') {
    const raw = new RawTcp(cluster);
    raw.send(upgradeRequest(target));
    await raw.seesHead(' 101 ');
    raw.bytes = raw.bytes.subarray(raw.bytes.indexOf('\r\n\r\n') + 4);
    return raw;
  }

  // The same, with a Socket.IO connection of this user on it.
  static async socketIo(cluster, user) {
    const raw = await RawTcp.webSocket(cluster);
    raw.say(`40${JSON.stringify({ token: cluster.token(user) })}`);
    await raw.sees('CONNECT accepted', () => raw.texts().some((text) => text.startsWith('40')));
    return raw;
  }

  // False once the other side is gone.
  send(bytes) {
    if (this.isClosed || this.socket.destroyed) return false;
    this.socket.write(bytes);
    return true;
  }

  say(text) {
    return this.send(frame(1, text));
  }

  // Sends what `next` gives (index → bytes), until it is gone or `count` were sent; waits where the
  // server takes nothing. How many were sent. Looks up from it now and then: as long as the kernel
  // takes everything, Node would not read what the server says.
  async pour(count, next) {
    for (let i = 0; i < count; ++i) {
      if (i % POUR_PIECES === 0) await new Promise((resolve) => setImmediate(resolve));
      if (this.isClosed || this.socket.destroyed) return i;
      if (!this.socket.write(next(i))) await this.#drained();
    }
    return count;
  }

  #drained() {
    return new Promise((resolve) => {
      const done = () => {
        for (const event of ['drain', 'close', 'end', 'error']) this.socket.off(event, done);
        resolve();
      };
      for (const event of ['drain', 'close', 'end', 'error']) this.socket.on(event, done);
    });
  }

  // Sends what `next` gives, one piece each `ms`, until the other side is gone (null from `next` ends
  // it too); how many ms that took. `limit`: after so many it fails.
  async drip(ms, limit, next = () => 'a') {
    const began = performance.now();
    for await (const _ of setInterval(ms)) {
      const took = performance.now() - began;
      const piece = next();
      if (piece === null || !this.send(piece)) return took;
      assert.ok(took < limit, `piece by piece it goes on for ${limit} ms`);
    }
  }

  sees(what, condition, ms = 10_000) {
    return until(`a raw connection sees ${what}`, condition, ms, () =>
      JSON.stringify(this.bytes.subarray(0, 300).toString('latin1')),
    );
  }

  // The head of an answer with these words in its first line.
  seesHead(words) {
    return this.sees(words, () => {
      const text = this.bytes.toString('latin1');
      return text.includes('\r\n\r\n') && text.split('\r\n', 1)[0].includes(words) && text;
    });
  }

  ends(ms = 10_000) {
    return this.sees('its end', () => this.isClosed, ms);
  }

  // Status of the first answer; 0: none came.
  status() {
    return Number(/^HTTP\/1\.1 (\d{3}) /.exec(this.bytes.toString('latin1'))?.[1] ?? 0);
  }

  // Whole frames of the server so far: [{opcode, payload}].
  frames() {
    const found = [];
    for (let at = 0; at + 2 <= this.bytes.length; ) {
      let size = this.bytes[at + 1] & 0x7f;
      let head = 2;
      if (size === 126) {
        if (at + 4 > this.bytes.length) break;
        size = this.bytes.readUInt16BE(at + 2);
        head = 4;
      } else if (size === 127) {
        if (at + 10 > this.bytes.length) break;
        size = Number(this.bytes.readBigUInt64BE(at + 2));
        head = 10;
      }
      if (at + head + size > this.bytes.length) break;
      const payload = this.bytes.subarray(at + head, at + head + size);
      found.push({ opcode: this.bytes[at] & 0x0f, payload });
      at += head + size;
    }
    return found;
  }

  texts() {
    return this.frames()
      .filter(({ opcode }) => opcode === 1)
      .map(({ payload }) => payload.toString());
  }

  // The code of the server's close frame; null: none so far.
  closeCode() {
    const close = this.frames().find(({ opcode }) => opcode === 8);
    return close && close.payload.length >= 2 ? close.payload.readUInt16BE(0) : null;
  }

  // Waits for the server's end of it; the code it gave, or 1006.
  async closed(ms) {
    await this.sees('a close', () => this.closeCode() !== null || this.isClosed, ms);
    return this.closeCode() ?? 1006;
  }
}
