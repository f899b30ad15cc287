// control_away_test.mjs: sockets outlive control (P7). Killed, or alive and silent: commands fail
// in time, sockets stay, live delivery goes on by itself with nothing missed.
import assert from 'node:assert/strict';

import { ChatClient } from '../support/chat_client.mjs';
import { scenario } from '../support/scenario.mjs';
import { until } from '../support/until.mjs';

// The edge answers after 3 s at the latest; the rest is for two busy cores, less than 3 s once more.
const COMMAND_MS = 3_000;
const SLACK_MS = 2_500;

const away = {
  killed: {
    leave: async (cluster) => {
      await cluster.kill(cluster.control);
      await until('the edge has noticed', async () => !(await cluster.readyz(cluster.edge)).ok);
    },
    come: (cluster) => cluster.restart(cluster.control),
    unkeyedReason: 'UNAVAILABLE',
  },
  silent: {
    leave: (cluster) => cluster.control.freeze(),
    come: (cluster) => cluster.control.thaw(),
    unkeyedReason: 'OUTCOME_UNKNOWN',
  },
};

for (const [how, { leave, come, unkeyedReason }] of Object.entries(away)) {
  scenario(
    `control is ${how}: commands fail in time, sockets stay, nothing is missed`,
    { processes: 'two' },
    async (cluster) => {
      await cluster.createRoom('den', ['ann', 'ben']);
      const [ann, ben] = await Promise.all(
        ['ann', 'ben'].map((user) => ChatClient.connected(cluster, user)),
      );
      await Promise.all([ann.join('den'), ben.join('den')]);
      await ann.send('den', 'before');
      await ben.seesContent('den', 'before');

      await leave(cluster);
      const start = Date.now();
      const [keyed, unkeyed, history, joined] = await Promise.all([
        ann.ask('sendMessage', { roomId: 'den', content: 'keyed', clientMsgId: 'k' }),
        ann.ask('sendMessage', { roomId: 'den', content: 'unkeyed' }),
        ann.ask('getHistory', { roomId: 'den' }),
        ann.ask('joinRoom', { roomId: 'den' }),
      ]);
      const took = Date.now() - start;
      await come(cluster);
      const ack = await until(
        'control serves again',
        async () => {
          const answer = await ann.ask('sendMessage', {
            roomId: 'den',
            content: 'keyed',
            clientMsgId: 'k',
          });
          return answer.ok && answer;
        },
        15_000,
      );
      await ann.send('den', 'after');
      await ben.seesContent('den', 'after');

      assert.ok(took < COMMAND_MS + SLACK_MS, `the refusals took ${took} ms`);
      for (const refused of [keyed, history, joined]) {
        assert.equal(refused.ok, false);
        assert.equal(refused.error.reason, 'UNAVAILABLE');
        assert.equal(refused.error.retryable, true);
      }
      // Sent and unanswered: it may have been done. Not sent at all: it cannot.
      assert.equal(unkeyed.error.reason, unkeyedReason);
      assert.equal(unkeyed.error.retryable, unkeyedReason === 'UNAVAILABLE');
      for (const client of [ann, ben]) {
        assert.deepEqual(client.disconnects, []);
        assert.deepEqual(client.connectErrors, []);
        const seqs = client.logged('den').map((event) => event.seq);
        assert.deepEqual(
          seqs,
          seqs.map((_, i) => seqs[0] + i),
        );
        assert.equal(client.messages('den').filter((event) => event.content === 'keyed').length, 1);
      }
      assert.equal(ben.messages('den').find((event) => event.content === 'keyed').seq, ack.seq);
      const log = await cluster.roomLog('den');
      assert.ok(log.filter((event) => event.content === 'unkeyed').length <= 1);
    },
  );
}

scenario(
  'a client that connects while control is away is let in when it is back',
  { processes: 'two' },
  async (cluster) => {
    await cluster.createRoom('den', ['ann']);
    await cluster.kill(cluster.control);

    const ann = new ChatClient(cluster, 'ann');
    await until(
      'the edge holds the client up',
      async () => ann.socket.io.engine?.readyState === 'open',
    );
    const before = ann.socket.connected;
    await cluster.restart(cluster.control);
    await until('ann is let in', () => ann.socket.connected);
    await ann.join('den');

    assert.equal(before, false);
    assert.deepEqual(ann.connectErrors, []);
  },
);

scenario(
  'what is posted while an edge is cut off reaches its clients when it is back',
  { processes: 'two' },
  async (cluster) => {
    await cluster.createRoom('den', ['ann', 'ben']);
    const [ann, ben] = await Promise.all(
      ['ann', 'ben'].map((user) => ChatClient.connected(cluster, user)),
    );
    await Promise.all([ann.join('den'), ben.join('den')]);
    await ann.send('den', 'live');

    // The edge stands still: control posts, removes ben and posts again.
    await cluster.edge.freeze();
    await cluster.ctl('message', 'post', 'den', 'while the edge stood still');
    await cluster.ctl('member', 'remove', 'den', 'ben');
    await cluster.ctl('message', 'post', 'den', 'not for ben');
    await cluster.kill(cluster.control);
    cluster.edge.thaw();
    await cluster.restart(cluster.control);

    await ann.seesContent('den', 'not for ben', 20_000);
    await ben.sees('memberLeft', (event) => event.name === 'memberLeft', 20_000);
    // Comes behind whatever ben might have been given.
    const refused = await ben.ask('sendMessage', { roomId: 'den', content: 'still here?' });
    assert.equal(refused.error.reason, 'NOT_A_MEMBER');
    assert.deepEqual(
      ann.logged('den').map((event) => event.content ?? event.name),
      ['live', 'while the edge stood still', 'memberLeft', 'not for ben'],
    );
    assert.deepEqual(
      ben.logged('den').map((event) => event.content ?? event.name),
      ['live', 'while the edge stood still', 'memberLeft'],
    );
  },
);
