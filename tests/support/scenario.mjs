// scenario.mjs: one system test: a cluster, a body, logs on failure, an end in time.
import test, { after } from 'node:test';

import { Cluster } from './cluster.mjs';

const LIMIT_MS = 120_000; // Below ctest's own limit, so that servers are stopped and logs shown.

// A failed scenario may leave something open that keeps Node alive: its result stands, so leave.
const LEAVE_MS = 3_000;
after(() => setTimeout(() => process.exit(), LEAVE_MS).unref());

// scenario('what holds', {cluster options, limitMs}, async (cluster) => {...})
export function scenario(name, { limitMs = LIMIT_MS, start = true, ...options }, body) {
  test(name, { timeout: limitMs }, async () => {
    const cluster = new Cluster(options);
    try {
      if (start) await cluster.start();
      else await cluster.prepare();
      await body(cluster);
    } catch (error) {
      console.error(`${error.stack}\n${cluster.describe()}`);
      await cluster.stop({ keep: true }).catch((more) => console.error(String(more)));
      throw error;
    }
    await cluster.stop();
  });
}
