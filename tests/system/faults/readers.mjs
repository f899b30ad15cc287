// readers.mjs: a crowd in a busy room stops reading, while the edge has little memory.
import fs from 'node:fs';

import { Canary } from '../../support/canary.mjs';
import { ChatClient } from '../../support/chat_client.mjs';
import { NativeReader } from '../../support/native_reader.mjs';
import { pause } from '../../support/pause.mjs';
import { until } from '../../support/until.mjs';
import { since } from './bench.mjs';

const MEMORY_MIB = 512;
const P99_FACTOR = 1.5;
const LEAST_MS = 20; // Taken as the p99 before at least: a turn of the scheduler.
const CAUGHT_UP_MS = 120_000;
const DELIVERIES = 10_000; // A second, of all readers together: what one process can read.
const CONTENT = 'x'.repeat(4000);
const CROWD = 25; // Readers that connect at a time.
const STOPPED_MS = 120_000; // For every outbox and what two kernels hold to be full.

// The edge's processes in a memory cgroup, of version 1 or 2.
class MemoryGroup {
  constructor(mebibytes) {
    const one = '/sys/fs/cgroup/memory';
    this.isFirst = fs.existsSync(`${one}/memory.limit_in_bytes`);
    this.dir = `${this.isFirst ? one : '/sys/fs/cgroup'}/confab-${process.pid}`;
    fs.mkdirSync(this.dir);
    process.on('exit', () => {
      try {
        fs.rmdirSync(this.dir);
      } catch {} // Not while the edge is in it: then whoever ends the row ends it first.
    });
    const limit = this.isFirst ? 'memory.limit_in_bytes' : 'memory.max';
    fs.writeFileSync(`${this.dir}/${limit}`, String(mebibytes * 1024 * 1024));
  }

  // Before the program of a command.
  get wrap() {
    return ['sh', '-c', `echo $$ > ${this.dir}/cgroup.procs && exec "$@"`, 'sh'];
  }

  get peakMiB() {
    const file = this.isFirst ? 'memory.max_usage_in_bytes' : 'memory.peak';
    return Math.ceil(Number(fs.readFileSync(`${this.dir}/${file}`, 'utf8')) / 1024 / 1024);
  }
}

async function readersStop(bench) {
  const { cluster } = bench;
  const count = bench.isLong ? 1_000 : 100;
  const group = new MemoryGroup(MEMORY_MIB);
  const { command } = cluster.edge;
  command.splice(command.indexOf('--') + 1, 0, ...group.wrap);
  await cluster.startAll();
  await cluster.createRoom('busy', ['ann', 'reader']);
  const ann = await ChatClient.connected(cluster, 'ann');
  const readers = [];
  while (readers.length < count) {
    const more = Array.from({ length: CROWD }, () => new NativeReader(cluster, 'reader', 'busy'));
    await Promise.all(more.map((reader) => reader.open()));
    readers.push(...more);
  }

  let last = 0;
  let isBusy = true;
  const writing = (async () => {
    const gapMs = (1_000 * count) / DELIVERIES;
    for (let next = performance.now(); isBusy; next += gapMs) {
      await pause(Math.max(0, next - performance.now()));
      last = (await ann.send('busy', CONTENT)).seq;
    }
  })();
  const canary = await Canary.start(cluster); // Its time in peace is that of a busy room.
  for (const reader of readers) reader.stop();
  await until(
    'every reader is degraded',
    async () => (await cluster.metric(cluster.edge, 'confab_edge_degraded_total')) >= count,
    STOPPED_MS * bench.slack,
  );
  await canary.sings(bench.isLong ? 1_000 : 200);
  bench.figure('p99 of two who read on', canary.p99, {
    atMost: P99_FACTOR * Math.max(canary.before, LEAST_MS),
  });

  isBusy = false;
  await writing;
  const start = performance.now();
  for (const reader of readers) reader.go();
  await until(
    'every reader has everything',
    () => readers.every((reader) => reader.position === last),
    2 * CAUGHT_UP_MS,
    () => `${readers.filter((reader) => reader.position < last).length} have not`,
  );
  bench.figure('all have everything', since(start), { atMost: CAUGHT_UP_MS });
  const faults = readers.reduce((sum, reader) => sum + reader.faults.length, 0);
  bench.figure('events twice or behind a gap', faults, { unit: '', atMost: 0 });
  const closed = readers.filter((reader) => reader.losses > 0).length;
  bench.figure('readers that were closed', closed, { unit: '', atMost: 0 });
  bench.figure('memory of the edge', group.peakMiB, { unit: 'MiB', atMost: MEMORY_MIB });
}

export const readers = [
  {
    name: 'readers-stop',
    fault: '1,000 readers of a busy room stop reading; the edge has 512 MiB',
    holds: "others' p99 stays below 1.5 times, nobody is closed, all have everything afterwards",
    cluster: {
      processes: 'two',
      start: false,
      edge: { 'connections-per-user': 'off', 'stall-time': '10m' },
    },
    needs: ['root'],
    run: readersStop,
  },
];
