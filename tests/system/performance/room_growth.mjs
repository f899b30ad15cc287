// room_growth.mjs: rows that tell what rooms and their members cost who does not write in them: to
// join, and to be known.
import { costOf } from './bench.mjs';
import { atMost, flat } from './goals.mjs';
import { Town } from './town.mjs';

const VISITORS = 10; // As many as the smallest room has.

const joins = {
  name: 'growth-join',
  work: 'handshakes that join one room, 10 at a time',
  grows: 'members of the room',
  minutes: { long: 3, short: 0.4 },
  figures: [
    { name: 'join', what: 'control + PostgreSQL CPU', unit: 'ms per handshake', goals: [flat()] },
    { name: 'p50', what: 'from joinRoom to its answer, p50', unit: 'ms' },
  ],
  run: (bench) =>
    bench.withCluster({}, async (cluster) => {
      const town = new Town(bench, cluster);
      const sizes = bench.pick([10, 1_000, 100_000], [10, 100]);
      for (const size of sizes) {
        const users = Array.from({ length: VISITORS }, (_, i) => `load-join_${size}-${i}`);
        await town.makeRoom(`load-join_${size}-0`, users, size);
      }
      const options = { users: VISITORS, concurrency: VISITORS };
      await bench.eachRun(async () => {
        for (const size of sizes) {
          const found = await bench.load(cluster, 'handshake', { ...options, run: `join_${size}` });
          const cpu = (process) => costOf(found, process, 'cpuMsPerHandshake');
          bench.add('join', cpu('control') + cpu('postgres'), size);
          bench.add('p50', found.handshakeLatency.join.p50Us / 1_000, size);
        }
      });
    }),
};

const FIRST = 100; // Rooms asked for before memory is read: what the first requests need is there.

const knownRooms = {
  name: 'growth-room-memory',
  work: 'control memory of rooms with one member, each asked for once',
  grows: 'rooms that control knows',
  minutes: { long: 6, short: 0.4 },
  figures: [
    { name: 'rss', what: 'control memory (RSS)', unit: 'bytes per room', goals: [atMost(1_024)] },
  ],
  run: (bench) =>
    bench.withCluster({}, async (cluster) => {
      const town = new Town(bench, cluster);
      const sizes = bench.pick([10_000, 100_000], [100, 1_000]);
      await town.makeRooms('first', 0, FIRST);
      await town.makeRooms('known', 0, sizes.at(-1));
      await bench.eachRun(async () => {
        await town.restartControl();
        await town.touchRooms('first', 0, FIRST);
        const before = town.controlBytes;
        let known = 0;
        for (const size of sizes) {
          await town.touchRooms('known', known, size);
          known = size;
          bench.add('rss', (town.controlBytes - before) / size, size);
        }
      });
    }),
};

const absentMembers = {
  name: 'member-memory',
  work: 'a room of 100,000 members, of whom one comes',
  minutes: { long: 2, short: 0.4 },
  figures: [
    // A member kept in memory would be some hundred bytes; RSS is told in pages.
    { name: 'rss', what: 'control memory (RSS)', unit: 'bytes per member', goals: [atMost(8)] },
  ],
  run: (bench) =>
    bench.withCluster({}, async (cluster) => {
      const town = new Town(bench, cluster);
      const size = bench.pick(100_000, 1_000);
      await town.makeRooms('first', 0, FIRST);
      await town.makeRoom('large', ['visitor'], size);
      await bench.eachRun(async () => {
        await town.restartControl();
        await town.touchRooms('first', 0, FIRST);
        const before = town.controlBytes;
        await town.join('large', 'visitor');
        bench.add('rss', (town.controlBytes - before) / size);
      });
    }),
};

export const roomGrowth = [joins, knownRooms, absentMembers];
