// load_run.mjs: many stock clients that send into many rooms, retry what was refused or lost with
// the same clientMsgId, come back with afterSeq, and write everything into a ledger.
import assert from 'node:assert/strict';

import { ChatClient } from '../support/chat_client.mjs';
import { pause } from '../support/pause.mjs';
import { newSeed, randomOf } from '../support/random.mjs';
import { Samples } from '../support/samples.mjs';
import { until } from '../support/until.mjs';
import { Ledger } from './ledger.mjs';

const ACK_MS = 8_000; // Longer than the edge's own deadline: then a refusal comes first.
const JOIN_MS = 30_000; // Longer than an edge is frozen in passing, or a crowd takes to come back.
const CONNECT_MS = 180_000; // The longest fault of the bench, and the way back.
const CROWD = 25; // Clients that connect and join at a time: all of them share one thread.
const OPEN_MS = 60_000; // For a client to connect at first, however busy the machine is.
const RETRY_MS = 20; // What a client waits before it tries again, unless it was told.

export class LoadRun {
  // `clients` users in `rooms` rooms, `members` of them in each. `rate`: messages a second of all
  // together; without it each client has `inFlight` under way all the time. `name`: before the
  // names of users and rooms. `homes`: the cluster as its clients see it, in turn: several edges, a
  // proxy.
  constructor(
    cluster,
    {
      clients = 20,
      rooms = 10,
      members = clients,
      inFlight = 4,
      rate = Infinity,
      name = '',
      homes = [cluster],
      patienceMs = 60_000,
      seed = newSeed(),
    } = {},
  ) {
    this.cluster = cluster;
    this.homes = homes;
    this.patienceMs = patienceMs; // For whatever all clients together must come to.
    this.ledger = new Ledger();
    this.random = randomOf(seed);
    this.users = Array.from({ length: clients }, (_, i) => `${name}user-${i}`);
    this.rooms = Array.from({ length: rooms }, (_, i) => `${name}room-${i}`);
    this.membersOf = new Map(
      this.rooms.map((room, i) => {
        const of = (n) => this.users[(i * members + n) % clients];
        return [room, Array.from({ length: members }, (_, n) => of(n))];
      }),
    );
    this.inFlight = inFlight;
    this.pauseMs = 1000 / rate;
    this.nextAt = 0;
    this.acks = 0;
    this.sentAt = new Map(); // id → when it was first sent.
    this.answers = new Samples(); // From a send to its ack or refusal.
    this.watch = null; // The Samples that also get the answers to sends which begin now.
    this.deliveries = new Samples(); // From a message's first send to each reader.
    this.unanswered = 0; // Sends without an answer, though the connection stood.
    this.refusals = 0; // That told to send again.
    this.stopped = false;
    this.unexpected = [];
    this.lastNumber = 0; // Of the messages.
    this.audited = new Map(this.rooms.map((room) => [room, 0])); // room → seq up to which it is.
  }

  async open() {
    for (const room of this.rooms) await this.cluster.createRoom(room, this.membersOf.get(room));
    this.clients = [];
    for (let at = 0; at < this.users.length; at += CROWD) {
      const opening = this.users
        .slice(at, at + CROWD)
        .map((user, i) => this.#opened(this.homes[(at + i) % this.homes.length], user));
      this.clients.push(...(await Promise.all(opening)));
    }
  }

  // Sends until `total` further messages are acked, or without it until it is to end.
  send(total = Infinity) {
    this.stopped = false;
    const end = this.lastNumber + total;
    const worker = async (client) => {
      while (!this.stopped && this.lastNumber < end) {
        await this.#turn();
        const id = `${client.user}.${++this.lastNumber}`;
        const room = client.rooms[Math.floor(this.random() * client.rooms.length)];
        await this.#sendUntilAcked(client, room, id);
      }
    };
    // In any order: else those of one room would speak first, and another's would not be heard for long.
    const workers = this.#shuffled(this.clients).flatMap((client) =>
      Array.from({ length: this.inFlight }, () => worker(client)),
    );
    this.sending = Promise.all(workers);
    this.sending.catch((error) => this.unexpected.push(error.message));
  }

  // Resolves once `count` further messages are acked.
  async acked(count, ms = this.patienceMs) {
    const goal = this.acks + count;
    await until(
      `${count} more acks`,
      () => this.acks >= goal || this.unexpected.length > 0,
      ms,
      () => `${this.acks} of ${goal}; ${this.#state()}`,
    );
    assert.deepEqual(this.unexpected, []);
  }

  // Resolves once each of the clients has got a message that was first sent after this call, with
  // the milliseconds that took.
  async live(ms = this.patienceMs, clients = this.clients) {
    const start = performance.now();
    this.fresh = { since: start, waiting: new Set(clients) };
    await until(
      'every client gets fresh messages',
      () => this.fresh.waiting.size === 0 || this.unexpected.length > 0,
      ms,
      () => `${this.fresh.waiting.size} do not; ${this.#state()}`,
    );
    assert.deepEqual(this.unexpected, []);
    return performance.now() - start;
  }

  // Ends sending, waits for every delivery, reads the store and prints the audit, which it gives.
  // Throws on a fault.
  async finish(ms = this.patienceMs) {
    const audit = await this.#audit(ms);
    for (const client of this.clients) client.close();
    return audit;
  }

  // The same in the midst of a run: everybody stays, and whoever sends on does so into new books.
  async turnPage(ms = this.patienceMs) {
    const audit = await this.#audit(ms);
    for (const room of this.rooms) this.audited.set(room, this.end(room));
    this.ledger = this.ledger.next();
    this.sentAt.clear();
    this.answers.reset();
    this.deliveries.reset();
    return audit;
  }

  // Seq of the last event of the room that its members have.
  end(room) {
    return this.ledger.position(this.membersOf.get(room)[0], room);
  }

  async #audit(ms) {
    this.stopped = true;
    await this.sending;
    assert.deepEqual(this.unexpected, []);
    const logs = new Map();
    for (const room of this.rooms)
      logs.set(room, await this.cluster.roomLog(room, this.audited.get(room)));
    const last = (room) => this.audited.get(room) + logs.get(room).length;
    const short = () =>
      this.clients.flatMap((client) =>
        client.rooms
          .filter((room) => this.ledger.position(client.user, room) < last(room))
          .map((room) => `${client.user}/${room}`),
      );
    await until(
      'every client has every event',
      () => short().length === 0,
      ms,
      () => `behind: ${short().slice(0, 5)}`,
    ).catch((error) => console.error(error.message)); // The audit says more.
    for (const [room, log] of logs) this.ledger.stored(room, log, this.audited.get(room));
    const audit = this.ledger.audit();
    console.log(audit.text);
    if (!audit.clean) this.ledger.save(`${this.cluster.dir}/ledger.jsonl`);
    assert.ok(audit.clean, `${audit.text}\nthe ledger is ${this.cluster.dir}/ledger.jsonl`);
    assert.ok(this.ledger.lines.acked > 0, 'nothing was acked: no proof of anything');
    return audit;
  }

  // Connections lost so far, over all clients.
  get losses() {
    const isLoss = (reason) => reason !== 'io client disconnect'; // That was finish().
    return this.clients.flatMap((client) => client.disconnects).filter(isLoss).length;
  }

  // Leaves the room for so long, and joins it again where it stood; whatever befalls the client
  // meanwhile. REQUIRES: it is in (isBack).
  async reenter(client, room, ms) {
    const { connects } = client;
    const stands = () => client.connects === connects && client.isBack;
    const asked = async (settled) => {
      while (stands() && !(await settled())) await pause(RETRY_MS);
    };
    await asked(() => this.#settled(client, 'leaveRoom', { roomId: room }));
    if (stands()) await pause(ms);
    await asked(() => this.#joined(client, room));
  }

  // A client that is connected and has joined its rooms.
  async #opened(home, user) {
    const client = await ChatClient.connected(home, user, { ms: OPEN_MS });
    client.connects = 1;
    client.rooms = this.rooms.filter((room) => this.membersOf.get(room).includes(user));
    client.onEvent = (event) => this.#record(client, event);
    // After a loss the stock client connects again by itself; its subscriptions are ours to renew.
    client.socket.on('connect', () => this.#comeBack(client));
    client.socket.on('disconnect', () => (client.isBack = false));
    await Promise.all(
      client.rooms.map(async (room) => {
        const { lastSeq } = await client.join(room);
        this.ledger.subscribed(user, user, room, lastSeq);
      }),
    );
    client.isBack = true; // Connected, and in all its rooms.
    return client;
  }

  #record(client, event) {
    client.events.length = 0; // The ledger has it; a long run would keep it twice.
    if (event.seq === undefined) return;
    this.ledger.got(client.user, event.roomId, event);
    const sentAt = this.sentAt.get(event.clientMsgId);
    if (sentAt === undefined) return;
    this.deliveries.add(performance.now() - sentAt);
    if (sentAt > this.fresh?.since) this.fresh.waiting.delete(client);
  }

  #shuffled(list) {
    const keyed = list.map((one) => [this.random(), one]);
    return keyed.sort(([a], [b]) => a - b).map(([, one]) => one);
  }

  // When the next message may go. What a fault has held up is not made up for afterwards.
  async #turn() {
    if (this.pauseMs === 0) return;
    const now = performance.now();
    this.nextAt = Math.max(this.nextAt, now) + this.pauseMs;
    await pause(this.nextAt - now);
  }

  async #comeBack(client) {
    ++client.connects;
    const connects = client.connects;
    const again = () => client.connects === connects && client.socket.connected;
    for (const room of client.rooms) {
      while (again() && !(await this.#joined(client, room))) await pause(RETRY_MS);
    }
    if (again()) client.isBack = true;
  }

  #joined(client, room) {
    const afterSeq = this.ledger.position(client.user, room);
    return this.#settled(client, 'joinRoom', { roomId: room, afterSeq });
  }

  // False: to be asked again.
  async #settled(client, event, payload) {
    try {
      const ack = await client.ask(event, payload, JOIN_MS);
      if (!ack.ok && !ack.error.retryable)
        this.unexpected.push(`${client.user}: ${event} ${JSON.stringify(ack)}`);
      return ack.ok || !ack.error.retryable;
    } catch {
      // Who gets no answer hangs up and comes back: two joins of one connection may both be done.
      if (client.socket.connected) client.socket.io.engine.close();
      return false;
    }
  }

  async #sendUntilAcked(client, roomId, clientMsgId) {
    const content = `${clientMsgId} in ${roomId}`;
    this.ledger.sent(client.user, roomId, clientMsgId, content);
    this.sentAt.set(clientMsgId, performance.now());
    for (;;) {
      await until(`${client.user} is connected`, () => client.socket.connected, CONNECT_MS);
      const start = performance.now();
      const watch = this.watch;
      let ack;
      try {
        ack = await client.ask('sendMessage', { roomId, content, clientMsgId }, ACK_MS);
      } catch (error) {
        if (client.socket.connected && !/disconnect/.test(error.message)) {
          ++this.unanswered;
          this.ledger.refused(clientMsgId, 'NO_ANSWER');
        }
        continue; // The same clientMsgId again: that is what it is for.
      }
      this.answers.add(performance.now() - start);
      watch?.add(performance.now() - start);
      if (ack.ok) {
        this.ledger.acked(clientMsgId, ack);
        ++this.acks;
        return;
      }
      this.ledger.refused(clientMsgId, ack.error.reason);
      if (!ack.error.retryable)
        throw new Error(`${client.user}: sendMessage refused for good: ${JSON.stringify(ack)}`);
      ++this.refusals;
      await pause(ack.error.retryAfterMs ?? RETRY_MS);
    }
  }

  #state() {
    const connected = this.clients.filter((client) => client.socket.connected).length;
    return `${connected} of ${this.clients.length} connected; ${this.unexpected.slice(0, 3)}`;
  }
}
