// transcript_test.mjs: two stock clients and `confabctl message tail` see the same ten messages
// with the same seqs, the system's included; after kill -9 and a new start all ten are there.
// Prints what it saw.
import assert from 'node:assert/strict';

import { ChatClient } from '../support/chat_client.mjs';
import { scenario } from '../support/scenario.mjs';
import { until } from '../support/until.mjs';

for (const [processes, store] of [
  ['one', 'sqlite'],
  ['two', 'postgres'],
]) {
  scenario(
    `ten messages, seen alike by all, and there after kill -9: ${store}`,
    { processes, store },
    async (cluster) => {
      const minted = (await cluster.ctl('token', 'mint', '--user', 'ann', '--ttl', '1h'))
        .trim()
        .split('\n')
        .at(-1);
      await cluster.createRoom('den', ['ann', 'ben']);
      const [ann, ben] = await Promise.all([
        ChatClient.connected(cluster, 'ann', { token: minted }),
        ChatClient.connected(cluster, 'ben'),
      ]);
      await Promise.all([ann.join('den'), ben.join('den')]);
      const watcher = cluster.ctlProcess('message', 'tail', 'den', '--after', '0', '-o', 'json');

      for (let n = 1; n <= 4; ++n) {
        await ann.send('den', `ann says ${n}`);
        await ben.send('den', `ben says ${n}`);
      }
      await cluster.ctl('message', 'post', 'den', 'the system says 1');
      const last = await ann.send('den', 'the tenth');
      await Promise.all([ann, ben].map((client) => client.seesContent('den', 'the tenth')));
      const tailed = () =>
        watcher.lines
          .filter((line) => line.startsWith('{'))
          .map((line) => JSON.parse(line))
          .filter((event) => event.messagePosted);
      await until(
        'the tail has ten messages',
        () => tailed().length === 10,
        10_000,
        () => watcher.lines.slice(-3).join('\n'),
      );
      for (const server of cluster.servers) await cluster.kill(server);
      for (const server of cluster.servers) server.start();
      for (const server of cluster.servers) await cluster.awaitReady(server);
      const listed = (await cluster.roomLog('den')).filter(
        (event) => event.kind === 'messagePosted',
      );

      const seen = (client) =>
        client.messages('den').map((m) => [m.seq, m.senderId, m.content, m.messageId]);
      console.log('  seq  sender  content');
      for (const [seq, sender, content] of seen(ann))
        console.log(`  ${String(seq).padStart(3)}  ${sender.padEnd(6)}  ${content}`);
      assert.equal(seen(ann).length, 10);
      assert.deepEqual(seen(ben), seen(ann));
      assert.deepEqual(
        tailed().map((e) => [
          Number(e.seq),
          e.actor?.id ?? '',
          e.messagePosted.content,
          e.messagePosted.messageId,
        ]),
        seen(ann),
      );
      assert.deepEqual(
        listed.map((e) => [e.seq, e.sender, e.content, e.messageId]),
        seen(ann),
      );
      assert.equal(seen(ann).at(-1)[0], last.seq);
      const system = ann.messages('den').find((m) => m.content === 'the system says 1');
      assert.equal(system.type, 'system');
      console.log(await cluster.ctl('message', 'list', 'den'));
    },
  );
}
