// hostile_memory_test.mjs: what attackers make the edge remember it forgets when they are gone: an
// attack that comes again and again costs no more than it did the first time (P8).
import assert from 'node:assert/strict';
import fs from 'node:fs';

import { frame, RawTcp } from '../support/raw_tcp.mjs';
import { scenario } from '../support/scenario.mjs';
import { residentBytes } from '../support/server_process.mjs';
import { until } from '../support/until.mjs';

const POLLING = '/socket.io/?EIO=4&transport=polling';
const KIB = 1024;
const ROUNDS = 4;
const SESSIONS = 1000;
const WARM_BYTES = 2 * 1024 * KIB; // What an allocator may keep more of in a later round.
const ANSWER = 'GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';

const edge = {
  'io-threads': 1,
  // All of a round are there at once, on a busy machine too.
  'open-time': '10s',
  'header-time': '60s',
  'message-time': '2s',
};

const socketsOf = (pid) =>
  fs
    .readdirSync(`/proc/${pid}/fd`)
    .filter((fd) => {
      try {
        return fs.readlinkSync(`/proc/${pid}/fd/${fd}`).startsWith('socket:');
      } catch {
        return false; // Closed meanwhile.
      }
    }).length;

// What came before has been read: the only io thread answers what came after it.
async function isTaken(cluster) {
  for (let i = 0; i < 2; ++i) {
    const raw = new RawTcp(cluster);
    raw.send(ANSWER);
    await raw.ends();
  }
}

// Name: begins one of an attack's connections. What it gives back is hung up on at the end of the
// round; polling sessions are left to their time.
const attacks = {
  // Sessions opened by polling and left.
  'half-open sessions': async (cluster) => {
    const raw = new RawTcp(cluster);
    raw.send(`GET ${POLLING} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    await raw.ends();
    return raw;
  },
  // WebSockets that say nothing.
  'silent WebSockets': (cluster) => RawTcp.webSocket(cluster),
  // The header of a request that never ends.
  'headers cut off': async (cluster) => {
    const raw = new RawTcp(cluster);
    raw.send(`GET / HTTP/1.1\r\nX: ${'y'.repeat(7 * KIB)}`);
    await raw.sees('the connection', () => !raw.socket.connecting);
    return raw;
  },
};

async function inTurns(count, begin) {
  const AT_A_TIME = 100; // More would fill the listener's queue.
  const begun = [];
  for (let i = 0; i < count; i += AT_A_TIME)
    begun.push(
      ...(await Promise.all(Array.from({ length: Math.min(AT_A_TIME, count - i) }, begin))),
    );
  return begun;
}

for (const [name, begin] of Object.entries(attacks)) {
  scenario(`${name} leave nothing behind`, { edge, processes: 'two' }, async (cluster) => {
    const { pid } = cluster.edge;
    const quiet = socketsOf(pid);
    const before = residentBytes(pid);
    const after = [];
    let peak = 0;

    for (let round = 0; round < ROUNDS; ++round) {
      const begun = await inTurns(SESSIONS, () => begin(cluster));
      await isTaken(cluster);
      peak = Math.max(peak, residentBytes(pid));
      for (const raw of begun) raw.socket.destroy();
      const ended = async () => {
        const closes = await cluster.metric(cluster.edge, 'confab_edge_closes_total');
        const areSessionsOver = name !== 'half-open sessions' || closes >= SESSIONS * (round + 1);
        return areSessionsOver && socketsOf(pid) <= quiet + 2; // The asking of the metric.
      };
      await until(`round ${round} is over`, ended, 30_000);
      after.push(residentBytes(pid));
    }

    const figures = `RSS in KiB: ${[before, ...after].map((n) => n / KIB).join(', ')}; peak ${peak / KIB}`;
    console.log(`${name}: ${figures}`);
    assert.ok(peak - before < SESSIONS * 24 * KIB, `a session costs too much: ${figures}`);
    // What an allocator keeps for the next round it has by the second one.
    const grown = after.at(-1) - after[1];
    assert.ok(grown < WARM_BYTES, `each round leaves something: ${figures}`);
  });
}

scenario('attachments that never come are forgotten', { edge, processes: 'two' }, async (cluster) => {
  const { pid } = cluster.edge;
  const quiet = socketsOf(pid);
  const before = residentBytes(pid);
  const after = [];
  let peak = 0;

  for (let round = 0; round < ROUNDS; ++round) {
    const raws = [];
    await inTurns(200, async () => {
      const raw = await RawTcp.socketIo(cluster, 'eve');
      raw.send(frame(1, '452-["x",{"_placeholder":true,"num":0}]'));
      raw.send(frame(2, Buffer.alloc(60_000)));
      raws.push(raw);
    });
    for (const raw of raws) {
      peak = Math.max(peak, residentBytes(pid));
      assert.equal(await raw.closed(), 4400);
      raw.socket.destroy();
    }
    await until(`round ${round} is over`, () => socketsOf(pid) <= quiet, 30_000);
    after.push(residentBytes(pid));
  }

  const figures = `RSS in KiB: ${[before, ...after].map((n) => n / KIB).join(', ')}; peak ${peak / KIB}`;
  console.log(figures);
  assert.ok(peak - before < 200 * 160 * KIB, figures);
  const grown = after.at(-1) - after[0];
  assert.ok(grown < (after[0] - before) / 2 + WARM_BYTES, `each round leaves something: ${figures}`);
});
