// growth.mjs: rows that tell how the cost of a message grows: with members, edges, connections,
// rooms and stored messages. The load is the same at each size.
import { costOf } from './bench.mjs';
import { flat } from './goals.mjs';
import { fillLogs } from './long_log.mjs';
import { Town } from './town.mjs';

const MESSAGES = 's per 1M stored messages';
const DELIVERIES = 's per 1M deliveries';
const MICROS = 'µs per stored message';
const messageCpu = (found, process) => costOf(found, process, 'cpuSecondsPerMillionMessages');

const members = {
  name: 'growth-members',
  work: 'fan-out, one message in flight',
  grows: 'members of the room',
  minutes: { long: 5, short: 0.4 },
  needs: { connections: 10_000 },
  figures: [
    { name: 'edge', what: 'edge CPU', unit: DELIVERIES, goals: [flat()] },
    { name: 'control', what: 'control CPU', unit: MICROS },
  ],
  run: (bench) =>
    bench.withCluster({}, (cluster) =>
      bench.eachRun(async () => {
        for (const size of bench.pick([10, 100, 1_000, 10_000], [10, 100])) {
          const options = { members: size, run: `members_${size}` };
          const found = await bench.load(cluster, 'fanout', options);
          bench.add('edge', costOf(found, 'edge', 'cpuSecondsPerMillionDeliveries'), size);
          bench.add('control', messageCpu(found, 'control'), size);
        }
      }),
    ),
};

const PAIRS = { users: 100, 'room-size': 2, window: 1 };

function addMessage(bench, found, size) {
  bench.add('cpu', messageCpu(found, 'all'), size);
  bench.add('control', messageCpu(found, 'control'), size);
  bench.add('postgres', messageCpu(found, 'postgres'), size);
}

const MESSAGE_FIGURES = [
  { name: 'cpu', what: 'edge + control + PostgreSQL CPU', unit: MESSAGES, goals: [flat()] },
  { name: 'control', what: 'of it control', unit: MESSAGES },
  { name: 'postgres', what: 'of it PostgreSQL', unit: MESSAGES },
];

const rooms = {
  name: 'growth-rooms',
  work: 'pairs, 100 users in the same 50 rooms',
  grows: 'rooms that control knows',
  minutes: { long: 6, short: 0.4 },
  figures: MESSAGE_FIGURES,
  run: (bench) =>
    bench.withCluster({}, async (cluster) => {
      const town = new Town(bench, cluster);
      let known = PAIRS.users / 2; // Those of the load.
      for (const size of bench.pick([50, 100, 10_000, 100_000], [50, 100])) {
        await town.makeRooms('quiet', known, size);
        await town.touchRooms('quiet', known, size);
        known = Math.max(known, size);
        await bench.eachRun(async () =>
          addMessage(bench, await bench.load(cluster, 'pairs', { ...PAIRS, run: 'rooms' }), size),
        );
      }
    }),
};

const RUN = 'stored';
// Shorter than others: what each run stores is soon no small part of the smaller sizes.
const SHORTLY = { seconds: 5, warmUp: 1 };
const onStored = (bench, cluster, time = SHORTLY) =>
  bench.load(cluster, 'pairs', { ...PAIRS, run: RUN, ...time });
const NOT_MEASURED = { seconds: 3, warmUp: 0 };

async function onLongLogs(bench, cluster) {
  await onStored(bench, cluster, NOT_MEASURED); // So that its rooms are there.
  for (const size of bench.pick([1e5, 1e6, 1e7], [2e5])) {
    await cluster.edge.end('SIGTERM');
    await cluster.control.end('SIGTERM');
    fillLogs(bench, cluster.postgres, RUN, size);
    await cluster.restart(cluster.control);
    await cluster.restart(cluster.edge);
    // A start looks through what was stored last, for pointers that were not written.
    await onStored(bench, cluster, NOT_MEASURED);
    await bench.eachRun(async () => addMessage(bench, await onStored(bench, cluster), size));
  }
}

const messages = {
  name: 'growth-stored',
  work: 'pairs, 100 users in 50 rooms whose logs have them all',
  grows: 'messages stored',
  minutes: { long: 12, short: 0.6 },
  needs: { diskGib: 20 },
  figures: MESSAGE_FIGURES,
  run: async (bench) => {
    // Each run stores many: an empty store is a new one.
    await bench.eachRun(() =>
      bench.withCluster({}, async (cluster) => {
        addMessage(bench, await onStored(bench, cluster), 0);
      }),
    );
    if (bench.isShort) bench.say('a million messages and more are left to the long form');
    await bench.withCluster({}, (cluster) => onLongLogs(bench, cluster));
  },
};

const edges = {
  name: 'growth-edges',
  work: 'rooms of 4, 200 users, spread over the edges',
  grows: 'edges with readers of each room',
  minutes: { long: 3, short: 0.4 },
  figures: [
    { name: 'control', what: 'control CPU', unit: MICROS },
    { name: 'cpu', what: 'edges + control + PostgreSQL CPU', unit: MESSAGES },
  ],
  run: (bench) =>
    bench.withCluster({}, async (cluster) => {
      const all = [cluster];
      for (const number of [2, 3, 4]) all.push(await cluster.addEdge(`edge-${number}`));
      await bench.eachRun(async () => {
        for (const count of [1, 2, 4]) {
          const options = { users: 200, 'room-size': 4, window: 1 };
          const found = await bench.load(cluster, 'pairs', options, { edges: all.slice(0, count) });
          bench.add('control', messageCpu(found, 'control'), count);
          bench.add('cpu', messageCpu(found, 'all'), count);
        }
      });
    }),
};

const sockets = {
  name: 'growth-sockets',
  work: 'pairs, 200 users, beside connections that are idle',
  grows: 'idle connections of the edge',
  minutes: { long: 4, short: 0.4 },
  needs: { connections: 10_200 },
  figures: [
    { name: 'control', what: 'control CPU', unit: MICROS, goals: [flat()] },
    { name: 'cpu', what: 'edge + control + PostgreSQL CPU', unit: MESSAGES },
  ],
  run: (bench) =>
    bench.withCluster({}, (cluster) =>
      bench.eachRun(async () => {
        for (const size of bench.pick([1_000, 10_000], [50, 100])) {
          const release = await bench.hold(cluster, size);
          const found = await bench.load(cluster, 'pairs', { users: 200, window: 1 });
          await release();
          bench.add('control', messageCpu(found, 'control'), size);
          bench.add('cpu', messageCpu(found, 'all'), size);
        }
      }),
    ),
};

export const growth = [members, rooms, messages, edges, sockets];
