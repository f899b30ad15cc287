// load_run.mjs: many stock clients that send into many rooms, retry what was refused or lost with
// the same clientMsgId, come back with afterSeq, and write everything into a ledger.
import assert from 'node:assert/strict';

import { ChatClient } from '../support/chat_client.mjs';
import { newSeed, randomOf } from '../support/random.mjs';
import { until } from '../support/until.mjs';
import { Ledger } from './ledger.mjs';

const ACK_MS = 8_000; // Longer than the edge's own deadline: then a refusal comes first.
const RETRY_MS = 20; // What a client waits before it tries again, unless it was told.

export class LoadRun {
  // `clients` users in `rooms` rooms, all of them members of all rooms.
  constructor(cluster, { clients = 20, rooms = 10, inFlight = 4, seed = newSeed() } = {}) {
    this.cluster = cluster;
    this.ledger = new Ledger();
    this.random = randomOf(seed);
    this.users = Array.from({ length: clients }, (_, i) => `user-${i}`);
    this.rooms = Array.from({ length: rooms }, (_, i) => `room-${i}`);
    this.inFlight = inFlight;
    this.acks = 0;
    this.stopped = false;
    this.unexpected = [];
  }

  async open() {
    for (const room of this.rooms) await this.cluster.createRoom(room, this.users);
    this.clients = await Promise.all(
      this.users.map((user) => ChatClient.connected(this.cluster, user)),
    );
    for (const client of this.clients) {
      client.connects = 1;
      client.onEvent = (event) => this.#record(client, event);
      // After a loss the stock client connects again by itself; its subscriptions are ours to renew.
      client.socket.on('connect', () => this.#comeBack(client));
    }
    await Promise.all(
      this.clients.flatMap((client) =>
        this.rooms.map(async (room) => {
          const { lastSeq } = await client.join(room);
          this.ledger.subscribed(client.user, client.user, room, lastSeq);
        }),
      ),
    );
  }

  // Sends until `total` messages are acked, or without it until stop().
  send(total = Infinity) {
    let next = 0;
    const worker = async (client) => {
      while (!this.stopped && next < total) {
        const id = `${client.user}.${++next}`;
        const room = this.rooms[Math.floor(this.random() * this.rooms.length)];
        await this.#sendUntilAcked(client, room, id);
      }
    };
    const workers = this.clients.flatMap((client) =>
      Array.from({ length: this.inFlight }, () => worker(client)),
    );
    this.sending = Promise.all(workers);
    this.sending.catch((error) => this.unexpected.push(error.message));
  }

  // Resolves once `count` further messages are acked.
  async acked(count, ms = 60_000) {
    const goal = this.acks + count;
    await until(
      `${count} more acks`,
      () => this.acks >= goal || this.unexpected.length > 0,
      ms,
      () => `${this.acks} of ${goal}; ${this.#state()}`,
    );
    assert.deepEqual(this.unexpected, []);
  }

  // Ends sending, waits for every delivery, reads the store and prints the audit. Throws on a fault.
  async finish(ms = 60_000) {
    this.stopped = true;
    await this.sending;
    assert.deepEqual(this.unexpected, []);
    const logs = [];
    for (const room of this.rooms) logs.push(await this.cluster.roomLog(room));
    const short = () =>
      this.clients.flatMap((client) =>
        this.rooms
          .filter((room, i) => this.ledger.position(client.user, room) < logs[i].length)
          .map((room) => `${client.user}/${room}`),
      );
    await until(
      'every client has every event',
      () => short().length === 0,
      ms,
      () => `behind: ${short().slice(0, 5)}`,
    ).catch((error) => console.error(error.message)); // The audit says more.
    this.rooms.forEach((room, i) => this.ledger.stored(room, logs[i]));
    const { clean, text } = this.ledger.audit();
    console.log(text);
    if (!clean) this.ledger.save(`${this.cluster.dir}/ledger.jsonl`);
    assert.ok(clean, `the ledger is not clean, see ${this.cluster.dir}/ledger.jsonl`);
    assert.ok(this.ledger.lines.acked > 0, 'nothing was acked: no proof of anything');
  }

  // Connections lost so far, over all clients.
  get losses() {
    return this.clients.reduce((sum, client) => sum + client.disconnects.length, 0);
  }

  #record(client, event) {
    if (event.seq !== undefined) this.ledger.got(client.user, event.roomId, event);
  }

  async #comeBack(client) {
    ++client.connects;
    const connects = client.connects;
    for (const room of this.rooms) {
      const again = () => client.connects === connects && client.socket.connected;
      while (again() && !(await this.#joined(client, room))) await pause(RETRY_MS);
    }
  }

  async #joined(client, room) {
    try {
      const ack = await client.ask(
        'joinRoom',
        { roomId: room, afterSeq: this.ledger.position(client.user, room) },
        ACK_MS,
      );
      if (!ack.ok && !ack.error.retryable)
        this.unexpected.push(`${client.user}: joinRoom ${JSON.stringify(ack)}`);
      return ack.ok || !ack.error.retryable;
    } catch {
      return false; // Lost on the way, or no answer: asked again while the connection stands.
    }
  }

  async #sendUntilAcked(client, roomId, clientMsgId) {
    const content = `${clientMsgId} in ${roomId}`;
    this.ledger.sent(client.user, roomId, clientMsgId, content);
    for (;;) {
      await until(`${client.user} is connected`, () => client.socket.connected, 60_000);
      let ack;
      try {
        ack = await client.ask('sendMessage', { roomId, content, clientMsgId }, ACK_MS);
      } catch (error) {
        if (client.socket.connected && !/disconnect/.test(error.message))
          this.ledger.refused(clientMsgId, 'NO_ANSWER');
        continue; // The same clientMsgId again: that is what it is for.
      }
      if (ack.ok) {
        this.ledger.acked(clientMsgId, ack);
        ++this.acks;
        return;
      }
      this.ledger.refused(clientMsgId, ack.error.reason);
      if (!ack.error.retryable)
        throw new Error(`${client.user}: sendMessage refused for good: ${JSON.stringify(ack)}`);
      await pause(ack.error.retryAfterMs ?? RETRY_MS);
    }
  }

  #state() {
    const connected = this.clients.filter((client) => client.socket.connected).length;
    return `${connected} of ${this.clients.length} connected; ${this.unexpected.slice(0, 3)}`;
  }
}

// A client's own back-off, as long as the server asked for: there is nothing else to wait for.
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
