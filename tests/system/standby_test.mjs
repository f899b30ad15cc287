// standby_test.mjs: one control is active for a store; a second one waits and takes over.
import assert from 'node:assert/strict';

import { ChatClient } from '../support/chat_client.mjs';
import { scenario } from '../support/scenario.mjs';
import { until } from '../support/until.mjs';

for (const store of ['sqlite', 'postgres']) {
  scenario(
    `a standby refuses, then takes over when the active control dies: ${store}`,
    {
      processes: 'two',
      store,
    },
    async (cluster) => {
      await cluster.createRoom('den', ['ann', 'ben']);
      const [ann, ben] = await Promise.all(
        ['ann', 'ben'].map((user) => ChatClient.connected(cluster, user)),
      );
      await Promise.all([ann.join('den'), ben.join('den')]);
      await ann.send('den', 'before');
      cluster.standby.start();
      await until(
        'the standby lives',
        async () => (await cluster.ops(cluster.standby, '/livez')).ok,
      );

      const waiting = await cluster.readyz(cluster.standby);
      const asked = await cluster.ctlRaw([
        'room',
        'list',
        '--control',
        cluster.standby.ready.control,
      ]);
      await ann.send('den', 'the active one goes on');
      await cluster.kill(cluster.control);
      await until('the standby is active', async () => (await cluster.readyz(cluster.standby)).ok);
      await until(
        'sends go through again',
        async () =>
          (await ann.ask('sendMessage', { roomId: 'den', content: 'after', clientMsgId: 'a' })).ok,
        15_000,
      );
      await ben.seesContent('den', 'after');

      assert.equal(waiting.status, 503);
      assert.notEqual(asked.code, 0, 'a standby served');
      assert.deepEqual(
        ben.messages('den').map((m) => m.content),
        ['before', 'the active one goes on', 'after'],
      );
      assert.deepEqual([...ann.disconnects, ...ben.disconnects], []);
    },
  );
}
