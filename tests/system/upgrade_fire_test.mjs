// upgrade_fire_test.mjs: clients of default transports that send and receive numbered messages
// while they upgrade from polling to WebSocket. Nothing may be lost, doubled, out of order or
// unstored, in either direction, and no connection may be lost for it.
// Usage: node upgrade_fire_test.mjs [CLIENTS [MESSAGES]]
import assert from 'node:assert/strict';
import http from 'node:http';
import net from 'node:net';

import { ChatClient } from '../support/chat_client.mjs';
import { HttpApi } from '../support/http_client.mjs';
import { scaled } from '../support/cluster.mjs';
import { scenario } from '../support/scenario.mjs';
import { until } from '../support/until.mjs';
import { Ledger } from './ledger.mjs';

const CLIENTS = Number(process.argv[2] ?? scaled(200, 20));
const MESSAGES = Number(process.argv[3] ?? 50);
const IN_FLIGHT = 8; // Of each client: enough that both transports are busy at the switch.
const LAG_MS = 10; // Of WebSocket's packets: a loopback's upgrade is over before any message.
const ACK_MS = 60_000; // Hundreds of clients in one process of Node on a busy machine.
const LIMIT_MS = 280_000;

const userOf = (i) => `user-${i % CLIENTS}`;
const roomOf = (i) => `room-${i}`; // Its owner sends, the next user listens.

// The network below a client's WebSocket: it opens when told, and is slower than polling's.
class LateNetwork extends http.Agent {
  open = () => {
    this.isOpen = true;
    this.waiting?.();
  };

  createConnection(options, callback) {
    this.waiting = () => {
      const socket = net.connect(options);
      const write = socket.write.bind(socket);
      socket.write = (...args) => {
        setTimeout(write, LAG_MS, ...args);
        return true;
      };
      callback(null, socket);
    };
    if (this.isOpen) this.waiting();
  }
}

class Firing {
  constructor(cluster, api) {
    this.cluster = cluster;
    this.api = api;
    this.ledger = new Ledger();
    this.got = Array(CLIENTS).fill(0); // Messages that the room's listener was given.
    this.told = { polling: 0, websocket: 0 }; // Acks and events, by what carried them.
  }

  async prepare() {
    const create = (_, i) =>
      this.api.must('POST', '/v1/rooms', {
        user: userOf(i),
        body: { roomId: roomOf(i), members: [userOf(i + 1)] },
      });
    await Promise.all(Array.from({ length: CLIENTS }, create));
  }

  // One client: listens to its neighbour and sends, from the moment it is connected on. The upgrade
  // begins when a part of its messages is acked: each client's another, from none to two thirds.
  async run(i) {
    const network = new LateNetwork();
    const client = new ChatClient(this.cluster, userOf(i), {
      transports: undefined, // The stock client's own.
      transportOptions: { websocket: { agent: network } },
    });
    const late = Math.floor((i / CLIENTS) * (2 / 3) * MESSAGES);
    client.socket.onAny(() => this.#count(client));
    const room = roomOf((i + CLIENTS - 1) % CLIENTS);
    client.onEvent = (event) => {
      if (event.seq !== undefined) this.ledger.got(client.user, event.roomId, event);
      if (event.name === 'newMessage') ++this.got[i];
    };
    this.ledger.subscribed(client.user, client.user, room, 0);
    const joining = this.#ask(client, 'joinRoom', { roomId: room, afterSeq: 0 });
    let next = 0;
    let acks = 0;
    const send = async () => {
      if (acks >= late) network.open();
      while (next < MESSAGES) {
        await this.#send(client, roomOf(i), ++next);
        if (++acks === late) network.open();
      }
    };
    await Promise.all([joining, ...Array.from({ length: IN_FLIGHT }, send)]);
    return client;
  }

  async #send(client, room, n) {
    const id = `${room}.${n}`;
    this.ledger.sent(client.user, room, id, `${n}`);
    const message = { roomId: room, content: `${n}`, clientMsgId: id };
    this.ledger.acked(id, await this.#ask(client, 'sendMessage', message));
    this.#count(client);
  }

  // Until it is done: a server that is too slow for its own deadlines says so, and is asked again.
  async #ask(client, event, payload) {
    for (;;) {
      const ack = await client.ask(event, payload, ACK_MS);
      if (ack.ok) return ack;
      this.ledger.refused(payload.clientMsgId, ack.error.reason);
      assert.equal(ack.error.retryable, true, `${client.user}: ${JSON.stringify(ack)}`);
    }
  }

  #count(client) {
    ++this.told[client.socket.io.engine.transport.name];
  }

  // The room's whole log, in the order of its seqs.
  async logOf(i) {
    const events = [];
    for (let more = true; more; ) {
      const page = await this.api.must(
        'GET',
        `/v1/rooms/${roomOf(i)}/history?afterSeq=${events.at(-1)?.seq ?? 0}&limit=500`,
        { user: userOf(i) },
      );
      events.push(...page.events);
      more = page.more;
    }
    return events.map((event) => ({
      seq: event.seq,
      messageId: event.messageId ?? '',
      sender: event.senderId ?? '',
      clientMsgId: event.clientMsgId ?? '',
      content: event.content ?? '',
    }));
  }
}

scenario(
  `${CLIENTS} clients send and receive ${MESSAGES} messages each while they upgrade`,
  { limitMs: LIMIT_MS },
  async (cluster) => {
    const firing = new Firing(cluster, await HttpApi.of(cluster));
    await firing.prepare();

    const began = Date.now();
    const clients = await Promise.all(Array.from({ length: CLIENTS }, (_, i) => firing.run(i)));
    await until(
      'every message has arrived',
      () => firing.got.every((count) => count >= MESSAGES),
      30_000,
      () => `${firing.got.filter((count) => count < MESSAGES).length} clients are behind`,
    ).catch((error) => console.error(error.message)); // The audit says more.
    console.log(`${Date.now() - began} ms; told over ${JSON.stringify(firing.told)}`);

    for (let i = 0; i < CLIENTS; ++i) {
      const log = await firing.logOf(i);
      firing.ledger.stored(roomOf(i), log);
      // One sender, so the log has its messages as it counted them, unless it had to ask again.
      if (firing.ledger.lines.refused > 0) continue;
      const numbers = log.filter((event) => event.clientMsgId !== '').map((event) => event.content);
      assert.deepEqual(numbers, Array.from({ length: MESSAGES }, (_, n) => `${n + 1}`), roomOf(i));
    }
    const { clean, text } = firing.ledger.audit();
    console.log(text);
    if (!clean) firing.ledger.save(`${cluster.dir}/ledger.jsonl`);
    assert.ok(clean, `the ledger is not clean, see ${cluster.dir}/ledger.jsonl`);
    for (const { socket, user, disconnects } of clients) {
      const name = () => socket.io.engine.transport.name;
      await until(`${user} has upgraded`, () => name() === 'websocket', 10_000, name);
      assert.deepEqual(disconnects, [], `${user} was disconnected`);
    }
    const { polling, websocket } = firing.told;
    const least = (CLIENTS * MESSAGES) / 5; // Of two for each message: its ack, its event.
    assert.ok(polling > least && websocket > least, 'the upgrades were not under fire');
  },
);
