// connections.mjs: rows about who connects, and who stays connected and says nothing.
import { costOf } from './bench.mjs';
import { atMost } from './goals.mjs';

const KIB = 1_024;
// Members that are named when a room is made; joining each by a request would be work of the edge
// that has nothing to do with its connections.
const ROOM = 1_000;
// What joining leaves to do is done by then: read pointers are written within 5 s.
const SETTLE_S = 15;

const handshake = {
  name: 'handshake',
  work: 'handshake: connect, upgrade, token, join, 100 at a time',
  minutes: { long: 1, short: 0.3 },
  figures: [
    { name: 'cpu', what: 'edge + control + PostgreSQL CPU', unit: 'ms', goals: [atMost(0.08)] },
    { name: 'edge', what: 'of it the edge', unit: 'ms' },
    { name: 'control', what: 'of it control', unit: 'ms' },
    { name: 'postgres', what: 'of it PostgreSQL', unit: 'ms' },
  ],
  run: (bench) =>
    bench.withCluster({}, (cluster) =>
      bench.eachRun(async () => {
        const found = await bench.load(cluster, 'handshake', { users: ROOM, concurrency: 100 });
        bench.add('cpu', costOf(found, 'all', 'cpuMsPerHandshake'));
        for (const name of ['edge', 'control', 'postgres'])
          bench.add(name, costOf(found, name, 'cpuMsPerHandshake'));
      }),
    ),
};

// Each run with fresh processes: memory that was used once is used again.
const idle = (connections, seconds, isLong) => ({
  name: `idle-${connections}`,
  work: `${connections.toLocaleString('en-US')} idle connections, in rooms of 1,000`,
  minutes: { long: isLong ? 6 : 3, short: 0.3 },
  needs: { connections },
  figures: [
    {
      name: 'rss',
      what: 'edge memory (RSS)',
      unit: 'KiB per connection',
      goals: [atMost(6)],
    },
    ...(isLong
      ? [
          {
            name: 'cpu',
            what: 'edge + control + PostgreSQL CPU',
            unit: 's per 1,000 connections and hour',
            goals: [atMost(1.5)],
          },
        ]
      : []),
  ],
  run: (bench) =>
    bench.eachRun(() =>
      bench.withCluster({}, async (cluster) => {
        const there = bench.pick(connections, 100);
        const rooms = Math.ceil(there / ROOM);
        const options = { connections: there, rooms, seconds, warmUp: SETTLE_S };
        const found = await bench.load(cluster, 'idle', options);
        bench.add('rss', costOf(found, 'edge', 'rssBytesPerConnection') / KIB);
        if (!isLong) return;
        bench.add('cpu', costOf(found, 'all', 'cpuSecondsPerThousandConnectionsHour'));
      }),
    ),
});

export const connections = [
  handshake,
  // Three rounds of heartbeats, which are what idle connections cost.
  idle(5_000, 75, true),
  idle(19_000, 10, false),
];
