// receipts_test.mjs: who is told how far somebody has read, over two edges, with the stock client; and
// what tells a client that its room is to be loaded anew.
import assert from 'node:assert/strict';

import { ChatClient } from '../support/chat_client.mjs';
import { scenario } from '../support/scenario.mjs';
import { HttpApi } from '../support/http_client.mjs';

const receipts = (client) => client.events.filter(({ name }) => name === 'messageRead');
const seesRead = (client, userId, readSeq) =>
  client.sees(
    `${userId} at ${readSeq}`,
    (e) => e.name === 'messageRead' && e.userId === userId && e.readSeq === readSeq,
  );

scenario(
  'the small room and the other devices are told how far somebody has read, each once',
  { processes: 'two', control: { 'receipt-members': 2 } },
  async (cluster) => {
    const other = await cluster.addEdge();
    const api = await HttpApi.of(cluster);
    await cluster.createRoom('den', ['ann', 'ben']);
    await cluster.createRoom('hall', ['ann', 'ben', 'cy']);
    const [ann, desk, ben, phone] = await Promise.all([
      ChatClient.connected(cluster, 'ann'),
      ChatClient.connected(cluster, 'ann'),
      ChatClient.connected(other, 'ben'),
      ChatClient.connected(other, 'ann'),
    ]);
    for (const client of [ann, desk, ben]) {
      await client.join('den');
      await client.join('hall');
    }
    const { seq } = await ben.send('den', 'hello');
    const inHall = await ben.send('hall', 'hello');

    await ann.must('markRead', { roomId: 'den', seq });
    await Promise.all([desk, ben, phone].map((client) => seesRead(client, 'ann', seq)));
    await ann.must('markRead', { roomId: 'hall', seq: inHall.seq });
    await Promise.all([desk, phone].map((client) => seesRead(client, 'ann', inHall.seq)));
    // Over HTTP no device is spared; and what moves nothing is told to nobody.
    await api.must('POST', '/v1/rooms/den/read', { user: 'ann', body: { seq: 1 } });
    await ann.must('sendMessage', { roomId: 'den', content: 'fence' });
    await api.must('POST', '/v1/rooms/den/read', { user: 'ben', body: { seq: seq + 1 } });
    await Promise.all([ann, desk, ben].map((client) => seesRead(client, 'ben', seq + 1)));

    const told = (client) => receipts(client).map((e) => `${e.roomId} ${e.userId} ${e.readSeq}`);
    const own = [`den ann ${seq}`, `hall ann ${inHall.seq}`];
    assert.deepEqual(told(ann), [`den ben ${seq + 1}`]);
    assert.deepEqual(told(desk), [...own, `den ben ${seq + 1}`]);
    assert.deepEqual(told(ben), [`den ann ${seq}`, `den ben ${seq + 1}`]);
    assert.deepEqual(told(phone), own, 'not joined: its own user alone');
  },
);

scenario('who follows a room that goes is told to load it anew', {}, async (cluster) => {
  await cluster.createRoom('den', ['ann', 'ben']);
  await cluster.createRoom('hall', ['ann']);
  const ann = await ChatClient.connected(cluster, 'ann');
  const ben = await ChatClient.connected(cluster, 'ben');
  await ann.join('den');
  await ann.join('hall');

  await cluster.ctl('room', 'delete', 'den', '--yes');

  const told = await ann.sees('that it is to resync', (e) => e.name === 'resync');
  assert.deepEqual(told, { name: 'resync', roomId: 'den' });
  assert.equal((await ann.ask('joinRoom', { roomId: 'den' })).error.reason, 'ROOM_NOT_FOUND');
  await ann.send('hall', 'still here');
  await ann.seesContent('hall', 'still here');
  assert.deepEqual(ann.disconnects, []);
  assert.ok(ben.events.every((e) => e.name !== 'resync'), 'he had not joined');
});
