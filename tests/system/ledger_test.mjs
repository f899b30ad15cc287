// ledger_test.mjs: the auditor finds one planted fault of each kind, and nothing in a clean ledger.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';

import { Ledger } from './ledger.mjs';

const ledgerProgram = fileURLToPath(new URL('./ledger.mjs', import.meta.url));
const room = 'r';
const message = (n) => ({
  seq: n + 2,
  messageId: `m${n}`,
  senderId: 'ann',
  sender: 'ann',
  clientMsgId: `c${n}`,
  content: `text ${n}`,
});

// Two members, six messages behind two membership events; everything as it should be.
function cleanLedger() {
  const ledger = new Ledger();
  const messages = [1, 2, 3, 4, 5, 6].map(message);
  for (const user of ['ann', 'ben']) ledger.subscribed(`${user}#1`, user, room, 2);
  for (const m of messages) {
    ledger.sent('ann', room, m.clientMsgId, m.content);
    for (const client of ['ann#1', 'ben#1']) ledger.got(client, room, m);
    ledger.acked(m.clientMsgId, m);
  }
  const added = ['ann', 'ben'].map((_, i) => ({
    seq: i + 1,
    messageId: '',
    sender: '',
    clientMsgId: '',
    content: '',
  }));
  ledger.stored(room, [...added, ...messages]);
  return ledger;
}

const index = (ledger, match) => ledger.records.findIndex(match);
const gotBen = (seq) => (r) => r.t === 'got' && r.client === 'ben#1' && r.seq === seq;

// [what was planted, how, the counters that must show it]
const plants = [
  [
    'the last message never reaches a member',
    (l) => l.records.splice(index(l, gotBen(8)), 1),
    { LOST: 1 },
  ],
  [
    'a message in between never reaches a member',
    (l) => l.records.splice(index(l, gotBen(5)), 1),
    { LOST: 1, GAP: 1 },
  ],
  [
    'a message reaches a member twice',
    (l) => l.records.push({ ...l.records[index(l, gotBen(4))] }),
    { DUP: 1 },
  ],
  [
    'a message is stored twice',
    (l) => {
      const extra = { ...message(6), seq: 9, messageId: 'm6b' };
      l.stored(room, [extra]);
      for (const client of ['ann#1', 'ben#1']) l.got(client, room, extra);
    },
    { DUP: 1 },
  ],
  [
    'two messages reach a member in the wrong order',
    (l) => {
      const [a, b] = [index(l, gotBen(5)), index(l, gotBen(6))];
      [l.records[a], l.records[b]] = [l.records[b], l.records[a]];
    },
    { ORDER: 1 },
  ],
  [
    'the log skips a seq',
    (l) => {
      const extra = { ...message(9), seq: 10 };
      l.stored(room, [extra]);
      for (const client of ['ann#1', 'ben#1']) l.got(client, room, extra);
    },
    { GAP: 3 },
  ], // In the log, and for each of its two readers.
  [
    'an acked message is not in the store',
    (l) => {
      l.sent('ann', room, 'c7', 'text 7');
      l.acked('c7', message(7));
    },
    { LOST: 1 },
  ],
  [
    'an ack names another message',
    (l) => (l.records[index(l, (r) => r.t === 'ack')].messageId = 'other'),
    { PHANTOM: 1 },
  ],
  [
    'a delivered message is not in the store',
    (l) => l.got('ben#1', room, message(7)),
    { PHANTOM: 1 },
  ],
  [
    'a delivered message has another content',
    (l) => (l.records[index(l, gotBen(4))].content = 'forged'),
    { PHANTOM: 1 },
  ],
  [
    'an event comes without a subscription',
    (l) => l.got('eve#1', room, message(1)),
    { PHANTOM: 1 },
  ],
];

const countsOf = (faults) =>
  Object.fromEntries(Object.entries(faults).map(([kind, list]) => [kind, list.length]));
const none = { LOST: 0, PHANTOM: 0, DUP: 0, ORDER: 0, GAP: 0 };

function auditAsProgram(ledger) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'confab-ledger-'));
  try {
    ledger.save(`${dir}/ledger.jsonl`);
    return spawnSync(process.execPath, [ledgerProgram, `${dir}/ledger.jsonl`], {
      encoding: 'utf8',
    });
  } finally {
    fs.rmSync(dir, { recursive: true });
  }
}

test('a clean ledger has five zeros and exit code 0', () => {
  const ledger = cleanLedger();

  assert.deepEqual(countsOf(ledger.audit().faults), none);
  const program = auditAsProgram(ledger);
  assert.equal(program.status, 0, program.stderr);
  assert.match(
    program.stdout,
    /6 messages sent, 6 acks.*LOST 0, PHANTOM 0, DUP 0, ORDER 0, GAP 0/,
  );
});

for (const [what, plant, expected] of plants) {
  test(`found: ${what}`, () => {
    const ledger = cleanLedger();

    plant(ledger);

    assert.deepEqual(countsOf(ledger.audit().faults), { ...none, ...expected });
    assert.equal(auditAsProgram(ledger).status, 1);
  });
}

// Books behind those of cleanLedger(), with one more message.
function nextPage() {
  const ledger = cleanLedger().next();
  const seventh = message(7);
  ledger.sent('ann', room, seventh.clientMsgId, seventh.content);
  for (const client of ['ann#1', 'ben#1']) ledger.got(client, room, seventh);
  ledger.acked(seventh.clientMsgId, seventh);
  return { ledger, seventh };
}

test('books go on where others end', () => {
  const { ledger, seventh } = nextPage();

  ledger.stored(room, [seventh], 8);

  const { faults, text } = ledger.audit();
  assert.deepEqual(countsOf(faults), none);
  assert.match(text, /1 messages sent, 1 acks.* 2 deliveries, 1 events stored/);
});

test('found: what is missing between two books, or comes again in the second', () => {
  const { ledger, seventh } = nextPage();
  ledger.got('ben#1', room, message(6));
  ledger.stored(room, [{ ...seventh, seq: 10 }], 8);

  const { GAP, DUP, LOST } = countsOf(ledger.audit().faults);

  assert.ok(GAP > 0, 'the log has no seq 9');
  assert.equal(DUP, 1, 'ben had seq 8 before');
  assert.ok(LOST > 0, 'nobody got seq 10');
});
