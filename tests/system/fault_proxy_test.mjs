// fault_proxy_test.mjs: the proxy does what its faults are called, between a client and an echo.
import assert from 'node:assert/strict';
import net from 'node:net';
import test, { after } from 'node:test';

import { FaultProxy } from '../support/fault_proxy.mjs';
import { randomOf } from '../support/random.mjs';
import { until } from '../support/until.mjs';

const closing = [];
after(() => closing.forEach((close) => close()));

// What came in, and how it ended.
class Peer {
  constructor(socket) {
    this.socket = socket;
    this.text = '';
    this.end = null; // 'FIN', 'RST'
    socket.on('data', (data) => (this.text += data));
    socket.on('end', () => (this.end ??= 'FIN'));
    socket.on('error', () => (this.end = 'RST'));
    closing.push(() => socket.destroy());
  }

  has(text) {
    return until(`"${text}" arrives`, () => this.text === text);
  }

  ends(how) {
    return until(`it ends with ${how}`, () => this.end === how);
  }
}

async function bench(random) {
  const peers = [];
  const server = net.createServer((socket) => peers.push(new Peer(socket)));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const proxy = await FaultProxy.before({ port: server.address().port, host: '127.0.0.1' }, random);
  closing.push(() => server.close(), () => proxy.close());
  const connect = async () => {
    const client = new Peer(net.connect(proxy.port, '127.0.0.1'));
    const count = peers.length;
    await until('the server has accepted', () => peers.length > count);
    return { client, server: peers.at(-1) };
  };
  return { proxy, connect, ...(await connect()) };
}

test('in calm everything passes, both ways, the end too', async () => {
  const { client, server } = await bench();

  client.socket.write('to the server');
  await server.has('to the server');
  server.socket.write('and back');
  await client.has('and back');
  client.socket.end('last words');

  await server.has('to the serverlast words');
  await server.ends('FIN');
});

test('what is stalled arrives later, whole and in order', async () => {
  const { proxy, client, server } = await bench();

  proxy.stall();
  client.socket.write('one');
  server.socket.write('two');
  await until('both wait in the proxy', () => proxy.held === 6);
  const meanwhile = client.text + server.text;
  proxy.calm();

  await server.has('one');
  await client.has('two');
  assert.equal(meanwhile, '');
});

test('a stalled network keeps the news of an end to itself', async () => {
  const { proxy, client, server, connect } = await bench();

  proxy.stall();
  client.socket.resetAndDestroy();
  await until('the proxy knows', () => [...proxy.links][0].isBroken);
  const meanwhile = server.end;
  proxy.calm();

  await server.ends('RST');
  assert.equal(meanwhile, null);
  const next = await connect();
  next.client.socket.write('again');
  await next.server.has('again');
});

test('one direction stalls, the other flows', async () => {
  const { proxy, client, server } = await bench();

  proxy.stall('down');
  client.socket.write('up');
  await server.has('up');
  server.socket.write('down');
  await until('it waits in the proxy', () => proxy.held === 4);
  const meanwhile = client.text;
  proxy.calm();

  await client.has('down');
  assert.equal(meanwhile, '');
});

test('what is swallowed never comes, and its link ends with the fault', async () => {
  const { proxy, client, server } = await bench();

  proxy.swallow('up');
  client.socket.write('gone');
  await until('it is swallowed', () => [...proxy.links][0].isTorn);
  server.socket.write('the other way');
  await client.has('the other way');
  proxy.calm();

  await server.ends('RST');
  await client.ends('RST');
  assert.equal(server.text, '');
});

test('reset and cut end every link as they are called', async () => {
  const { proxy, client, server, connect } = await bench();

  proxy.reset();
  await Promise.all([client.ends('RST'), server.ends('RST')]);
  const other = await connect();
  proxy.cut();

  await Promise.all([other.client.ends('FIN'), other.server.ends('FIN')]);
});

test('a delay keeps the order, however it jitters', async () => {
  const { proxy, client, server } = await bench(randomOf(7));
  const pieces = Array.from({ length: 50 }, (_, i) => `${i};`);

  proxy.delay(5, 20);
  const start = performance.now();
  for (const piece of pieces) {
    client.socket.write(piece);
    await new Promise(setImmediate); // Else they are one write.
  }

  await server.has(pieces.join(''));
  assert.ok(performance.now() - start >= 5);
});

test('who is refused is reset', async () => {
  const { proxy } = await bench();

  proxy.refuse();
  const refused = new Peer(net.connect(proxy.port, '127.0.0.1'));

  await refused.ends('RST');
});
