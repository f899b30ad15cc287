// deliveries.mjs: rows about one room whose members all get each message.
import { costOf } from './bench.mjs';
import { atMost, ofPeer } from './goals.mjs';

const PER_MILLION = 's per 1M deliveries';
const edgeCpu = (found) => costOf(found, 'edge', 'cpuSecondsPerMillionDeliveries');

// In turn with the bare sends: what the machine does beside it meets both.
const fanout = (members, share) => ({
  name: `fanout-${members}`,
  work: `fan-out, ${members.toLocaleString('en-US')} members, one message in flight`,
  minutes: { long: 1, short: 0.3 },
  needs: { floor: true, connections: members },
  figures: [
    { name: 'edge', what: 'edge CPU', unit: PER_MILLION },
    { name: 'floor', what: 'bare `send` of 364 bytes, same run', unit: PER_MILLION },
    { name: 'ratio', what: 'edge CPU ÷ bare sends', unit: '×', goals: [atMost(share)] },
  ],
  run: (bench) =>
    bench.withCluster({}, (cluster) =>
      bench.eachRun(async () => {
        const there = bench.pick(members, Math.min(members, 200));
        const floor = await bench.floor(there);
        const edge = edgeCpu(await bench.load(cluster, 'fanout', { members: there }));
        bench.add('floor', floor);
        bench.add('edge', edge);
        bench.add('ratio', edge / floor);
      }),
    ),
});

const pipelined = {
  name: 'pipelined-1000',
  work: 'fan-out, 1,000 members, 4 senders with 8 messages in flight each',
  minutes: { long: 1, short: 0.3 },
  needs: { connections: 1_000 },
  figures: [
    {
      name: 'edge',
      what: 'edge CPU',
      unit: PER_MILLION,
      goals: [atMost(0.35), ofPeer('nest', 1 / 15)],
    },
    { name: 'rate', what: 'deliveries', unit: '/s' },
  ],
  run: (bench) =>
    bench.withCluster({}, (cluster) =>
      bench.eachRun(async () => {
        const members = bench.pick(1_000, 100);
        const found = await bench.load(cluster, 'fanout', { members, senders: 4, window: 8 });
        bench.add('edge', edgeCpu(found));
        bench.add('rate', found.deliveries.perSecond);
      }),
    ),
};

const latency = {
  name: 'latency-100',
  work: 'one in flight, 100 members, stored first',
  minutes: { long: 1, short: 0.3 },
  figures: [
    { name: 'p50', what: 'delivery, p50', unit: 'ms', goals: [ofPeer('nest', 0.7)] },
    { name: 'p99', what: 'delivery, p99', unit: 'ms', goals: [ofPeer('nest', 0.5)] },
  ],
  run: (bench) =>
    bench.withCluster({}, (cluster) =>
      bench.eachRun(async () => {
        const { deliveryLatency } = await bench.load(cluster, 'fanout', { members: 100 });
        bench.add('p50', deliveryLatency.p50Us / 1_000);
        bench.add('p99', deliveryLatency.p99Us / 1_000);
      }),
    ),
};

export const deliveries = [
  fanout(100, 1.3),
  fanout(1_000, 1.15),
  fanout(5_000, 1.15),
  pipelined,
  latency,
];
