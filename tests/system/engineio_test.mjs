// engineio_test.mjs: Engine.IO v4 as the stock engine.io-client speaks it, on each choice of
// transports, and by hand what it never does. The server sends back every message.
import assert from 'node:assert/strict';
import net from 'node:net';

import {
  MAX_PAYLOAD,
  PING_INTERVAL,
  PING_TIMEOUT,
  engineOf,
  everyChoice,
  isOpen,
  once,
  protocolServer,
  rawWebSocket,
} from '../support/protocol_server.mjs';
import { until } from '../support/until.mjs';

const server = protocolServer();
const polling = (more = '') => `${server.url}/engine.io/?EIO=4&transport=polling${more}`;
const socket = (more = '') => `${server.url}/engine.io/?EIO=4&transport=websocket${more}`;

async function openPolling() {
  const body = await (await fetch(polling())).text();
  assert.equal(body[0], '0');
  return JSON.parse(body.slice(1));
}

const poll = (sid) => fetch(polling(`&sid=${sid}`));
const post = (sid, body) => fetch(polling(`&sid=${sid}`), { method: 'POST', body });
// What a GET brings beside pings, which a slow machine may put anywhere.
async function take(sid) {
  for (;;) {
    const answer = await poll(sid);
    assert.equal(answer.status, 200);
    const packets = (await answer.text()).split('\x1e').filter((packet) => packet !== '2');
    if (packets.length > 0) return packets.join('\x1e');
  }
}

const isGone = async (sid) => (await poll(sid)).status === 400;
const bytes = (...values) => Uint8Array.from(values).buffer;

// --- with the stock client

everyChoice('the handshake has five members and no other', async (options, how) => {
  const engine = engineOf(server.url, options);
  await isOpen(engine);
  const { sid, ...rest } = engine.opened.handshake;
  assert.equal(typeof sid, 'string');
  assert.deepEqual(rest, {
    upgrades: how === 'websocket alone' ? [] : ['websocket'],
    pingInterval: PING_INTERVAL,
    pingTimeout: PING_TIMEOUT,
    maxPayload: MAX_PAYLOAD,
  });
  engine.close();
});

everyChoice('text and binary come back as they went, in order', async (options, how) => {
  const engine = engineOf(server.url, options);
  const sent = ['hello', 'Grüße 😀', '\u0000\u001f', 'b64'];
  sent.push(bytes(1, 2, 3, 4), bytes(), bytes(0xff));
  for (let n = 0; n < 500; ++n) sent.push(n % 3 ? `message ${n}` : bytes(n & 0xff, n >> 8));
  for (const [i, message] of sent.entries()) {
    engine.send(message);
    // Some in one turn, some in many: batches of every size, before, amid and after an upgrade.
    if (i % 7 === 0) await new Promise(setImmediate);
  }
  await until('all are back', () => engine.heard.length >= sent.length);
  assert.deepEqual(engine.heard, sent);
  const last = how === 'polling alone' ? 'polling' : 'websocket';
  await until(`it is on ${last}`, () => engine.transport.name === last);
  engine.close();
});

everyChoice('a message near the limit comes back', async (options) => {
  const engine = engineOf(server.url, options);
  const large = 'x'.repeat(MAX_PAYLOAD - 1);
  engine.send(large);
  engine.send('behind it');
  await until('both are back', () => engine.heard.length === 2);
  assert.ok(engine.heard[0] === large);
  assert.equal(engine.heard[1], 'behind it');
  engine.close();
});

everyChoice('heartbeats keep it open', async (options) => {
  const engine = engineOf(server.url, options);
  let pings = 0;
  engine.on('ping', () => ++pings);
  await until('three pings came', () => pings >= 3);
  engine.send('alive');
  await until('it answers', () => engine.heard.includes('alive'));
  assert.equal(engine.closed, null);
  engine.close();
});

everyChoice('the client closes it, and the session is gone', async (options) => {
  const engine = engineOf(server.url, options);
  await isOpen(engine);
  const sid = engine.id;
  engine.close();
  await until('it is closed', () => engine.closed !== null);
  await until('the session is gone', () => isGone(sid));
});

// --- by hand

once('what is no handshake is refused, on HTTP and WebSocket', async () => {
  const base = `${server.url}/engine.io/`;
  for (const [method, query, code, message] of [
    ['GET', '?transport=polling', 5, 'Unsupported protocol version'],
    ['GET', '?EIO=abc&transport=polling', 5, 'Unsupported protocol version'],
    ['GET', '?EIO=3&transport=polling', 5, 'Unsupported protocol version'],
    ['GET', '?EIO=4', 0, 'Transport unknown'],
    ['GET', '?EIO=4&transport=abc', 0, 'Transport unknown'],
    ['GET', '?EIO=4&transport=polling&sid=abc', 1, 'Session ID unknown'],
    ['POST', '?EIO=4&transport=polling', 2, 'Bad handshake method'],
    ['PUT', '?EIO=4&transport=polling', 2, 'Bad handshake method'],
    ['GET', '?EIO=4&transport=websocket', 3, 'Bad request'],
  ]) {
    const answer = await fetch(base + query, { method });
    assert.equal(answer.status, 400, `${method} ${query}`);
    assert.deepEqual(await answer.json(), { code, message }, `${method} ${query}`);
  }
  for (const query of [
    '?transport=websocket',
    '?EIO=abc&transport=websocket',
    '?EIO=3&transport=websocket',
    '?EIO=4',
    '?EIO=4&transport=abc',
    '?EIO=4&transport=websocket&sid=abc',
  ]) {
    const ws = rawWebSocket(base + query);
    await until(`${query} is closed`, () => ws.isClosed);
    assert.equal(ws.isOpened, false, query);
  }
});

once('payloads of one, of many and of mixed packets', async () => {
  for (const body of ['4hello', '4test1\x1e4test2\x1e4test3', '4hello\x1ebAQIDBA==']) {
    const { sid } = await openPolling();
    const taken = await post(sid, body);
    assert.deepEqual([taken.status, await taken.text()], [200, 'ok']);
    assert.equal(await take(sid), body);
  }
});

once('a packet of no kind ends its session', async () => {
  for (const body of ['abc', '', '4ok\x1eabc', 'b***']) {
    const { sid } = await openPolling();
    assert.equal((await post(sid, body)).status, 400, body);
    assert.ok(await isGone(sid), body);
  }
  const ws = rawWebSocket(socket());
  await until('the handshake', () => ws.heard.length > 0);
  ws.send('abc');
  await until('it is closed', () => ws.isClosed);
});

once('a second GET ends the session, and so does one that is given up', async () => {
  const { sid } = await openPolling();
  const [first, second] = await Promise.all([poll(sid), poll(sid)]);
  assert.deepEqual([first.status, second.status].sort(), [200, 400]);
  assert.equal(await (first.status === 200 ? first : second).text(), '1');
  assert.ok(await isGone(sid));

  const other = await openPolling();
  const { hostname, port } = new URL(server.url);
  const held = net.connect(Number(port), hostname);
  const path = `/engine.io/?EIO=4&transport=polling&sid=${other.sid}`;
  await new Promise((done) => held.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`, done));
  assert.equal((await post(other.sid, '3')).status, 200); // A way there and back behind it.
  const began = Date.now();
  held.destroy();
  await until('the session is gone', () => isGone(other.sid));
  assert.ok(Date.now() - began < PING_TIMEOUT, 'it went by its heartbeat');
});

once('pings go over polling, and missing pongs end the session', async () => {
  const { sid } = await openPolling();
  for (let i = 0; i < 3; ++i) {
    assert.equal(await (await poll(sid)).text(), '2');
    assert.equal((await post(sid, '3')).status, 200);
  }
  assert.equal(await (await poll(sid)).text(), '2');
  await until('the session is gone', () => isGone(sid));

  const ws = rawWebSocket(socket());
  await until('it is closed', () => ws.isClosed);
  assert.deepEqual(ws.heard.slice(1), ['2']);
});

once('a close packet ends the session', async () => {
  const { sid } = await openPolling();
  const [told] = await Promise.all([take(sid), post(sid, '1')]);
  assert.equal(told, '6');
  assert.ok(await isGone(sid));

  const ws = rawWebSocket(socket());
  await until('the handshake', () => ws.heard.length > 0);
  ws.send('1');
  await until('it is closed', () => ws.isClosed);
});

// A session that has upgraded: {sid, ws}.
async function upgraded() {
  const { sid } = await openPolling();
  const ws = rawWebSocket(socket(`&sid=${sid}`));
  await until('it opens', () => ws.isOpened);
  assert.deepEqual(ws.heard, []);
  ws.send('2probe');
  await until('the probe is answered', () => ws.heard.includes('3probe'));
  assert.equal(await take(sid), '6');
  ws.send('5');
  ws.send('4hello');
  await until('the echo', () => ws.heard.includes('4hello'));
  return { sid, ws };
}

once('the upgrade, step by step; polling is over then', async () => {
  const { sid, ws } = await upgraded();
  const answer = await poll(sid);
  assert.equal(answer.status, 400);
  assert.equal((await answer.json()).code, 3);
  ws.send('4still here');
  await until('the echo', () => ws.heard.includes('4still here'));
  ws.close();
});

once('a second WebSocket of a session is closed, the first stays', async () => {
  const { sid, ws } = await upgraded();
  const second = rawWebSocket(socket(`&sid=${sid}`));
  await until('the second is closed', () => second.isClosed);
  ws.send('4still here');
  await until('the echo', () => ws.heard.includes('4still here'));
  ws.close();
});

once('a probe that is none is closed, and polling goes on', async () => {
  for (const packet of ['4hello', '2', '5', 'abc']) {
    const { sid } = await openPolling();
    const ws = rawWebSocket(socket(`&sid=${sid}`));
    await until('it opens', () => ws.isOpened);
    ws.send(packet);
    await until('it is closed', () => ws.isClosed);
    await post(sid, '4on polling');
    assert.match(await take(sid), /4on polling/, packet);
  }
});
