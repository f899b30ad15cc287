// chat_client.mjs: the stock socket.io-client as tests use it: keeps what it was told.
import { io } from 'socket.io-client';

import { until } from './until.mjs';

// Longer than any deadline of the server, also where dozens of clients share a busy core: a missing
// answer is a defect.
const ACK_MS = 30_000;

export class ChatClient {
  // Connects at once; `token` null: without any; `options` go to io().
  constructor(cluster, user, { token = cluster.token(user), ...options } = {}) {
    this.user = user;
    this.events = []; // [{name, ...payload}] in the order they came.
    this.disconnects = [];
    this.connectErrors = [];
    this.onEvent = () => {};
    this.socket = io(cluster.url, {
      transports: ['websocket'],
      forceNew: true,
      reconnectionDelay: 20,
      reconnectionDelayMax: 100,
      ca: cluster.ca,
      auth: token === null ? {} : { token },
      ...options,
    });
    this.socket.onAny((name, payload) => {
      const event = { name, ...payload };
      this.events.push(event);
      this.onEvent(event);
    });
    this.socket.on('disconnect', (reason) => this.disconnects.push(reason));
    this.socket.on('connect_error', (error) => this.connectErrors.push(error));
    cluster.closing.push(() => this.close());
  }

  // Gives up after `ms`.
  static async connected(cluster, user, { ms = ACK_MS, ...options } = {}) {
    const client = new ChatClient(cluster, user, options);
    await until(
      `${user} connects`,
      () => client.socket.connected,
      ms,
      () => client.connectErrors.map(String).join('; '),
    );
    return client;
  }

  // The ack of an event; an error if none comes.
  ask(event, payload, ms = ACK_MS) {
    return this.socket.timeout(ms).emitWithAck(event, payload);
  }

  // The ack, which must be {ok: true, ...}.
  async must(event, payload) {
    const ack = await this.ask(event, payload);
    if (ack?.ok !== true) throw new Error(`${this.user}: ${event} refused: ${JSON.stringify(ack)}`);
    return ack;
  }

  join(roomId, afterSeq) {
    return this.must('joinRoom', afterSeq === undefined ? { roomId } : { roomId, afterSeq });
  }

  send(roomId, content, more = {}) {
    return this.must('sendMessage', { roomId, content, ...more });
  }

  // Events of one room, of every kind that carries a seq.
  logged(roomId) {
    return this.events.filter((event) => event.roomId === roomId && event.seq !== undefined);
  }

  messages(roomId) {
    return this.events.filter((event) => event.name === 'newMessage' && event.roomId === roomId);
  }

  sees(what, match, ms = 10_000) {
    return until(
      `${this.user} sees ${what}`,
      () => this.events.find(match),
      ms,
      () => `it has ${JSON.stringify(this.events.slice(-3))}`,
    );
  }

  seesContent(roomId, content, ms) {
    return this.sees(
      content,
      (e) => e.name === 'newMessage' && e.roomId === roomId && e.content === content,
      ms,
    );
  }

  close() {
    this.socket.disconnect();
  }
}
