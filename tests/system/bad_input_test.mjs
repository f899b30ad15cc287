// bad_input_test.mjs: bad input gets a clear error on the connection that sent it, and nothing
// else happens: the connection goes on, a canary pair beside it notices nothing (P9).
import assert from 'node:assert/strict';

import { ChatClient } from '../support/chat_client.mjs';
import { RawSocket } from '../support/raw_socket.mjs';
import { scenario } from '../support/scenario.mjs';

const deep = (levels) => `${'['.repeat(levels)}${']'.repeat(levels)}`;
const den = (more) => JSON.stringify({ roomId: 'den', content: 'x', ...more });

// [what, event array as JSON text, reason word]
const refusals = [
  ['an unknown event', '["launchMissiles",{}]', 'UNKNOWN_COMMAND'],
  ['an event name of 65 bytes', `["${'n'.repeat(65)}",{}]`, 'BAD_REQUEST'],
  ['no payload', '["sendMessage"]', 'BAD_REQUEST'],
  ['a payload that is no object', '["sendMessage",5]', 'BAD_REQUEST'],
  ['a payload that is null', '["joinRoom",null]', 'BAD_REQUEST'],
  ['no room', '["joinRoom",{}]', 'BAD_REQUEST'],
  ['no content', '["sendMessage",{"roomId":"den"}]', 'CONTENT_SIZE'],
  ['a room that is an object', '["joinRoom",{"roomId":{}}]', 'BAD_REQUEST'],
  ['a room that is a fraction', '["joinRoom",{"roomId":1.5}]', 'BAD_REQUEST'],
  ['a room with an exponent', '["joinRoom",{"roomId":1e2}]', 'BAD_REQUEST'],
  ['a negative room', '["joinRoom",{"roomId":-1}]', 'BAD_REQUEST'],
  ['an empty room', '["joinRoom",{"roomId":""}]', 'BAD_REQUEST'],
  ['a room of 129 bytes', `["joinRoom",{"roomId":"${'r'.repeat(129)}"}]`, 'BAD_REQUEST'],
  ['a room with NUL', '["joinRoom",{"roomId":"den\\u0000"}]', 'BAD_REQUEST'],
  ['content that is a number', `["sendMessage",${den({ content: 5 })}]`, 'BAD_REQUEST'],
  ['empty content', `["sendMessage",${den({ content: '' })}]`, 'CONTENT_SIZE'],
  [
    'content of 4,001 code points',
    `["sendMessage",${den({ content: 'é'.repeat(4001) })}]`,
    'CONTENT_SIZE',
  ],
  ['content with NUL', `["sendMessage",${den({ content: 'a\u0000b' })}]`, 'BAD_REQUEST'],
  [
    'content with half a surrogate pair',
    '["sendMessage",{"roomId":"den","content":"\\ud800"}]',
    'BAD_REQUEST',
  ],
  [
    'a clientMsgId of 129 bytes',
    `["sendMessage",${den({ clientMsgId: 'i'.repeat(129) })}]`,
    'BAD_REQUEST',
  ],
  ['a clientMsgId that is an array', `["sendMessage",${den({ clientMsgId: [] })}]`, 'BAD_REQUEST'],
  ['a type of 33 bytes', `["sendMessage",${den({ type: 't'.repeat(33) })}]`, 'BAD_REQUEST'],
  ['the reserved type', `["sendMessage",${den({ type: 'system' })}]`, 'BAD_REQUEST'],
  ['afterSeq that is text', '["joinRoom",{"roomId":"den","afterSeq":"1"}]', 'BAD_REQUEST'],
  ['afterSeq below zero', '["joinRoom",{"roomId":"den","afterSeq":-1}]', 'BAD_REQUEST'],
  ['a limit that is text', '["getHistory",{"roomId":"den","limit":"all"}]', 'BAD_REQUEST'],
  [
    'JSON nested 40 deep',
    `["sendMessage",{"roomId":"den","content":"x","extra":${deep(40)}}]`,
    'BAD_REQUEST',
  ],
  [
    'JSON nested 20,000 deep',
    `["sendMessage",{"roomId":"den","content":"x","extra":${deep(20_000)}}]`,
    'BAD_REQUEST',
  ],
  ['a room one is no member of', '["joinRoom",{"roomId":"vault"}]', 'NOT_A_MEMBER'],
  [
    'a message to a room one is no member of',
    '["sendMessage",{"roomId":"vault","content":"x"}]',
    'NOT_A_MEMBER',
  ],
  [
    'the history of a room one is no member of',
    '["getHistory",{"roomId":"vault"}]',
    'NOT_A_MEMBER',
  ],
];

// What no client that keeps to the protocol sends: the connection is closed, with the code given.
const closings = [
  ['a packet of no type', '4x', [1003, 1005, 1006, 1007, 1002, 1008, 4400, 4500, 4505]],
  ['JSON cut off', '42["sendMessage",{', null],
  ['an event that is no array', '42{}', null],
  ['an empty array', '42[]', null],
  ['a reserved name', '42["connect",{}]', null],
  ['the second CONNECT', '40', null],
  ['a CONNECT_ERROR from a client', '44{}', null],
  ['a ping from a client', '2', null],
  ['a message above 64 KiB', `42["sendMessage",{"content":"${'x'.repeat(70_000)}"}]`, [1009]],
  [
    'invalid UTF-8 in a text message',
    Buffer.from([0x34, 0x32, 0x5b, 0x22, 0xff, 0xfe, 0x22, 0x5d]),
    [1007],
  ],
];

// A pair that chats beside everything and must miss nothing.
async function canary(cluster) {
  await cluster.createRoom('nest', ['cy', 'di']);
  const [cy, di] = await Promise.all(
    ['cy', 'di'].map((user) => ChatClient.connected(cluster, user)),
  );
  await Promise.all([cy.join('nest'), di.join('nest')]);
  let n = 0;
  return {
    sings: async () => {
      await cy.send('nest', `song ${++n}`);
      await di.seesContent('nest', `song ${n}`);
    },
    isUnharmed: () => {
      assert.deepEqual([...cy.disconnects, ...di.disconnects], []);
      assert.deepEqual(
        di.messages('nest').map((m) => m.content),
        Array.from({ length: n }, (_, i) => `song ${i + 1}`),
      );
    },
  };
}

scenario(
  'bad commands are refused with their reason and the connection goes on',
  {},
  async (cluster) => {
    await cluster.createRoom('den', ['ann', 'ben']);
    await cluster.createRoom('vault', ['ben']);
    const bird = await canary(cluster);
    const raw = await RawSocket.socketIo(cluster, 'ann');
    let id = 0;
    const ask = async (text) => {
      const from = raw.received.length;
      const mine = String(++id);
      raw.ws.send(`42${mine}${text}`);
      const frame = await raw.sees(
        `an ack of ${text.slice(0, 60)}`,
        (f) => f.startsWith(`43${mine}[`),
        from,
      );
      return JSON.parse(frame.slice(2 + mine.length))[0];
    };

    const wrong = [];
    for (const [what, text, reason] of refusals) {
      const ack = await ask(text);
      if (
        ack.ok !== false ||
        ack.error?.reason !== reason ||
        ack.error.retryable !== false ||
        !ack.error.message
      ) {
        wrong.push(`${what}: wanted ${reason}, got ${JSON.stringify(ack)}`);
      }
      await bird.sings();
    }
    // Without an ack id the refusal comes as the event `error`.
    const from = raw.received.length;
    raw.ws.send('42["sendMessage",{"roomId":"vault","content":"x"}]');
    const event = await raw.sees('error', (frame) => frame.startsWith('42["error"'), from);
    const accepted = await ask(`["sendMessage",${den()}]`);

    assert.deepEqual(wrong, []);
    assert.equal(JSON.parse(event.slice(2))[1].reason, 'NOT_A_MEMBER');
    assert.equal(accepted.ok, true, 'the connection did not survive');
    assert.equal((await cluster.roomLog('vault')).length, 1);
    assert.equal(
      (await cluster.roomLog('den')).filter((e) => e.kind === 'messagePosted').length,
      1,
    );
    bird.isUnharmed();
  },
);

scenario('content at its limits is accepted', {}, async (cluster) => {
  await cluster.createRoom('den', ['ann']);
  const ann = await ChatClient.connected(cluster, 'ann');
  await ann.join('den');
  const contents = [
    'x',
    'x'.repeat(4000),
    '漢'.repeat(4000),
    '🦜'.repeat(4000),
    ' \n\t"\\/\u0001\u007f\u2028',
    '\u{10ffff}',
  ];

  for (const content of contents) await ann.send('den', content);
  await ann.seesContent('den', contents.at(-1));

  assert.deepEqual(
    ann.messages('den').map((m) => m.content),
    contents,
  );
  assert.deepEqual(
    (await cluster.roomLog('den')).slice(1).map((m) => m.content),
    contents,
  );
});

scenario(
  'broken packets close the connection that sent them, and no other',
  {},
  async (cluster) => {
    const bird = await canary(cluster);
    const wrong = [];
    for (const [what, packet, codes] of closings) {
      const raw = await RawSocket.socketIo(cluster, 'ann');
      raw.ws.send(packet, { binary: false });
      const { code } = await raw.isClosed();
      if (codes && !codes.includes(code)) wrong.push(`${what}: closed with ${code}`);
      await bird.sings();
    }
    assert.deepEqual(wrong, []);
    bird.isUnharmed();
  },
);

scenario('requests that are none of ours get an HTTP answer', {}, async (cluster) => {
  const get = async (route, options) => {
    const response = await fetch(cluster.url + route, options);
    return [response.status, await response.text()];
  };

  const [home] = await get('/');
  const [unknown, body] = await get('/no/such/page');
  const [pigeon, transport] = await get('/socket.io/?EIO=4&transport=carrier-pigeon');

  assert.equal(home, 200);
  assert.equal(unknown, 404);
  assert.equal(typeof JSON.parse(body), 'object');
  assert.equal(pigeon, 400);
  assert.deepEqual(JSON.parse(transport), { code: 0, message: 'Transport unknown' });
});

scenario(
  'sends above the rate are refused with a time to wait, and then go through',
  {
    edge: { 'rate-sends': '10/30' },
  },
  async (cluster) => {
    await cluster.createRoom('den', ['ann']);
    const ann = await ChatClient.connected(cluster, 'ann');

    const acks = await Promise.all(
      Array.from({ length: 60 }, (_, i) =>
        ann.ask('sendMessage', { roomId: 'den', content: `${i}` }),
      ),
    );

    const refused = acks.filter((ack) => !ack.ok);
    assert.ok(refused.length > 0 && refused.length <= 30, `${refused.length} of 60 refused`);
    for (const { error } of refused) {
      assert.equal(error.reason, 'RATE_LIMITED');
      assert.equal(error.retryable, true);
      assert.ok(error.retryAfterMs > 0 && error.retryAfterMs <= 1000, JSON.stringify(error));
    }
    assert.deepEqual(ann.disconnects, []);
  },
);
