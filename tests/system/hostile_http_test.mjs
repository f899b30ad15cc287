// hostile_http_test.mjs: HTTP against the rules: the offender gets its answer or its end, and a pair
// that chats through the same io thread notices nothing (P9).
import assert from 'node:assert/strict';

import { Canary } from '../support/canary.mjs';
import { frame, RawTcp, upgradeRequest } from '../support/raw_tcp.mjs';
import { scenario } from '../support/scenario.mjs';
import { residentBytes } from '../support/server_process.mjs';
import { until } from '../support/until.mjs';

const POLLING = '/socket.io/?EIO=4&transport=polling';
const WEBSOCKET = '/socket.io/?EIO=4&transport=websocket';
const HOST = 'Host: 127.0.0.1\r\n';
const KIB = 1024;

// Short, so that what they end ends soon; all other limits are the defaults.
const edge = {
  'io-threads': 1,
  'header-time': '2s',
  'body-time': '2s',
  'open-time': '4s',
  'rate-frames': '50/200',
  'rate-joins': '5/50',
};
const PACE_MS = 100; // Of who sends byte by byte.
const ENDS_MS = 8_000; // Those, and the linger behind an answer.

async function answers(cluster, request, status, words) {
  const raw = new RawTcp(cluster);
  raw.send(request);
  await raw.seesHead(` ${status} `);
  if (words) await raw.sees(words, () => raw.bytes.includes(words));
  return raw;
}

const many = (count, one) => Promise.all(Array.from({ length: count }, (_, i) => one(i)));

// A session of its own by polling; its sid.
async function openSid(cluster) {
  const response = await fetch(cluster.url + POLLING);
  return JSON.parse((await response.text()).slice(1)).sid;
}

async function isForgotten(cluster, sid) {
  const response = await fetch(`${cluster.url}${POLLING}&sid=${sid}`);
  return response.status === 400 && (await response.json()).code === 1;
}

// A GET is answered that its session is over.
const isToldTheEnd = (raw) =>
  raw.sees('a close packet', () => raw.bytes.toString().endsWith('\r\n\r\n1'));

const post = (sid, headers, body = '') =>
  `POST ${POLLING}&sid=${sid} HTTP/1.1\r\n${HOST}${headers}\r\n\r\n${body}`;

scenario('slow and endless requests end in their time', { edge }, async (cluster) => {
  const bird = await Canary.start(cluster);

  const headers = many(50, (i) => {
    const raw = new RawTcp(cluster);
    raw.send(i % 2 ? 'GET / HTTP/1.1\r\nX: ' : '');
    return i % 2 ? raw.drip(PACE_MS, ENDS_MS) : raw.ends(ENDS_MS);
  });
  // Whoever connects has header-time from then on: the session comes first.
  const posting = async (...more) => {
    const sid = await openSid(cluster);
    const raw = new RawTcp(cluster);
    raw.send(post(sid, ...more));
    return raw;
  };
  const bodies = many(20, async () => {
    const raw = await posting('Content-Length: 1000');
    return raw.drip(PACE_MS, ENDS_MS);
  });
  const waits = (async () => {
    const raw = await posting('Content-Length: 5\r\nExpect: 100-continue');
    await raw.seesHead(' 100 ');
    await raw.ends(ENDS_MS);
  })();
  const chunks = many(5, async () => {
    const raw = await posting('Transfer-Encoding: chunked', '1\r\n');
    return raw.drip(PACE_MS, ENDS_MS);
  });

  await Promise.all([headers, bodies, waits, chunks]);
  await bird.isUnharmed();
});

scenario('requests that are too large are refused before they are there', { edge }, async (cluster) => {
  const bird = await Canary.start(cluster);
  const sid = await openSid(cluster);
  // To a session of its own: it is over after open-time.
  const chunked = async (...more) =>
    post(await openSid(cluster), 'Transfer-Encoding: chunked', ...more);

  for (const length of ['100000000000', '65537', '18446744073709551615']) {
    await answers(cluster, post(sid, `Content-Length: ${length}`), 413);
  }
  for (const length of ['18446744073709551616', '1e5', '-1', '0x10']) {
    await answers(cluster, post(sid, `Content-Length: ${length}`), 400);
  }
  await answers(
    cluster,
    `POST /v1/rooms HTTP/1.1\r\n${HOST}Content-Length: 100000000000\r\n\r\n`,
    413,
    'CONTENT_SIZE',
  );
  await answers(cluster, await chunked('fffffffffffffff\r\n'), 413);
  await answers(cluster, await chunked('zz\r\n'), 400);
  await answers(cluster, post(sid, 'Transfer-Encoding: chunked\r\nContent-Length: 5'), 400);

  // Chunks without end, and a chunk's head without end.
  for (const piece of [`400\r\n${'x'.repeat(KIB)}\r\n`, '1\r\nx\r\n', '1;x=y\r\nx\r\n']) {
    const request = await chunked();
    const raw = new RawTcp(cluster);
    raw.send(request);
    const sent = await raw.pour(1_000_000, () => piece);
    assert.ok(sent < 1_000_000, 'a body that never ends is read for ever');
    assert.ok([413, 0].includes(raw.status()), raw.bytes.toString('latin1'));
  }
  const request = await chunked();
  const head = new RawTcp(cluster);
  head.send(request);
  assert.ok((await head.pour(100_000, () => `1;${'e'.repeat(KIB)}`)) < 100_000);

  const field = (count) => Array.from({ length: count }, (_, i) => `X-${i}: y\r\n`).join('');
  await answers(cluster, `GET / HTTP/1.1\r\n${HOST}${field(64)}\r\n`, 200);
  await answers(cluster, `GET / HTTP/1.1\r\n${HOST}${field(99)}\r\n`, 200);
  await answers(cluster, `GET / HTTP/1.1\r\n${HOST}${field(100)}\r\n`, 431);
  await answers(cluster, `GET / HTTP/1.1\r\n${HOST}X: ${'y'.repeat(9 * KIB)}\r\n\r\n`, 431);
  await answers(cluster, `GET /${'y'.repeat(9 * KIB)} HTTP/1.1\r\n${HOST}\r\n`, 431);
  const endless = new RawTcp(cluster);
  endless.send('GET / HTTP/1.1\r\n');
  assert.ok((await endless.pour(1_000_000, (i) => `X-${i}: y\r\n`)) < 1_000_000);

  await until('the session nobody showed a token for ends', () => isForgotten(cluster, sid));
  await bird.isUnharmed();
});

scenario('what is no HTTP, or no proper upgrade, is refused', { edge }, async (cluster) => {
  const bird = await Canary.start(cluster);

  for (const junk of [
    Buffer.from('160301020001000100', 'hex'), // A TLS client's hello.
    '\r\n\r\n\r\n\r\nGARBAGE\r\n\r\n',
    'GET / HTTP/9.9\r\n\r\n',
    `GET /\0 HTTP/1.1\r\n${HOST}\r\n`,
    `GET / HTTP/1.1\r\n${HOST}X\0: y\r\n\r\n`,
    `GET / HTTP/1.1\r\n${HOST}X: a\0b\r\n\r\n`,
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    frame(1, '40'),
  ]) {
    const raw = new RawTcp(cluster);
    raw.send(junk);
    await raw.ends(ENDS_MS);
    assert.ok([400, 0].includes(raw.status()), `${JSON.stringify(String(junk))}: ${raw.bytes}`);
  }

  for (const target of [WEBSOCKET, '/']) {
    const native = target === '/' ? { 'Sec-WebSocket-Protocol': 'confab.v1.json' } : {};
    for (const [what, changes, line] of [
      ['a key of 20 characters', { 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25j' }],
      ['a key of 28 characters', { 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZWFhYQ==' }],
      ['a key that is no base64', { 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZ!==' }],
      ['no key', { 'Sec-WebSocket-Key': null }],
      ['version 8', { 'Sec-WebSocket-Version': '8' }],
      ['no version', { 'Sec-WebSocket-Version': null }],
      ['POST', { 'Content-Length': '0' }, { method: 'POST' }],
      ['HTTP/1.0', {}, { version: '1.0' }],
    ]) {
      const request = upgradeRequest(target, { ...native, ...changes }, line);
      const raw = await answers(cluster, request, 400).catch((error) => {
        throw new Error(`${target}, ${what}: ${error.message}`);
      });
      assert.ok(!raw.bytes.includes(' 101 '), what);
    }
  }
  await answers(cluster, upgradeRequest(WEBSOCKET), 101);
  await bird.isUnharmed();
});

scenario('pipelined requests cost their sender alone', { edge }, async (cluster) => {
  const bird = await Canary.start(cluster);
  const get = `GET /v1/health HTTP/1.1\r\n${HOST}\r\n`;

  // Read: each is answered, in order, however many.
  const reader = new RawTcp(cluster);
  const last = `GET /no/such/page HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`;
  await reader.pour(50, () => get.repeat(100));
  reader.send(last);
  await reader.ends(60_000);
  const lines = reader.bytes.toString('latin1').match(/HTTP\/1\.1 \d{3}/g);
  assert.equal(lines.length, 5001);
  assert.deepEqual(lines.slice(-2), ['HTTP/1.1 200', 'HTTP/1.1 404']);

  // Not read: the server stops reading too, and hangs up when its answer is not taken in time.
  const before = residentBytes(cluster.edge.pid);
  const sleeper = new RawTcp(cluster);
  sleeper.socket.pause();
  let taken = 0;
  const pouring = sleeper.pour(1_000_000, () => ((taken += 100), get.repeat(100)));
  await bird.isUnharmed();
  // A paused socket of Node does not see the end: ask for it by writing.
  await until('the connection that reads nothing ends', () => sleeper.socket.destroyed, 40_000);
  await pouring;
  assert.ok(taken < 100_000_000, 'all of it was taken');
  const grown = residentBytes(cluster.edge.pid) - before;
  assert.ok(grown < 32 * KIB * KIB, `the edge grew by ${grown} bytes`);
});

scenario(
  'sessions opened and left, and GETs piled up, end by themselves',
  { edge },
  async (cluster) => {
    const bird = await Canary.start(cluster);

    // Two GETs of one session: both are answered, the session is gone. Which one comes second is
    // refused.
    const twice = await openSid(cluster);
    const polls = await many(2, async () => {
      const raw = new RawTcp(cluster);
      raw.send(`GET ${POLLING}&sid=${twice} HTTP/1.1\r\n${HOST}\r\n`);
      await raw.seesHead('HTTP/1.1 ');
      return raw;
    });
    polls.sort((a, b) => a.status() - b.status());
    assert.deepEqual(polls.map((raw) => raw.status()), [200, 400]);
    await isToldTheEnd(polls[0]);
    assert.equal(await isForgotten(cluster, twice), true);

    // 300 that nobody polls, 100 held GETs of sessions without a token: open-time ends them.
    // In turns: this process has header-time for the requests of all that it begins at once.
    const sids = [];
    while (sids.length < 300) sids.push(...(await many(25, () => openSid(cluster))));
    const held = [];
    while (held.length < 100) {
      const some = await many(25, () => openSid(cluster));
      held.push(
        ...some.map((sid) => {
          const raw = new RawTcp(cluster);
          raw.send(`GET ${POLLING}&sid=${sid} HTTP/1.1\r\n${HOST}\r\n`);
          return raw;
        }),
      );
    }
    await Promise.all(held.map((raw) => raw.seesHead(' 200 ')));
    for (const raw of held) await isToldTheEnd(raw);
    await until('all sessions are forgotten', async () => {
      for (const sid of sids) if (!(await isForgotten(cluster, sid))) return false;
      return true;
    });
    await bird.isUnharmed();
  },
);
