// evening_store.mjs: what the store says after the evening, by every way to ask it, held against
// the logs: members, mutes and bans, rooms, read pointers and unread counts, exports, histories.
import { isDeepStrictEqual } from 'node:util';

import { clientEventOf } from '../support/client_events.mjs';
import { RoomView } from '../support/room_view.mjs';

const PAGE = 100;

// What is wrong, in words.
export async function storeFaults(evening, after) {
  const faults = [];
  for (const room of evening.rooms) {
    faults.push(...(await peopleFaults(evening, room, after.stories.get(room))));
    faults.push(...(await roomFaults(evening, room, after)));
    faults.push(...(await historyFaults(evening, room, after.told.get(room))));
  }
  for (const user of evening.users) faults.push(...(await readingFaults(evening, user, after)));
  return faults;
}

function unlessSame(what, has, should) {
  if (isDeepStrictEqual(has, should)) return [];
  return [`${what}: ${JSON.stringify(has)}, by the log ${JSON.stringify(should)}`];
}

const idsOf = (list) => list.map(({ userId }) => userId);

// Present members with their roles, who of them is muted, and who is banned.
async function peopleFaults({ grpc }, roomId, story) {
  const list = (more) => grpc.call('RoomService/ListMembers', { roomId, pageSize: 1000, ...more });
  const before = Date.now();
  const [{ members }, { members: banned }] = [await list({}), await list({ isOfBanned: true })];
  const now = Date.now();
  // What ended just then may be told or not.
  const isSure = (until) => until <= before || until > now;
  const holds = (name, told, users) => {
    const sure = (user) => isSure(story.person(user)[name]);
    const should = users.filter((user) => story.person(user)[name] > now).sort();
    return unlessSame(`${roomId}: ${name}`, idsOf(told).filter(sure), should);
  };
  const roles = members.map(({ userId, role }) => [userId, role]);
  const should = story.members.sort().map((user) => [user, story.person(user).role]);
  return [
    ...unlessSame(`${roomId}: members`, roles, should),
    ...holds('mutedUntil', members.filter(({ muted }) => muted), story.members),
    ...holds('bannedUntil', banned, [...story.people.keys()]),
  ];
}

async function roomFaults({ grpc }, roomId, { stories, logs }) {
  const { room } = await grpc.call('RoomService/GetRoom', { roomId });
  const { settings, members } = stories.get(roomId);
  const { visibility, isArchived, isReadOnly, lastSeq, memberCount } = room;
  const isPublic = visibility === 'ROOM_VISIBILITY_PUBLIC';
  const should = [logs.get(roomId).length, members.length];
  return [
    ...unlessSame(`${roomId}: settings`, { isPublic, isArchived, isReadOnly }, settings),
    ...unlessSame(`${roomId}: lastSeq, memberCount`, [lastSeq, memberCount], should),
  ];
}

// A user's rooms, how far each is read, and how many messages are behind that which are neither
// the user's own nor deleted.
async function readingFaults({ grpc, books, rooms }, userId, { stories, logs }) {
  const listed = (await grpc.call('RoomService/ListRooms', { userId })).rooms;
  const mine = rooms.filter((room) => stories.get(room).isMember(userId)).sort();
  const ids = listed.map(({ id }) => id);
  const counts = listed.flatMap(({ id, readSeq, unreadCount }) => {
    const log = logs.get(id);
    const can = books.pointers(id, userId, log);
    const where = can.includes(readSeq) ? [] : [`${userId}: read ${id} to ${readSeq}, not ${can}`];
    const behind = log.slice(readSeq).filter(({ messagePosted: message, actor }) => {
      return message && !message.deleted && actor?.id !== userId;
    });
    return [...where, ...unlessSame(`${userId}: unread in ${id}`, unreadCount, behind.length)];
  });
  return [...unlessSame(`${userId}: rooms`, ids, mine), ...counts];
}

// The log as confabctl exports it, and as its moderator reads it over HTTP and on the socket.
async function historyFaults(evening, room, told) {
  const { cluster, apis } = evening;
  const user = evening.moderatorOf(room);
  const [phone] = evening.devices.get(user);
  const faults = [];
  const hold = async (name, read) => {
    const view = new RoomView();
    for await (const event of read(view)) view.add(event);
    const difference = view.difference(told);
    if (difference) faults.push(`${name} of ${room}: ${difference}`);
    faults.push(...unlessSame(`${name} of ${room}: length`, view.last, told.length));
  };
  await hold('room export', async function* () {
    const lines = (await cluster.ctl('room', 'export', room)).trim().split('\n');
    yield* lines.map((line) => clientEventOf(JSON.parse(line)));
  });
  const path = (seq) => `/v1/rooms/${room}/history?afterSeq=${seq}&limit=${PAGE}`;
  await hold('history over HTTP', (view) =>
    pages(view, (seq) => apis[0].must('GET', path(seq), { user })),
  );
  await hold('getHistory', (view) =>
    pages(view, (afterSeq) => phone.ask('getHistory', { roomId: room, afterSeq, limit: PAGE })),
  );
  return faults;
}

async function* pages(view, ask) {
  for (let more = true; more; ) {
    const page = await ask(view.last);
    for (const { event: name, ...payload } of page.events) yield { name, ...payload };
    more = page.more;
  }
}
