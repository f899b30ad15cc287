// hostile_websocket_test.mjs: frames against the rules, and floods of frames that keep to them: the
// offender is closed with a code, and a pair that chats through the same io thread notices nothing.
import assert from 'node:assert/strict';

import { Canary } from '../support/canary.mjs';
import { frame, RawTcp, upgradeRequest } from '../support/raw_tcp.mjs';
import { scenario } from '../support/scenario.mjs';

const WEBSOCKET = '/socket.io/?EIO=4&transport=websocket';
const TEXT = 1;
const BINARY = 2;
const PING = 9;
const PONG = 10;
const KIB = 1024;

const edge = {
  'io-threads': 1,
  'open-time': '2s',
  'message-time': '1s',
  'rate-frames': '50/200',
  'rate-joins': '5/50',
};

// Pours frames until the server has had enough; the code it closes with.
async function closedBy(raw, count, next) {
  await raw.pour(count, next);
  return raw.closed();
}

// [what, frames, code]
const against = [
  ['a frame without a mask', [frame(TEXT, '3', { masked: false })], 1002],
  ['a reserved bit', [frame(TEXT, '3', { rsv: 4 })], 1002],
  ['a reserved opcode', [frame(3, '3')], 1002],
  ['a reserved control opcode', [frame(11, '')], 1002],
  ['a ping in fragments', [frame(PING, 'x', { fin: false })], 1002],
  ['a ping of 126 bytes', [frame(PING, 'x'.repeat(126))], 1002],
  ['a continuation of nothing', [frame(0, '3')], 1002],
  ['a message within another', [frame(TEXT, '4', { fin: false }), frame(TEXT, '3')], 1002],
  ['a close of one byte', [frame(8, 'x')], 1002],
  ['a close with a code nobody may send', [frame(8, Buffer.from([3, 237]))], 1002],
  ['10^11 bytes declared', [frame(TEXT, '42', { length: 100_000_000_000 })], 1009],
  ['2^63 bytes declared', [frame(BINARY, '42', { length: '9223372036854775808' })], 1002],
  ['a frame of 64 KiB and one', [frame(TEXT, 'x'.repeat(64 * KIB + 1))], 1009],
  [
    'fragments of 64 KiB and one together',
    [frame(TEXT, 'x'.repeat(64 * KIB), { fin: false }), frame(0, 'x')],
    1009,
  ],
  ['invalid UTF-8', [frame(TEXT, Buffer.from('4\xff', 'latin1'))], 1007],
  [
    'a character cut off by the message',
    [frame(TEXT, Buffer.from('4\xe2\x82', 'latin1'))],
    1007,
  ],
  [
    'invalid UTF-8 over two fragments',
    [frame(TEXT, Buffer.from('4\xe2', 'latin1'), { fin: false }), frame(0, 'x')],
    1007,
  ],
];

// For RawTcp.drip: this frame, as long as no close frame came.
const untilClosed = (raw, piece) => () => (raw.closeCode() === null ? piece : null);

scenario('frames against RFC 6455 are closed with their code', { edge }, async (cluster) => {
  const bird = await Canary.start(cluster);
  const wrong = [];
  for (const [what, frames, code] of against) {
    const raw = await RawTcp.socketIo(cluster, 'eve');
    for (const bytes of frames) raw.send(bytes);
    const closed = await raw.closed();
    if (closed !== code && !(code === 1002 && closed === 1009))
      wrong.push(`${what}: closed with ${closed}, not ${code}`);
  }
  assert.deepEqual(wrong, []);
  await bird.isUnharmed();
});

scenario('floods of frames end with their sender', { edge }, async (cluster) => {
  const bird = await Canary.start(cluster);
  const opened = () => RawTcp.socketIo(cluster, 'eve');

  const floods = [
    ['pings', [4008], async (raw) => closedBy(raw, 10_000, () => frame(PING, 'x'.repeat(125)))],
    ['pongs', [4008], async (raw) => closedBy(raw, 10_000, () => frame(PONG))],
    [
      '10^5 fragments of a byte',
      [4400],
      async (raw) => {
        raw.send(frame(TEXT, '4', { fin: false }));
        return closedBy(raw, 100_000, () => frame(0, 'x', { fin: false }));
      },
    ],
    [
      'empty continuations for ever',
      [4400],
      async (raw) => {
        const many = Buffer.concat(Array(1000).fill(frame(0, '', { fin: false })));
        raw.send(frame(TEXT, '', { fin: false }));
        return closedBy(raw, 100_000, () => many);
      },
    ],
    [
      'a message that takes too long',
      [4400],
      async (raw) => {
        raw.send(frame(TEXT, '42', { fin: false }));
        await raw.drip(100, 8_000, untilClosed(raw, frame(0, '[', { fin: false })));
        return raw.closed();
      },
    ],
    [
      'a frame that is announced and never comes',
      [4400],
      async (raw) => {
        raw.send(frame(TEXT, 'x'.repeat(300), { length: 60_000 }));
        return raw.closed();
      },
    ],
  ];
  const raws = await Promise.all(floods.map(opened));
  const codes = await Promise.all(
    floods.map(async ([what, wanted, flood], i) => [what, wanted, await flood(raws[i])]),
  );

  // A reset may overtake the close frame of who is still sending.
  for (const [what, wanted, code] of codes)
    assert.ok([...wanted, 1006].includes(code), `${what}: closed with ${code}`);
  const told = codes.filter(([, wanted, code]) => wanted.includes(code));
  assert.ok(told.length >= 3, `only ${told.map(([what]) => what)} were told why`);
  await bird.isUnharmed();
});

scenario(
  'who connects and shows no token is closed in time, whatever else is sent',
  { edge },
  async (cluster) => {
    const bird = await Canary.start(cluster);
    const began = performance.now();

    const idle = Array.from({ length: 50 }, () => RawTcp.webSocket(cluster));
    const beating = Array.from({ length: 10 }, async (_, i) => {
      const raw = await RawTcp.webSocket(cluster);
      const beat = i % 2 ? frame(PING, 'x') : frame(TEXT, '3');
      await raw.drip(200, 20_000, untilClosed(raw, beat)); // Below every rate.
      return raw;
    });
    const natives = Array.from({ length: 10 }, async () => {
      const raw = new RawTcp(cluster);
      raw.send(upgradeRequest('/', { 'Sec-WebSocket-Protocol': 'confab.v1.json' }));
      await raw.seesHead(' 101 ');
      raw.bytes = raw.bytes.subarray(raw.bytes.indexOf('\r\n\r\n') + 4);
      return raw;
    });

    for (const raw of await Promise.all([...idle, ...beating, ...natives]))
      assert.equal(await raw.closed(), 4002);
    assert.ok(performance.now() - began < 15_000);
    await bird.isUnharmed();
  },
);

scenario('frames behind the upgrade request are read with it', { edge }, async (cluster) => {
  const raw = new RawTcp(cluster);
  const connect = frame(TEXT, `40${JSON.stringify({ token: cluster.token('ann') })}`);
  raw.send(Buffer.concat([Buffer.from(upgradeRequest(WEBSOCKET)), connect]));
  await raw.seesHead(' 101 ');
  await raw.sees('connected', () => raw.bytes.includes('42["connected"'));
});
