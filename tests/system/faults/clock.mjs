// clock.mjs: the wall clock jumps under servers that run (FakeClock).
import { ChatClient } from '../../support/chat_client.mjs';
import { FakeClock } from '../../support/fake_clock.mjs';
import { pause } from '../../support/pause.mjs';
import { until } from '../../support/until.mjs';
import { BACK_MS } from './bench.mjs';

const HOUR = 3_600;
const JUMPS = [HOUR, -HOUR, 0]; // The second one is two hours back.
const NEAR_MS = 120_000; // A message told a time as near as that to the clock's was written by it.

const yes = () => true;
const no = () => false;

// What is written into a room that is new has the clock's time: no earlier message holds it back.
async function clockIsSeen(cluster, clock, room) {
  // Control's clock follows within a second: until it is back too, it has no use for such tokens.
  await until('a room is made', () => cluster.createRoom(room, ['ann']).then(yes, no), 20_000);
  const ann = await ChatClient.connected(cluster, 'ann');
  await ann.join(room);
  await until(
    'messages have the new time',
    async () => {
      const { createdAt } = await ann.send(room, 'what time is it');
      return Math.abs(Date.parse(createdAt) - Date.now() - clock.offset * 1_000) < NEAR_MS;
    },
    20_000,
  );
  ann.close();
}

async function clockJumps(bench) {
  const { cluster } = bench;
  const clock = new FakeClock(`${cluster.dir}/clock`);
  for (const server of cluster.servers) Object.assign(server.env, clock.env);
  // Whoever shows tokens to control goes by its clock.
  Object.assign(cluster.ctlEnv, clock.env);
  await cluster.startAll();
  const run = await bench.load();
  for (const [i, jump] of JUMPS.entries()) {
    clock.set(jump);
    await clockIsSeen(cluster, clock, `clock-${i}`);
    // Long enough for heartbeats, leases and keepalives to be missed.
    await pause(bench.long(100, 5) * 1_000);
    bench.longest('fresh messages for everybody afterwards', await run.live(), BACK_MS);
  }
  await bench.settle(run);
  bench.figure('connections lost', run.losses, { unit: '', atMost: 0 });
  const breaks = cluster.edge.log().match(/control is away/g)?.length ?? 0;
  bench.figure('links between edge and control lost', breaks, { unit: '', atMost: 0 });
}

export const clocks = [
  {
    name: 'clock',
    fault: 'the wall clock goes an hour ahead, two back, and right again',
    holds: 'no connection lost, new ones are let in, everybody has fresh messages; five zeros',
    needs: ['fake clock'],
    cluster: { processes: 'two', start: false, tokenHours: 24 }, // The jumps leave them valid.
    run: clockJumps,
  },
];
