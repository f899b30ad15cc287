// ledger.mjs: the books of a run, and their audit. A run writes down every send with its ack or
// refusal, every event each client was given, and at the end the log as the store has it. The
// audit counts:
//   LOST     an acked message the log does not have; an event of the log a subscriber never got
//   PHANTOM  a delivered event that the log does not have, or an ack or event it has differently
//   DUP      an event a client got twice; a message stored twice for one clientMsgId
//   ORDER    an event a client got after a later one of the room
//   GAP      a seq missing below the last one a client got, or in the log itself
// An event that never came, while later ones did, is LOST and a GAP.
// Run as a program (node ledger.mjs FILE.jsonl) it audits a saved ledger; exit 1 on any fault.
import fs from 'node:fs';
import { pathToFileURL } from 'node:url';

const SHOWN_LIMIT = 5; // Faults of a kind that are printed; all are counted.

export class Ledger {
  constructor(records = []) {
    this.records = records;
    this.positions = new Map(); // client/room → seq of the last event it got
    this.lines = { sent: 0, acked: 0, refused: 0, delivered: 0 };
  }

  // The client gets the room's events behind `from`, until the end of the run.
  subscribed(client, user, room, from) {
    this.records.push({ t: 'join', client, user, room, from });
    this.positions.set(`${client}/${room}`, from);
  }

  sent(user, room, id, content) {
    ++this.lines.sent;
    this.records.push({ t: 'send', user, room, id, content });
  }

  acked(id, { seq, messageId }) {
    ++this.lines.acked;
    this.records.push({ t: 'ack', id, seq, messageId });
  }

  refused(id, reason) {
    ++this.lines.refused;
    this.records.push({ t: 'err', id, reason });
  }

  got(client, room, { seq, messageId = '', senderId = '', content = '' }) {
    ++this.lines.delivered;
    this.records.push({ t: 'got', client, room, seq, messageId, user: senderId, content });
    const key = `${client}/${room}`;
    if (seq > (this.positions.get(key) ?? 0)) this.positions.set(key, seq);
  }

  // What the client would give as afterSeq.
  position(client, room) {
    return this.positions.get(`${client}/${room}`);
  }

  // The whole log of the room behind `after`, as the store has it.
  stored(room, events, after = 0) {
    if (after > 0) this.records.push({ t: 'from', room, seq: after });
    for (const { seq, messageId, sender, clientMsgId, content } of events) {
      this.records.push({ t: 'log', room, seq, messageId, user: sender, id: clientMsgId, content });
    }
  }

  // Books that go on where these end: who is in a room stays there. REQUIRES: nothing is under way.
  next() {
    const ledger = new Ledger();
    for (const { t, client, user, room } of this.records) {
      if (t === 'join') ledger.subscribed(client, user, room, this.position(client, room));
    }
    return ledger;
  }

  save(file) {
    fs.writeFileSync(file, this.records.map((record) => JSON.stringify(record)).join('\n'));
  }

  static load(file) {
    const lines = fs
      .readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line !== '');
    return new Ledger(lines.map((line) => JSON.parse(line)));
  }

  audit() {
    return new Audit(this.records).run();
  }
}

class Audit {
  constructor(records) {
    this.records = records;
    this.faults = { LOST: [], PHANTOM: [], DUP: [], ORDER: [], GAP: [] };
    this.logs = new Map(); // room → Map(seq → log record)
    this.sends = new Map(); // id → send record
  }

  // {faults: {KIND: [text]}, clean, text}
  run() {
    this.#readLogs();
    this.#checkAcks();
    const streams = this.#readStreams();
    for (const stream of streams.values()) this.#checkStream(stream);
    const clean = Object.values(this.faults).every((list) => list.length === 0);
    return { faults: this.faults, clean, text: this.#text() };
  }

  #of(kind) {
    return this.records.filter((record) => record.t === kind);
  }

  #fault(kind, text) {
    this.faults[kind].push(text);
  }

  #readLogs() {
    const keys = new Map(); // room, sender, clientMsgId → seq
    // room → highest seq so far
    const last = new Map(this.#of('from').map(({ room, seq }) => [room, seq]));
    for (const record of this.#of('log')) {
      const log = this.logs.get(record.room) ?? new Map();
      this.logs.set(record.room, log);
      if (log.has(record.seq))
        this.#fault('DUP', `${record.room}: the log has seq ${record.seq} twice`);
      else if (record.seq !== (last.get(record.room) ?? 0) + 1)
        this.#fault(
          'GAP',
          `${record.room}: the log goes on with ${record.seq} after ${last.get(record.room) ?? 0}`,
        );
      log.set(record.seq, record);
      last.set(record.room, record.seq);
      if (!record.id) continue;
      const key = `${record.room} ${record.user} ${record.id}`;
      if (keys.has(key))
        this.#fault('DUP', `${key}: stored as ${keys.get(key)} and ${record.seq}`);
      keys.set(key, record.seq);
    }
  }

  #checkAcks() {
    for (const send of this.#of('send')) this.sends.set(send.id, send);
    for (const ack of this.#of('ack')) {
      const send = this.sends.get(ack.id);
      const entry = this.logs.get(send?.room)?.get(ack.seq);
      const same =
        entry?.messageId === ack.messageId &&
        entry?.id === ack.id &&
        entry?.user === send.user &&
        entry?.content === send.content;
      if (!same)
        this.#fault(
          entry === undefined ? 'LOST' : 'PHANTOM',
          `${ack.id} was acked as seq ${ack.seq} of ${send?.room}, the log has ${JSON.stringify(entry)}`,
        );
    }
  }

  // One stream for each client and room, with what it got in the order it came.
  #readStreams() {
    const streams = new Map();
    for (const { client, user, room, from } of this.#of('join')) {
      streams.set(`${client}/${room}`, { name: `${client} in ${room}`, user, room, from, got: [] });
    }
    for (const got of this.#of('got')) {
      const stream = streams.get(`${got.client}/${got.room}`);
      if (stream) stream.got.push(got);
      else
        this.#fault(
          'PHANTOM',
          `${got.client} got seq ${got.seq} of ${got.room} without a subscription`,
        );
    }
    return streams;
  }

  #checkStream({ name, room, from, got }) {
    const log = this.logs.get(room) ?? new Map();
    const seen = new Set();
    let last = from;
    for (const event of got) {
      const entry = log.get(event.seq);
      const same =
        entry?.messageId === event.messageId &&
        entry?.content === event.content &&
        entry?.user === event.user;
      if (!same)
        this.#fault(
          'PHANTOM',
          `${name}: got ${JSON.stringify(event)}, the log has ${JSON.stringify(entry)}`,
        );
      if (seen.has(event.seq) || event.seq <= from)
        this.#fault('DUP', `${name}: seq ${event.seq} again`);
      else if (event.seq < last) this.#fault('ORDER', `${name}: seq ${event.seq} after ${last}`);
      seen.add(event.seq);
      last = Math.max(last, event.seq);
    }
    for (const [seq, entry] of log) {
      if (seq > from && !seen.has(seq))
        this.#fault('LOST', `${name}: never got seq ${seq} (${entry.id || 'no message'})`);
    }
    for (let seq = from + 1; seq < last; ++seq) {
      if (!seen.has(seq)) this.#fault('GAP', `${name}: no seq ${seq}, but ${last}`);
    }
  }

  #text() {
    const count = (kind) => this.#of(kind).length;
    const sums = Object.entries(this.faults).map(([kind, list]) => `${kind} ${list.length}`);
    const head =
      `ledger: ${this.sends.size} messages sent, ${count('ack')} acks, ${count('err')} refusals, ` +
      `${count('got')} deliveries, ${count('log')} events stored: ${sums.join(', ')}`;
    const shown = Object.entries(this.faults).flatMap(([kind, list]) =>
      list.slice(0, SHOWN_LIMIT).map((text) => `  ${kind} ${text}`),
    );
    return [head, ...shown].join('\n');
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { clean, text } = Ledger.load(process.argv[2]).audit();
  console.log(text);
  process.exitCode = clean ? 0 : 1;
}
