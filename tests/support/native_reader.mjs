// native_reader.mjs: a client of the native protocol (JSON) in one room, so light that thousands fit into
// one process: a bare TCP connection that counts what it is told instead of keeping it, can stop
// reading, go away, leave its room, and comes back where it stood.
import net from 'node:net';

import { frame, upgradeRequest } from './raw_tcp.mjs';

const PING = 9;
const PONG = 10;
const CLOSE = 8;
const BACK_OFF_MS = 200;
// What its requests are called.
const JOIN = '1';
const LEAVE = '2';
// Of an event of a log: what stands before its content.
const EVENT = /^\{"event":\{"roomId":"[^"]*","seq":"(\d+)"/;

export class NativeReader {
  constructor(cluster, user, room) {
    this.cluster = cluster;
    this.user = user;
    this.room = room;
    this.position = null; // Seq of the last event it was told; null: it has not joined.
    this.connects = 0;
    this.losses = 0;
    this.faults = []; // What no reader may see: a seq twice, out of order or left out; a refusal.
    this.isStopped = false;
    this.isOver = false;
    this.isIn = false; // The present connection has joined.
    this.isAway = false;
    this.outsideMs = null; // How long it is to stay out of its room; null: it is not leaving.
    this.waiting = []; // For that.
    cluster.closing.push(() => this.close());
  }

  // Connected and joined. Comes back by itself from now on.
  open() {
    this.#connect();
    return this.joined();
  }

  joined() {
    if (this.isIn) return Promise.resolve();
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  // It takes nothing any more; what its side of the connection has room for still comes.
  // REQUIRES: it has joined.
  stop() {
    this.isStopped = true;
    this.socket.pause();
  }

  go() {
    this.isStopped = false;
    if (this.isIn) this.socket.resume();
    else this.#connect();
  }

  // Hangs up, and is gone until comeBack().
  goAway() {
    this.isAway = true;
    this.isIn = false;
    clearTimeout(this.redial);
    this.socket.destroy();
  }

  comeBack() {
    this.isAway = false;
    return this.open();
  }

  // Leaves its room for so long, and joins it again where it stood; unless it is not in now.
  leaveFor(ms) {
    if (!this.isIn || this.outsideMs !== null) return;
    this.outsideMs = ms;
    this.#leave();
  }

  close() {
    this.isOver = true;
    clearTimeout(this.redial);
    this.socket?.destroy();
  }

  #connect() {
    ++this.connects;
    this.isIn = false;
    this.outsideMs = null;
    this.rest = null; // Of a frame that has not come whole; null: before the upgrade.
    this.head = '';
    this.socket = net.connect({ port: this.cluster.port, host: '127.0.0.1', noDelay: true });
    const { socket } = this;
    socket.on('data', (data) => this.#take(data));
    socket.on('error', () => {}); // A close follows.
    socket.on('close', () => this.socket === socket && this.#lose());
    socket.write(upgradeRequest('/', { 'Sec-WebSocket-Protocol': 'confab.v1.json' }));
  }

  #lose() {
    if (this.isOver || this.isAway) return;
    if (this.isIn) ++this.losses;
    this.isIn = false;
    if (this.isStopped) return; // It has not noticed yet.
    this.redial = setTimeout(() => this.#connect(), BACK_OFF_MS * (0.5 + Math.random()));
  }

  // If the present connection still stands then.
  #later(ms, act) {
    const { socket } = this;
    setTimeout(() => this.socket === socket && !socket.destroyed && act(), ms);
  }

  #say(object) {
    this.socket.write(frame(1, JSON.stringify(object)));
  }

  #join() {
    const from = this.position === null ? {} : { afterSeq: String(this.position) };
    this.#say({ request: JOIN, joinRoom: { roomId: this.room, ...from } });
  }

  #leave() {
    this.#say({ request: LEAVE, leaveRoom: { roomId: this.room } });
  }

  #take(data) {
    if (this.rest !== null) return this.#frames(data);
    this.head += data.toString('latin1');
    const end = this.head.indexOf('\r\n\r\n');
    if (end < 0) return;
    if (!this.head.startsWith('HTTP/1.1 101 ')) return this.socket.destroy(); // Comes again.
    this.rest = Buffer.alloc(0);
    this.#say({ connect: { token: this.cluster.token(this.user) } });
    this.#frames(Buffer.from(this.head.slice(end + 4), 'latin1'));
  }

  // Servers do not mask, and ours does not fragment.
  #frames(data) {
    let buffer = this.rest.length > 0 ? Buffer.concat([this.rest, data]) : data;
    for (;;) {
      if (buffer.length < 2) break;
      let size = buffer[1] & 0x7f;
      let head = 2;
      if (size === 126) [size, head] = [buffer.length < 4 ? Infinity : buffer.readUInt16BE(2), 4];
      else if (size === 127)
        [size, head] = [buffer.length < 10 ? Infinity : Number(buffer.readBigUInt64BE(2)), 10];
      if (buffer.length < head + size) break;
      this.#frame(buffer[0] & 0x0f, buffer.subarray(head, head + size));
      buffer = buffer.subarray(head + size);
    }
    this.rest = buffer;
  }

  #frame(opcode, payload) {
    if (opcode === PING) return this.socket.write(frame(PONG, payload));
    if (opcode === CLOSE) return this.socket.end();
    const event = EVENT.exec(payload.toString('latin1', 0, 200));
    if (event) return this.#event(Number(event[1]));
    const { connected, reply, closing, signal, ...others } = JSON.parse(payload.toString());
    if (signal) return; // Who is there, who types: nothing it counts.
    if (connected) return this.#join();
    if (reply) return reply.request === LEAVE ? this.#left(reply) : this.#joined(reply);
    // Told why, it will be closed; what is for good would go on for ever.
    const isForGood = closing !== undefined && closing.code >= 4500;
    if (isForGood || !closing) this.faults.push(JSON.stringify({ closing, ...others }).slice(0, 200));
  }

  #joined({ joinRoom, error }) {
    if (joinRoom) {
      this.position ??= Number(joinRoom.lastSeq);
      this.isIn = true;
      for (const resolve of this.waiting.splice(0)) resolve();
    } else {
      this.#refused(error, () => this.#join());
    }
  }

  #left({ error }) {
    if (error) return this.#refused(error, () => this.#leave());
    this.isIn = false;
    this.#later(this.outsideMs, () => this.#join());
    this.outsideMs = null;
  }

  #refused(error, again) {
    if (error.retryable) this.#later(error.retryAfterMs || BACK_OFF_MS, again);
    else this.faults.push(JSON.stringify(error));
  }

  #event(seq) {
    if (seq !== this.position + 1) this.faults.push(`${seq} after ${this.position}`);
    this.position = seq;
  }
}
