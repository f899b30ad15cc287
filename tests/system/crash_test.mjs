// crash_test.mjs: kill -9 at random moments under load, ten times; the ledger is clean each time.
import assert from 'node:assert/strict';

import { scaled } from '../support/cluster.mjs';
import { newSeed } from '../support/random.mjs';
import { scenario } from '../support/scenario.mjs';
import { LoadRun } from './load_run.mjs';

const ROUNDS = scaled(10, 2);
const ACKS_LIMIT = 400; // The next kill comes after at most so many acks: some hundred milliseconds.
const CLIENTS = { clients: 20, rooms: 10, inFlight: 4 };

// Kills `victim` ROUNDS times, each after a random number of acks, and audits at the end.
async function crashRun(cluster, victim) {
  const run = new LoadRun(cluster, { ...CLIENTS, seed: newSeed() });
  await run.open();
  run.send();
  for (let round = 1; round <= ROUNDS; ++round) {
    const acks = 1 + Math.floor(run.random() * ACKS_LIMIT);
    await run.acked(acks);
    await cluster.kill(victim);
    console.log(`round ${round}: kill -9 of ${victim.name} after ${acks} further acks`);
    await cluster.restart(victim);
    await run.acked(1); // It goes on, by itself.
  }
  await run.acked(100);
  await run.finish();
  return run;
}

// Sockets outlive control (P7): nobody reconnects, nobody joins again, nothing is missed.
async function controlDies(cluster) {
  const run = await crashRun(cluster, cluster.control);
  assert.equal(run.losses, 0, 'clients lost their connection');
}

// Everything dies: clients come back by themselves and join with afterSeq.
async function everythingDies(cluster) {
  const run = await crashRun(cluster, cluster.edge);
  assert.ok(run.losses >= run.clients.length, 'clients did not notice: nothing was tested');
}

const runs = {
  control: () =>
    scenario(
      `kill -9 of control ${ROUNDS} times, SQLite: five zeros, no connection lost`,
      { processes: 'two' },
      controlDies,
    ),
  'control-postgres': () =>
    scenario(
      `kill -9 of control ${ROUNDS} times, PostgreSQL: five zeros, no connection lost`,
      { processes: 'two', store: 'postgres' },
      controlDies,
    ),
  all: () =>
    scenario(
      `kill -9 of the one process ${ROUNDS} times, SQLite: five zeros`,
      { processes: 'one' },
      everythingDies,
    ),
  edge: () =>
    scenario(
      `kill -9 of the edge ${ROUNDS} times, PostgreSQL: five zeros`,
      { processes: 'two', store: 'postgres' },
      everythingDies,
    ),
};
const [which] = process.argv.slice(2);
if (!runs[which]) throw new Error(`which run? one of ${Object.keys(runs).join(', ')}`);
runs[which]();
