// slow_reader_test.mjs: a reader that takes nothing costs itself, nobody else, and bounded memory (P8).
import assert from 'node:assert/strict';

import { ChatClient } from '../support/chat_client.mjs';
import { RawSocket } from '../support/raw_socket.mjs';
import { scenario } from '../support/scenario.mjs';
import { until } from '../support/until.mjs';

const COME_BACK = 4009;

scenario(
  'who reads nothing is closed with 4009, others get everything, the memory comes back',
  {
    processes: 'two',
  },
  async (cluster) => {
    await cluster.createRoom('den', ['ann', 'ben', 'sloth']);
    const [ann, ben] = await Promise.all(
      ['ann', 'ben'].map((user) => ChatClient.connected(cluster, user)),
    );
    await Promise.all([ann.join('den'), ben.join('den')]);
    const sloth = await RawSocket.socketIo(cluster, 'sloth');
    sloth.ws.send('420["joinRoom",{"roomId":"den"}]');
    await sloth.sees('joined', (frame) => frame.startsWith('430'));

    sloth.ws._socket.pause();
    const content = 'x'.repeat(4000);
    let sent = 0;
    const cut = async () => (await cluster.metric(cluster.edge, 'confab_edge_connections')) === 2;
    while (!(await cut())) {
      assert.ok(++sent <= 5000, '20 MB went out and the reader is still there');
      await Promise.all(Array.from({ length: 20 }, () => ann.send('den', content)));
    }
    await ann.send('den', 'fence');
    await Promise.all([ann, ben].map((client) => client.seesContent('den', 'fence')));
    sloth.ws._socket.resume();
    const { code } = await sloth.isClosed();

    assert.ok(code === COME_BACK || code === 1006, `closed with ${code}`);
    for (const client of [ann, ben]) {
      assert.deepEqual(client.disconnects, []);
      const seqs = client.logged('den').map((event) => event.seq);
      assert.deepEqual(
        seqs,
        seqs.map((_, i) => seqs[0] + i),
      );
    }
    await until(
      'the outboxes are empty',
      async () => (await cluster.metric(cluster.edge, 'confab_edge_outbox_bytes')) === 0,
    );
  },
);
