// database_away_test.mjs: PostgreSQL cannot be reached, at the start or later.
import assert from 'node:assert/strict';

import { ChatClient } from '../support/chat_client.mjs';
import { scenario } from '../support/scenario.mjs';
import { until } from '../support/until.mjs';

// The edge answers after 3 s at the latest; the rest is for two busy cores, less than 3 s once more.
const REFUSED_MS = 5_500;
const BACK_MS = 30_000; // Control tries again every 10 s at the latest.

scenario(
  'unreachable at the start: control says so, waits, and serves once it is there',
  {
    processes: 'two',
    store: 'postgres',
    start: false,
  },
  async (cluster) => {
    cluster.postgres.create();
    cluster.control.start();
    await until(
      'control says that it cannot reach its store',
      () => /postgres/i.test(cluster.control.log()) && /retry|again/i.test(cluster.control.log()),
    );
    cluster.edge.start();
    const ann = new ChatClient(cluster, 'ann');
    const running = cluster.control.running;

    await cluster.postgres.start();
    for (const server of cluster.servers) await cluster.awaitReady(server);
    await cluster.createRoom('den', ['ann']);
    await until('ann is let in', () => ann.socket.connected, BACK_MS);
    await ann.join('den');
    await ann.send('den', 'at last');

    assert.ok(running, 'control ended instead of waiting');
  },
);

scenario(
  'away later: sends are refused as retryable, sockets stay, and all goes on when it is back',
  {
    processes: 'two',
    store: 'postgres',
  },
  async (cluster) => {
    await cluster.createRoom('den', ['ann', 'ben']);
    const [ann, ben] = await Promise.all(
      ['ann', 'ben'].map((user) => ChatClient.connected(cluster, user)),
    );
    await Promise.all([ann.join('den'), ben.join('den')]);
    await ann.send('den', 'before');
    await ben.seesContent('den', 'before');

    await cluster.postgres.stop();
    const start = Date.now();
    const refused = await ann.ask('sendMessage', {
      roomId: 'den',
      content: 'meanwhile',
      clientMsgId: 'm',
    });
    const took = Date.now() - start;
    await cluster.postgres.start();
    await until(
      'the send goes through',
      async () => {
        const ack = await ann.ask('sendMessage', {
          roomId: 'den',
          content: 'meanwhile',
          clientMsgId: 'm',
        });
        if (!ack.ok) assert.equal(ack.error.retryable, true, JSON.stringify(ack));
        return ack.ok;
      },
      BACK_MS,
    );
    await ben.seesContent('den', 'meanwhile', BACK_MS);

    assert.equal(refused.error.reason, 'UNAVAILABLE');
    assert.equal(refused.error.retryable, true);
    assert.ok(took < REFUSED_MS, `the refusal took ${took} ms`);
    for (const client of [ann, ben]) {
      assert.deepEqual(client.disconnects, []);
      const seqs = client.logged('den').map((event) => event.seq);
      assert.deepEqual(
        seqs,
        seqs.map((_, i) => seqs[0] + i),
      );
      assert.equal(client.messages('den').filter((m) => m.content === 'meanwhile').length, 1);
    }
  },
);

scenario(
  'a database that answers no more is noticed in time; who sends then is refused at once',
  { processes: 'two', store: 'postgres' },
  async (cluster) => {
    await cluster.createRoom('den', ['ann']);
    const ann = await ChatClient.connected(cluster, 'ann');
    await ann.join('den');
    await ann.send('den', 'before');

    // Every process of the server stands still: connections stay open, nothing is answered.
    await cluster.postgres.freeze();
    const start = Date.now();
    const [refused, page] = await Promise.all([
      ann.ask('sendMessage', { roomId: 'den', content: 'meanwhile', clientMsgId: 'm' }),
      ann.ask('getHistory', { roomId: 'den' }),
    ]);
    const took = Date.now() - start;
    const early = await ann.ask('sendMessage', { roomId: 'den', content: 'too early' });
    const joined = await ann.ask('joinRoom', { roomId: 'den' });
    cluster.postgres.thaw();
    await until(
      'the send goes through',
      async () =>
        (await ann.ask('sendMessage', { roomId: 'den', content: 'meanwhile', clientMsgId: 'm' }))
          .ok,
      BACK_MS,
    );

    assert.equal(refused.error.reason, 'UNAVAILABLE');
    assert.equal(page.error.reason, 'UNAVAILABLE');
    assert.ok(took < REFUSED_MS, `the refusals took ${took} ms`);
    assert.equal(early.error.reason, 'UNAVAILABLE');
    assert.equal(early.error.retryable, true);
    assert.ok(early.error.retryAfterMs >= 100, 'not refused early, but at its deadline');
    assert.equal(joined.ok, true, 'what control has in memory is served');
    assert.deepEqual(ann.disconnects, []);
    const contents = (await cluster.roomLog('den')).map((event) => event.content);
    assert.deepEqual(
      contents.filter((content) => content),
      ['before', 'meanwhile'],
    );
  },
);
