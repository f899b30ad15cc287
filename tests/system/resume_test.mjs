// resume_test.mjs: who comes back names the rooms and the last event it has of each, and gets what it
// missed and then what is live, each event once and in order, whatever protocol it speaks; where that
// is not to be had it is told so, room by room.
import assert from 'node:assert/strict';

import { scaled } from '../support/cluster.mjs';
import { ChatClient } from '../support/chat_client.mjs';
import { HttpApi } from '../support/http_client.mjs';
import { RawSocket } from '../support/raw_socket.mjs';
import { scenario } from '../support/scenario.mjs';
import { until } from '../support/until.mjs';

const CATCH_UP_MS = 60_000;
const roomsOf = (count) => Array.from({ length: count }, (_, i) => `room-${i}`);
const from = (rooms, seq) => Object.fromEntries(rooms.map((room) => [room, seq]));

async function createRooms(cluster, rooms, owner, members) {
  const api = await HttpApi.of(cluster);
  for (const roomId of rooms) {
    await api.must('POST', '/v1/rooms', { user: owner, body: { roomId, members } });
  }
}

// So many messages, over all rooms in turn; how far each room has come then.
async function post(client, rooms, count, content = 'x') {
  const last = {};
  let next = 0;
  const work = async () => {
    while (next < count) {
      const room = rooms[next++ % rooms.length];
      const { seq } = await client.send(room, content);
      last[room] = Math.max(last[room] ?? 0, seq);
    }
  };
  await Promise.all(Array.from({ length: 20 }, work));
  return last;
}

// What the client has of each room, which must be everything behind `start`, in order.
function progress(events, start) {
  const has = { ...start };
  for (const { roomId, seq } of events) {
    if (seq === undefined || !(roomId in start)) continue;
    assert.equal(seq, has[roomId] + 1, `${roomId}: ${seq} behind ${has[roomId]}`);
    has[roomId] = seq;
  }
  return has;
}

const reached = (has, last) => Object.entries(last).every(([room, seq]) => has[room] >= seq);

function catchesUp(client, start, last) {
  return until(
    `${client.user} has everything`,
    () => reached(progress(client.events, start), last),
    CATCH_UP_MS,
    () => JSON.stringify(progress(client.events, start)),
  );
}

const auth = (cluster, user, rooms) => ({ token: cluster.token(user), resume: { rooms } });

async function openNative(cluster) {
  const raw = new RawSocket(cluster, '/', { protocols: ['confab.v1.json'] });
  await raw.opened();
  raw.say = (frame) => raw.ws.send(JSON.stringify(frame));
  raw.frames = () => raw.received.map((text) => JSON.parse(text));
  raw.hears = async (what, match) =>
    JSON.parse(await raw.sees(what, (text) => match(JSON.parse(text))));
  return raw;
}

scenario('a hundred rooms after 5,000 events, by command, handshake and natively', {}, async (cluster) => {
  const rooms = roomsOf(scaled(100, 20));
  await createRooms(cluster, rooms, 'ann', ['ben']);
  const ann = await ChatClient.connected(cluster, 'ann');
  const before = await ChatClient.connected(cluster, 'ben');
  const first = await before.must('resume', { rooms: from(rooms, 0) });
  assert.deepEqual(Object.keys(first.rooms).sort(), [...rooms].sort());
  for (const [roomId, room] of Object.entries(first.rooms)) {
    assert.deepEqual(room, { ok: true, roomId, role: 'member', lastSeq: room.lastSeq });
  }
  const early = await post(ann, rooms, rooms.length);
  await catchesUp(before, from(rooms, 0), early);
  before.close();
  const left = progress(before.events, from(rooms, 0));

  await post(ann, rooms, scaled(5_000, 500));
  const byHandshake = await ChatClient.connected(cluster, 'ben', { auth: auth(cluster, 'ben', left) });
  const byCommand = await ChatClient.connected(cluster, 'ben');
  const asked = byCommand.must('resume', { rooms: left });
  const native = await openNative(cluster);
  native.say({ connect: auth(cluster, 'ben', left) });
  const live = await post(ann, rooms, scaled(1_000, 200), 'meanwhile'); // While they catch up.

  await catchesUp(byHandshake, left, live);
  await catchesUp(byCommand, left, live);
  assert.ok(Object.values((await asked).rooms).every((room) => room.ok));
  const nativeEvents = () =>
    native
      .frames()
      .filter((frame) => frame.event)
      .map(({ event }) => ({ roomId: event.roomId, seq: Number(event.seq) }));
  await until('natively too', () => reached(progress(nativeEvents(), left), live), CATCH_UP_MS);
  const { reply } = await native.hears('what became of them', (frame) => frame.reply?.resume);
  assert.equal(reply.request ?? '0', '0');
  assert.equal(reply.resume.rooms.length, rooms.length);
  assert.ok(reply.resume.rooms.every((room) => room.joined));
  for (const client of [byHandshake, byCommand]) {
    assert.ok(client.events.every((event) => !['error', 'resync'].includes(event.name)));
  }
});

scenario('a room whose log is gone is to be loaded anew, the others go on', { limitMs: 200_000 }, async (cluster) => {
  const rooms = ['den', 'hall', 'yard'];
  await createRooms(cluster, rooms, 'ann', ['ben']);
  await createRooms(cluster, ['vault'], 'ann', []);
  const ann = await ChatClient.connected(cluster, 'ann');
  const last = await post(ann, rooms, 60);
  await cluster.ctl('room', 'retention', 'den', '--max-messages', '2', '--yes');
  const isTrimmed = async () =>
    (await ann.ask('getHistory', { roomId: 'den', afterSeq: 3 })).error?.reason === 'RESYNC';
  await until('the log of den is cut', isTrimmed, 120_000); // A round is a minute.

  const wanted = { den: 3, hall: 3, yard: last.yard + 100, vault: 1 };
  const isResynced = (client, room) =>
    client.sees(`${room} is to be loaded anew`, (e) => e.name === 'resync' && e.roomId === room);
  const ben = await ChatClient.connected(cluster, 'ben');
  const { rooms: told } = await ben.must('resume', { rooms: wanted });
  assert.equal(told.hall.ok, true);
  assert.equal(told.yard.error.reason, 'RESYNC');
  assert.equal(told.vault.error.reason, 'NOT_A_MEMBER');
  await isResynced(ben, 'den');
  const shaken = await ChatClient.connected(cluster, 'ben', { auth: auth(cluster, 'ben', wanted) });
  await isResynced(shaken, 'den');
  await isResynced(shaken, 'yard');
  const error = await shaken.sees('that vault is not for ben', (e) => e.name === 'error');
  assert.equal(error.reason, 'NOT_A_MEMBER');
  assert.match(error.message, /vault/);
  const native = await openNative(cluster);
  native.say({ connect: auth(cluster, 'ben', wanted) });
  await native.hears('resync of den', (frame) => frame.resync?.roomId === 'den');
  const { reply } = await native.hears('the reply', (frame) => frame.reply?.resume);
  const outcome = Object.fromEntries(reply.resume.rooms.map((room) => [room.roomId, room]));
  assert.equal(outcome.yard.error.reason, 'REASON_RESYNC');

  for (const room of rooms) await ann.send(room, 'on');
  for (const client of [ben, shaken]) {
    await client.seesContent('hall', 'on');
    progress(client.logged('hall'), { hall: 3 });
    assert.deepEqual(client.logged('yard'), []);
    await client.join('den'); // As it was told.
    await client.join('yard');
  }
  await native.hears('the event', (frame) => frame.event?.messagePosted?.content === 'on');
  await ann.send('den', 'anew');
  for (const client of [ben, shaken]) {
    await client.seesContent('den', 'anew');
    assert.deepEqual(client.disconnects, []);
  }
});

scenario(
  'more rooms than a connection may be in are refused whole',
  { edge: { 'rooms-per-connection': 5 } },
  async (cluster) => {
    const rooms = roomsOf(6);
    await createRooms(cluster, rooms, 'ann', ['ben']);
    const ben = await ChatClient.connected(cluster, 'ben');
    const refused = await ben.ask('resume', { rooms: from(rooms, 0) });
    assert.equal(refused.error.reason, 'LIMIT_REACHED');
    const few = rooms.slice(0, 4);
    const { rooms: joined } = await ben.must('resume', { rooms: from(few, 0) });
    assert.ok(Object.values(joined).every((room) => room.ok));
    assert.equal((await ben.ask('resume', { rooms: from(rooms.slice(3), 0) })).error.reason, 'LIMIT_REACHED');
    assert.equal((await ben.ask('resume', { rooms: { 'room-0': '3' } })).error.reason, 'BAD_REQUEST');

    const shaken = await ChatClient.connected(cluster, 'ben', { auth: auth(cluster, 'ben', from(rooms, 0)) });
    const error = await shaken.sees('that these are too many', (e) => e.name === 'error');
    assert.equal(error.reason, 'LIMIT_REACHED');
    const odd = new ChatClient(cluster, 'ben', { auth: auth(cluster, 'ben', ['room-0']) });
    await until('it is refused', () => odd.connectErrors.length > 0);
    assert.match(odd.connectErrors[0].message, /BAD_REQUEST|auth\.resume/);
  },
);

scenario('a resume that finds control away goes on when it is back', { processes: 'two' }, async (cluster) => {
  const rooms = roomsOf(12);
  await createRooms(cluster, rooms, 'ann', ['ben']);
  const ann = await ChatClient.connected(cluster, 'ann');
  const last = await post(ann, rooms, 60);
  const ben = await ChatClient.connected(cluster, 'ben');
  await cluster.kill(cluster.control);

  ben.socket.emit('resume', { rooms: from(rooms, 0) });
  const second = await ben.ask('resume', { rooms: from(rooms, 0) });
  assert.equal(second.error.reason, 'BAD_REQUEST', 'while one is under way');
  await cluster.restart(cluster.control);

  await catchesUp(ben, from(rooms, 0), last);
  assert.deepEqual(ben.disconnects, []);
});
