// inbox_acks_test.mjs: notifications of the inbox that ask the stock client for an ack, in the dialect
// that docs/dialects.md shows: acknowledged they are gone, others come again, always in order.
import assert from 'node:assert/strict';
import fs from 'node:fs';

import { io } from 'socket.io-client';

import { everyTransport } from '../support/family.mjs';
import { HttpApi } from '../support/http_client.mjs';
import { scenario } from '../support/scenario.mjs';
import { until } from '../support/until.mjs';

const LIMIT = 256; // AwaitedAcks::kLimit

const page = fs.readFileSync(new URL('../../docs/dialects.md', import.meta.url), 'utf8');
const tasks = [...page.matchAll(/```json\n(.*?)```/gs)]
  .map(([, text]) => text)
  .find((text) => JSON.parse(text).notification.ack);

const range = (first, last) => Array.from({ length: last - first + 1 }, (_, i) => first + i);

// A scenario whose clients speak that dialect unless they name another.
function withTasks(name, options, body) {
  scenario(name, { ...options, start: false }, async (cluster) => {
    const dir = `${cluster.dir}/dialects`;
    fs.mkdirSync(dir);
    fs.writeFileSync(`${dir}/tasks.json`, tasks);
    Object.assign(cluster.edgeFlags, { 'dialect-dir': dir, dialect: 'tasks' });
    await cluster.start();
    await body(cluster);
  });
}

async function push(cluster, user, numbers) {
  const lines = numbers.map((number) =>
    JSON.stringify({
      userId: user,
      event: 'due',
      json: JSON.stringify({ number }),
      deliveryClass: 'DELIVERY_CLASS_LOGGED',
    }),
  );
  const { code, err } = await cluster.ctlRaw(['push', 'lines'], `${lines.join('\n')}\n`);
  assert.equal(code, 0, err);
}

// A socket of the stock client that acknowledges those that `isDone` says; it keeps what its handler
// was given, and every event with all its arguments.
class Reader {
  constructor(cluster, user, isDone, { dialect, ...options } = {}) {
    this.given = []; // [{number, done}]
    this.heard = [];
    this.socket = io(cluster.url, {
      transports: ['websocket'],
      forceNew: true,
      reconnection: false,
      auth: { token: cluster.token(user), ...(dialect && { dialect }) },
      ...options,
    });
    this.socket.onAny((...event) => this.heard.push(event));
    this.socket.on('due', ({ number }, done) => {
      this.given.push({ number, done });
      if (isDone(number)) done();
    });
    cluster.closing.push(() => this.socket.disconnect());
  }

  get numbers() {
    return this.given.map(({ number }) => number);
  }

  gets(number) {
    const last = () => `it has ${JSON.stringify(this.numbers.slice(-5))}`;
    return until(`${number} is told`, () => this.numbers.includes(number), 10_000, last);
  }

  hears(name) {
    return until(`${name} is told`, () => this.heard.find(([event]) => event === name));
  }
}

// The inbox as a new connection is told it, which acknowledges nothing; it ends with `last`.
async function inboxOf(cluster, user, last, options) {
  const reader = new Reader(cluster, user, () => false, options);
  await reader.gets(last);
  reader.socket.disconnect();
  return reader.numbers;
}

// What was acknowledged last is on its way for a moment.
async function inboxBecomes(cluster, user, expected, options) {
  const told = async () => (await inboxOf(cluster, user, expected.at(-1), options))[0];
  await until(`the inbox begins with ${expected[0]}`, async () => (await told()) === expected[0]);
  assert.deepEqual(await inboxOf(cluster, user, expected.at(-1), options), expected);
}

for (const [how, options] of everyTransport) {
  withTasks(`acknowledged they are gone, the rest comes again in order: ${how}`, {}, async (cluster) => {
    await push(cluster, 'ann', range(1, 10));
    const first = new Reader(cluster, 'ann', (number) => number <= 3 || number === 5, options);
    await first.gets(10);
    assert.deepEqual(first.numbers, range(1, 10));
    first.socket.disconnect();
    // 5 too: it stands behind 4, which was not.
    await inboxBecomes(cluster, 'ann', range(4, 10), options);

    // In any order, some when another has come already; live ones behind what waited.
    const second = new Reader(cluster, 'ann', () => false, options);
    await second.gets(10);
    for (const { done } of second.given.toReversed()) done('whatever', { it: 'says' });
    await push(cluster, 'ann', [11, 12]);
    await second.gets(12);
    assert.deepEqual(second.numbers, range(4, 12));
    second.given.find(({ number }) => number === 11).done();
    second.socket.disconnect();
    await inboxBecomes(cluster, 'ann', [12], options);
  });
}

withTasks('who acknowledges nothing is told no more than may wait', {}, async (cluster) => {
  const count = LIMIT + 50;
  await push(cluster, 'ann', range(1, count));
  const ann = new Reader(cluster, 'ann', () => false);
  await ann.gets(LIMIT);
  await cluster.ctl('push', 'user', 'ann', 'live', '1');
  await ann.hears('live'); // What is only live does not wait for them.
  assert.deepEqual(ann.numbers, range(1, LIMIT));

  const told = [...ann.given];
  for (const { done } of told.slice(0, LIMIT / 2)) done();
  await ann.gets(count);
  assert.deepEqual(ann.numbers, range(1, count), 'each once and in order');
  for (const { done } of ann.given.slice(LIMIT / 2)) done();
  await push(cluster, 'ann', [count + 1]);
  await inboxBecomes(cluster, 'ann', [count + 1]);
});

withTasks('another device is not told again what one has dealt with', {}, async (cluster) => {
  await push(cluster, 'ann', range(1, 4));
  const slow = new Reader(cluster, 'ann', () => false);
  await slow.gets(4);
  const quick = new Reader(cluster, 'ann', (number) => number <= 3);
  await quick.gets(4);
  await inboxBecomes(cluster, 'ann', [4]);

  for (const { done } of slow.given.slice(0, 2)) done(); // Long since done with.
  slow.given[3].done(); // 3 is missing here.
  await push(cluster, 'ann', [5]);
  await slow.gets(5);
  await inboxBecomes(cluster, 'ann', [4, 5]);
  slow.given[2].done();
  await inboxBecomes(cluster, 'ann', [5]);
});

withTasks('bytes are acknowledged like any other, over polling too', {}, async (cluster) => {
  const api = await HttpApi.of(cluster);
  const token = (await cluster.ctl('token', 'mint', '--service', 'shop', '--scopes', 'notify')).trim();
  const bytes = Buffer.from([0, 1, 254, 255]);
  for (const transports of [['websocket'], ['polling']]) {
    const user = `user-of-${transports[0]}`;
    await api.must('POST', '/v1/notify', {
      token,
      body: { userId: user, event: 'image', payloadBase64: bytes.toString('base64'), delivery: 'logged' },
    });
    const reader = new Reader(cluster, user, (number) => number === 1, { transports });
    const [, image, done] = await reader.hears('image');
    assert.deepEqual(Buffer.from(image), bytes);
    done(Buffer.from('and bytes come back'));
    await push(cluster, user, [1]);
    await reader.gets(1);
    await push(cluster, user, [2]);
    reader.socket.disconnect();

    await until('the image is gone', async () => {
      const probe = new Reader(cluster, user, () => false, { transports });
      await probe.gets(2);
      probe.socket.disconnect();
      return probe.heard.every(([name]) => name !== 'image');
    });
  }
});

withTasks('only this dialect changes what a handler is given', {}, async (cluster) => {
  const isFunction = (what) => typeof what === 'function';
  const ann = new Reader(cluster, 'ann', () => true);
  const ben = new Reader(cluster, 'ben', () => false, { dialect: 'events' });
  await ben.hears('connected');
  await until('ann is connected', () => ann.socket.connected);
  for (const [user, reader] of [['ann', ann], ['ben', ben]]) {
    await push(cluster, user, [1]);
    await reader.hears('due'); // So control knows of the connection.
    await cluster.ctl('push', 'user', user, 'live', '{"a":1}');
  }

  assert.equal(isFunction((await ann.hears('due'))[2]), true);
  assert.deepEqual(await ann.hears('live'), ['live', { a: 1 }]);
  assert.deepEqual(await ben.hears('due'), ['due', { number: 1 }]);
  assert.deepEqual(await ben.hears('live'), ['live', { a: 1 }]);
});
