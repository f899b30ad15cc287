// stored.mjs: rows about messages on their way into the store.
import { costOf } from './bench.mjs';
import { atLeast, atMost, ofPeer } from './goals.mjs';

const PER_MILLION = 's per 1M stored messages';
const MICROS = 'µs per stored message'; // Which is the same number.
const messageCpu = (found, process) => costOf(found, process, 'cpuSecondsPerMillionMessages');

const SHARES = [
  { name: 'cpu', what: 'edge + control + PostgreSQL CPU', unit: PER_MILLION },
  { name: 'edge', what: 'of it the edge', unit: PER_MILLION },
  { name: 'control', what: 'of it control', unit: PER_MILLION },
  { name: 'postgres', what: 'of it PostgreSQL', unit: PER_MILLION },
];
const shares = (goals) => [{ ...SHARES[0], goals }, ...SHARES.slice(1)];

function addShares(bench, found) {
  bench.add('cpu', messageCpu(found, 'all'));
  for (const { name } of SHARES.slice(1)) bench.add(name, messageCpu(found, name));
}

const pairs = {
  name: 'pairs',
  work: 'pairs, 200 users in 100 rooms, as fast as they are answered',
  minutes: { long: 1, short: 0.3 },
  figures: [...shares([ofPeer('nest', 0.1)]), { name: 'rate', what: 'messages', unit: '/s' }],
  run: (bench) =>
    bench.withCluster({}, (cluster) =>
      bench.eachRun(async () => {
        const found = await bench.load(cluster, 'pairs', { users: 200, window: 1 });
        addShares(bench, found);
        bench.add('rate', found.messages.perSecond);
      }),
    ),
};

const chat = {
  name: 'chat',
  work: 'chat, 1,000 users in 500 rooms at 1 message/s each',
  minutes: { long: 2, short: 0.3 },
  needs: { connections: 1_000 },
  figures: [
    ...shares([ofPeer('nest', 1 / 2.5)]),
    { name: 'p50', what: 'delivery, p50', unit: 'ms', goals: [ofPeer('nest', 1)] },
    { name: 'p99', what: 'delivery, p99', unit: 'ms', goals: [ofPeer('nest', 1)] },
  ],
  run: (bench) =>
    bench.withCluster({}, (cluster) =>
      bench.eachRun(async () => {
        const users = bench.pick(1_000, 100);
        const found = await bench.load(cluster, 'chat', { users, rate: 1, seconds: 20 });
        addShares(bench, found);
        bench.add('p50', found.deliveryLatency.p50Us / 1_000);
        bench.add('p99', found.deliveryLatency.p99Us / 1_000);
      }),
    ),
};

const LOAD = { rooms: 50, window: 64 };
const DURABLE = 'durable sends, 50 rooms, one sender each, 64 in flight';

const onPostgres = {
  name: 'durable-postgres',
  work: `${DURABLE}, PostgreSQL`,
  minutes: { long: 1, short: 0.3 },
  figures: [
    { name: 'rate', what: 'messages', unit: '/s', goals: [atLeast(40_000)] },
    { name: 'control', what: 'control CPU', unit: MICROS, goals: [atMost(8)] },
    { name: 'edge', what: 'edge CPU', unit: MICROS },
    { name: 'postgres', what: 'PostgreSQL CPU', unit: MICROS },
  ],
  run: (bench) =>
    bench.withCluster({}, (cluster) =>
      bench.eachRun(async () => {
        const found = await bench.load(cluster, 'durable', LOAD);
        bench.add('rate', found.messages.perSecond);
        for (const name of ['control', 'edge', 'postgres'])
          bench.add(name, messageCpu(found, name));
      }),
    ),
};

const onSqlite = {
  name: 'durable-sqlite',
  work: `${DURABLE}, all in one process on SQLite`,
  minutes: { long: 1, short: 0.2 },
  figures: [
    { name: 'rate', what: 'messages', unit: '/s', goals: [atLeast(20_000)] },
    { name: 'cpu', what: 'CPU of the one process', unit: MICROS },
  ],
  run: (bench) =>
    bench.withCluster({ processes: 'one', store: 'sqlite' }, (cluster) =>
      bench.eachRun(async () => {
        const found = await bench.load(cluster, 'durable', LOAD);
        bench.add('rate', found.messages.perSecond);
        bench.add('cpu', messageCpu(found, 'confab'));
      }),
    ),
};

export const stored = [pairs, chat, onPostgres, onSqlite];
