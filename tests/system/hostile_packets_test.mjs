// hostile_packets_test.mjs: Engine.IO and Socket.IO packets that no client has a reason to send, over
// WebSocket and long-polling: too many of them, or made to upset a reader. What bad_input_test.mjs
// sends once is not sent here again.
import assert from 'node:assert/strict';

import { Canary } from '../support/canary.mjs';
import { frame, RawTcp } from '../support/raw_tcp.mjs';
import { scenario } from '../support/scenario.mjs';

const TEXT = 1;
const BINARY = 2;
const POLLING = '/socket.io/?EIO=4&transport=polling';
const SEPARATOR = '\x1e';

const edge = {
  'io-threads': 1,
  'message-time': '1s',
  'rate-frames': '50/200',
  'rate-joins': '5/50',
};

// What is sent again and again until the server has had enough.
const floods = [
  ['pongs', '3'],
  ['noops', '6'],
  ['open packets', '0{}'],
  ['upgrade packets', '5'],
  ['acks nobody asked for', '437["x"]'],
  ['events without a name', '42'],
  ['events nobody knows', '42["x"]'],
  ['commands in spite of refusals', '427["getHistory",{"roomId":"nest"}]'],
  ['CONNECTs of namespaces that are not there', '40/nowhere,'],
  ['DISCONNECT and CONNECT', null],
];

scenario('floods of packets end with their sender', { edge }, async (cluster) => {
  const bird = await Canary.start(cluster);
  const connect = `40${JSON.stringify({ token: cluster.token('eve') })}`;

  for (const [what, packet] of floods) {
    const raw = await RawTcp.socketIo(cluster, 'eve');
    const next = packet ? () => frame(TEXT, packet) : (i) => frame(TEXT, i % 2 ? connect : '41');
    await raw.pour(5_000, next); // Less than what may come behind a close frame.
    assert.equal(await raw.closed(), 4008, what);
  }
  await bird.isUnharmed();
});

// [what, packets, what comes: a code, or text that is told while the connection goes on]
const packets = [
  ['an ack id of 2^64-1', ['4218446744073709551615["x",{}]'], '4318446744073709551615[{"ok":false'],
  ['an ack id of 2^64', ['4218446744073709551616["x",{}]'], 4400],
  ['an ack id of 1,000 digits', [`42${'9'.repeat(1000)}["x",{}]`], 4400],
  ['an ack id with a leading zero', ['4207["x",{}]'], 4400],
  ['an ack of 1,000 digits', [`43${'9'.repeat(1000)}["x"]`], 4400],
  ['an event named by an object', ['42[{"a":1}]'], 4400],
  ['an event named by null', ['42[null,1]'], 4400],
  ['an event named by an array', ['42[["joinRoom"]]'], 4400],
  ...['connect', 'connect_error', 'disconnect', 'disconnecting', 'newListener', 'removeListener'].map(
    (name) => [`an event named ${name}`, [`42["${name}",{}]`], 4400],
  ),
  ['a namespace of 129 bytes', [`40/${'n'.repeat(128)},`], 4400],
  [
    '__proto__ instead of fields',
    ['421["sendMessage",{"__proto__":{"roomId":"den","content":"x"}}]'],
    '431[{"ok":false,"error":{"reason":"BAD_REQUEST"',
  ],
  ['an event named __proto__', ['421["__proto__",{}]'], '431[{"ok":false,"error":{"reason":"UNKNOWN'],
  [
    '__proto__ in CONNECT',
    ['40/nowhere,{"__proto__":{"token":"x"},"constructor":{"prototype":1}}'],
    '44/nowhere,{"message":"Invalid namespace"}',
  ],
  [
    'JSON 33 deep',
    [`421["sendMessage",{"roomId":"den","content":"x","x":${'['.repeat(31)}${']'.repeat(31)}}]`],
    '431[{"ok":false,"error":{"reason":"BAD_REQUEST"',
  ],
  ['60,000 open brackets', [`42["x",${'['.repeat(60_000)}`], '42["error",{"reason":"BAD_REQUEST"'],
  ['60,000 members', [`421["x",{${'"a":1,'.repeat(9_999)}"a":1}]`], '431[{"ok":false'],
  ['a number of 50,000 digits', [`421["x",${'9'.repeat(50_000)}]`], '431[{"ok":false'],
  ['an exponent beyond all bounds', ['421["x",1e999999999999999999999]'], '431[{"ok":false'],
  ['CONNECT with a list', ['40/a,["x"]'], 4400],
  ['CONNECT with an ack id', ['407{}'], 4400],
  ['base64 that is none', ['b====A'], 4400],
  ['11 attachments', ['4511-["x",{"_placeholder":true,"num":0}]'], 4400],
  ['10^20 attachments', ['45100000000000000000000-["x"]'], 4400],
  ['minus one attachments', ['45-1-["x"]'], 4400],
  ['a placeholder out of range', ['451-["x",{"_placeholder":true,"num":1}]'], 4400],
  ['a placeholder with a fraction', ['451-["x",{"_placeholder":true,"num":0.5}]'], 4400],
  ['text while attachments are due', ['451-["x",{"_placeholder":true,"num":0}]', '42["x"]'], 4400],
  ['binary that is not due', [Buffer.from('stray')], 4400],
  ['attachments that never come', ['452-["x",{"_placeholder":true,"num":0}]', Buffer.from('a')], 4400],
  [
    'attachments above the limit of a message',
    ['452-["x",{"_placeholder":true,"num":0}]', Buffer.alloc(40_000), Buffer.alloc(40_000)],
    1009,
  ],
];

scenario('packets made to upset a reader get an answer or a close', { edge }, async (cluster) => {
  await cluster.createRoom('den', ['eve']);
  const bird = await Canary.start(cluster);
  const results = await Promise.all(
    packets.map(async ([what, sent, comes]) => {
      const raw = await RawTcp.socketIo(cluster, 'eve');
      for (const packet of sent)
        raw.send(frame(typeof packet === 'string' ? TEXT : BINARY, packet));
      if (typeof comes === 'string') {
        await raw.sees(what, () => raw.texts().some((text) => text.startsWith(comes)));
        return raw.closeCode() === null ? null : `${what}: answered, then closed`;
      }
      const code = await raw.closed();
      return code === comes ? null : `${what}: closed with ${code}`;
    }),
  );
  assert.deepEqual(
    results.filter((wrong) => wrong !== null),
    [],
  );
  assert.equal((await cluster.roomLog('den')).filter((e) => e.kind === 'messagePosted').length, 0);
  await bird.isUnharmed();
});

scenario('the same over long-polling', { edge }, async (cluster) => {
  const bird = await Canary.start(cluster);
  const post = async (sid, body) => {
    const response = await fetch(`${cluster.url}${POLLING}&sid=${sid}`, { method: 'POST', body });
    return response.status;
  };
  const get = async (sid) => {
    const response = await fetch(`${cluster.url}${POLLING}&sid=${sid}`);
    return { status: response.status, text: await response.text() };
  };
  const session = async () => {
    const opened = await fetch(cluster.url + POLLING);
    const { sid } = JSON.parse((await opened.text()).slice(1));
    await post(sid, `40${JSON.stringify({ token: cluster.token('eve') })}`);
    let seen = '';
    while (!seen.includes('42["connected"')) seen += (await get(sid)).text;
    return sid;
  };

  // Many in one body: over the rate the session ends, and says so to the GET that asks.
  for (const [what, packet] of floods.filter(([, packet]) => packet)) {
    const sid = await session();
    const body = Array(Math.min(1000, Math.floor(60_000 / packet.length))).fill(packet);
    assert.equal(await post(sid, body.join(SEPARATOR)), 200, what);
    let seen = '';
    for (let answer; answer?.text !== '1'; seen += answer.text) {
      answer = await get(sid);
      assert.equal(answer.status, 200, `${what}: ${seen.slice(-200)}`);
    }
    if (!packet.startsWith('40/'))
      assert.ok(seen.includes('42["server:closing",{"code":4008'), `${what}: ${seen.slice(-200)}`);
    assert.equal((await get(sid)).status, 400, what);
  }

  // What is no packet ends the session at once.
  for (const [what, body] of [
    ['separators alone', SEPARATOR.repeat(60_000)],
    ['an empty body', ''],
    ['invalid UTF-8', Buffer.from('4\xff\xfe', 'latin1')],
    ['half a character before a separator', Buffer.from(`4\xe2\x82${SEPARATOR}3`, 'latin1')],
    ['a ping', '2'],
    ['a probe', '2probe'],
    ['base64 that is none', 'b====A'],
    ['attachments that are too many', '4511-["x"]'],
    ['binary that is not due', 'bAQID'],
  ]) {
    const sid = await session();
    assert.equal(await post(sid, body), 400, what);
    assert.equal((await get(sid)).status, 400, what);
  }
  await bird.isUnharmed();
});
