// socketio_test.mjs: Socket.IO v5 as the stock socket.io-client speaks it, on each choice of
// transports, and over the stock engine.io-client what it never says. The server echoes: "message"
// as "message-back", "message-with-ack" in its ack, the CONNECT payload as "auth".
import assert from 'node:assert/strict';

import { Manager } from 'socket.io-client';

import {
  engineOf,
  everyChoice,
  isOpen,
  once,
  protocolServer,
} from '../support/protocol_server.mjs';
import { until, within } from '../support/until.mjs';

const server = protocolServer();
const managerOf = (options) => new Manager(server.url, { forceNew: true, ...options });

// A namespace's socket; socket.heard: [name, ...arguments] as they came.
function open(manager, nsp = '/', auth = undefined) {
  const socket = manager.socket(nsp, { auth });
  socket.heard = [];
  socket.onAny((...event) => socket.heard.push(event));
  return socket;
}

const heard = (socket, name) =>
  until(`${name} is heard`, () => socket.heard.find((event) => event[0] === name));
const back = (socket, count) =>
  until(`${count} came back`, () => {
    const echoes = socket.heard.filter(([name]) => name === 'message-back');
    return echoes.length >= count && echoes;
  });

// --- connecting

everyChoice('namespaces are joined with a payload and without', async (options) => {
  const manager = managerOf(options);
  const ids = new Set();
  for (const [nsp, auth] of [['/', undefined], ['/custom', undefined]]) {
    const socket = open(manager, nsp, auth);
    assert.deepEqual(await heard(socket, 'auth'), ['auth', {}]);
    ids.add(socket.id);
    socket.disconnect();
  }
  const other = managerOf(options);
  for (const [nsp, auth] of [['/', { token: '123' }], ['/custom', { token: 'abc' }]]) {
    const socket = open(other, nsp, auth);
    assert.deepEqual(await heard(socket, 'auth'), ['auth', auth]);
    ids.add(socket.id);
  }
  assert.equal(ids.has(undefined), false);
  assert.equal(ids.has(other.engine.id), false, "the engine's sid is a secret");
  other._close();
});

everyChoice('an unknown namespace is refused, the others go on', async (options) => {
  const manager = managerOf(options);
  const main = open(manager);
  await heard(main, 'auth');
  const random = open(manager, '/random');
  const error = await within('it is refused', 10_000,
    new Promise((resolve) => random.once('connect_error', resolve)));
  assert.equal(error.message, 'Invalid namespace');
  assert.equal(random.active, false);
  main.emit('message', 'still here');
  assert.deepEqual(await heard(main, 'message-back'), ['message-back', 'still here']);
  manager._close();
});

everyChoice('leaving a namespace leaves the others', async (options) => {
  const manager = managerOf(options);
  const [main, custom] = [open(manager), open(manager, '/custom')];
  await Promise.all([heard(main, 'auth'), heard(custom, 'auth')]);
  custom.disconnect();
  main.emit('message', 'to the main namespace');
  await heard(main, 'message-back');
  custom.heard.length = 0;
  custom.connect();
  await heard(custom, 'auth');
  main.disconnect();
  await until('the engine goes on', () => custom.connected && !main.connected);
  custom.disconnect();
  await until('the last one ends the engine', () => manager._readyState === 'closed');
});

// --- messages

everyChoice('arguments come back as they went', async (options) => {
  const socket = open(managerOf(options));
  const sent = [
    [1, '2', { 3: [true] }],
    [],
    [null, -1.5e300, 'Grüße 😀', '\u2028"\\'],
    [{ _placeholder: true, num: 0 }],
    [{ __proto__: null, deep: [[[[{}]]]] }],
    ['x'.repeat(200_000)],
  ];
  for (const args of sent) socket.emit('message', ...args);
  assert.deepEqual(
    await back(socket, sent.length),
    sent.map((args) => ['message-back', ...JSON.parse(JSON.stringify(args))]),
  );
  for (const args of sent.slice(1)) {
    const answer = await within('the ack', 10_000,
      new Promise((resolve) => socket.emit('message-with-ack', ...args, (...all) => resolve(all))));
    assert.deepEqual(answer, JSON.parse(JSON.stringify(args)));
  }
  socket.disconnect();
});

everyChoice('binary comes back as it went, with acks and without', async (options) => {
  const socket = open(managerOf(options));
  const [one, two] = [Buffer.from([1, 2, 3]), Buffer.from([4, 5, 6])];
  socket.emit('message', one, two);
  socket.emit('message', { nested: [one, { two }], text: 'x' });
  socket.emit('message', 'text between');
  socket.emit('message', Buffer.alloc(100_000, 7));
  const echoes = await back(socket, 4);
  assert.deepEqual(echoes[0], ['message-back', one, two]);
  assert.deepEqual(echoes[1], ['message-back', { nested: [one, { two }], text: 'x' }]);
  assert.deepEqual(echoes[2], ['message-back', 'text between']);
  assert.ok(echoes[3][1].equals(Buffer.alloc(100_000, 7)));

  const answer = await within('the ack', 10_000,
    new Promise((resolve) => socket.emit('message-with-ack', one, two, (...all) => resolve(all))));
  assert.deepEqual(answer, [one, two]);
  socket.disconnect();
});

everyChoice('five hundred events keep their order', async (options) => {
  const socket = open(managerOf(options));
  const sent = Array.from({ length: 500 }, (_, n) => (n % 5 ? n : Buffer.from(`${n}`)));
  for (const [i, value] of sent.entries()) {
    socket.emit('message', value);
    if (i % 9 === 0) await new Promise(setImmediate);
  }
  const echoes = await back(socket, sent.length);
  assert.deepEqual(echoes.map(([, value]) => value), sent);
  socket.disconnect();
});

everyChoice('the client comes back by itself from a lost connection', async (options) => {
  const manager = managerOf({ ...options, reconnectionDelay: 10 });
  const socket = open(manager);
  await heard(socket, 'auth');
  let losses = 0;
  socket.on('disconnect', () => ++losses);
  manager.engine.send('abc'); // No packet of Socket.IO: the server closes the connection.
  await until('it is lost, and connected anew', () => losses === 1 && socket.connected);
  socket.emit('message', 'again');
  assert.deepEqual(await back(socket, 1), [['message-back', 'again']]);
  socket.disconnect();
});

// --- over a bare engine: packets to the byte

const engine = (options) => engineOf(server.url, { ...options, path: '/socket.io/' });

async function joined(options) {
  const made = engine(options);
  made.send('0');
  await until('CONNECT and auth', () => made.heard.length === 2);
  assert.match(made.heard[0], /^0\{"sid":"[^"]+"\}$/);
  assert.equal(made.heard[1], '2["auth",{}]');
  made.heard.length = 0;
  return made;
}

everyChoice('payloads pass through unchanged to the byte', async (options) => {
  const client = await joined(options);
  const payloads = [
    '1,"2",{"3":[true]}',
    '1e2,1.0,-0,12345678901234567890,0.1e-7',
    '"\\ud800","\\u00e9","é", "\\/"',
    '{"b":1,"a":2,"b":3}, [ ]',
  ];
  for (const payload of payloads) client.send(`2["message",${payload}]`);
  client.send('2456["message-with-ack",1,"2",{"3":[false]}]');
  client.send('20["message-with-ack"]');
  await until('all are back', () => client.heard.length === payloads.length + 2);
  assert.deepEqual(client.heard, [
    ...payloads.map((payload) => `2["message-back",${payload}]`),
    '3456[1,"2",{"3":[false]}]',
    '30[]',
  ]);
  client.close();
});

everyChoice('attachments follow their packet', async (options) => {
  const client = await joined(options);
  const slots = '{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}';
  const parts = [Uint8Array.from([1, 2, 3]).buffer, Uint8Array.from([4, 5, 6]).buffer];
  for (const packet of [`52-["message",${slots}]`, `52-789["message-with-ack",${slots}]`]) {
    client.send(packet);
    for (const part of parts) client.send(part);
  }
  await until('all are back', () => client.heard.length === 6);
  assert.deepEqual(client.heard, [
    `52-["message-back",${slots}]`,
    ...parts,
    `62-789[${slots}]`,
    ...parts,
  ]);
  client.close();
});

everyChoice('the CONNECT answers of namespaces', async (options) => {
  const client = await joined(options);
  for (const [packet, first, second] of [
    ['0/custom', /^0\/custom,\{"sid":"[^"]+"\}$/, '2/custom,["auth",{}]'],
    ['0/random', /^4\/random,\{"message":"Invalid namespace"\}$/],
  ]) {
    client.heard.length = 0;
    client.send(packet);
    await until('its answer', () => client.heard.length === (second ? 2 : 1));
    assert.match(client.heard[0], first);
    assert.equal(client.heard[1], second);
  }
  client.send('1/custom,');
  client.send('2["message","to the main namespace"]');
  await until('the echo', () => client.heard.includes('2["message-back","to the main namespace"]'));
  client.close();
});

everyChoice('what is no packet ends the connection', async (options) => {
  for (const packet of [
    'abc', '2{}', '2[]', '2abc["message-with-ack",1]', '2["connect"]', '2[{}]', '0[]', '1[]', '8',
    '51-["message",{"_placeholder":true,"num":1}]', '59999999-["message"]', '2/custom,["message"]',
  ]) {
    const client = await joined(options);
    client.send(packet);
    if (packet.startsWith('51-')) client.send(Uint8Array.from([1]).buffer);
    await until(`${packet} ends it`, () => client.closed !== null);
    assert.deepEqual(client.heard, [], packet);
  }
});

everyChoice('a first packet that is no CONNECT ends the connection', async (options) => {
  for (const packet of ['abc', '2["message",1]', '1']) {
    const client = engine(options);
    await isOpen(client);
    client.send(packet);
    await until(`${packet} ends it`, () => client.closed !== null);
  }
});

everyChoice('who never joins a namespace is closed, whatever it pongs', async (options) => {
  const client = engine(options);
  let pings = 0;
  client.on('ping', () => ++pings);
  await until('it is closed', () => client.closed !== null);
  assert.ok(pings >= 1);
});

once('who has left the last namespace is pinged on', async () => {
  const client = await joined({ transports: ['websocket'] });
  let pings = 0;
  client.on('ping', () => ++pings);
  client.send('1');
  await until('a ping', () => pings > 0);
  assert.equal(client.closed, null);
  client.close();
});
