// ledger_run_test.mjs: 10,000 messages from 20 clients into 10 rooms, audited in two halves: five
// zeros.
import { scaled } from '../support/cluster.mjs';
import { scenario } from '../support/scenario.mjs';
import { LoadRun } from './load_run.mjs';

const MESSAGES = scaled(10_000, 500);
const HALF = MESSAGES / 2;

for (const [processes, store] of [
  ['one', 'sqlite'],
  ['two', 'postgres'],
]) {
  scenario(`${MESSAGES} messages, ${store}: five zeros`, { processes, store }, async (cluster) => {
    const run = new LoadRun(cluster, { clients: 20, rooms: 10, inFlight: 8 });
    await run.open();

    run.send(HALF);
    await run.acked(HALF);
    await run.turnPage();
    run.send(HALF);
    await run.acked(HALF);

    await run.finish();
  });
}
