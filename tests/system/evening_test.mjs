// evening_test.mjs: a scripted evening of a community: 37 guests and 3 moderators with two devices
// each, a service and an operator, in 12 rooms. People join and leave, talk, edit, delete, read and
// type, are muted, kicked, banned and let in again, over socket.io-client, HTTP, gRPC and confabctl
// at once, say how they are, and go out for a while; services push all the time; and an edge is
// killed and returns (with SQLite: everything is). Afterwards
//   - every client's view, built only from the events it was given, equals the store's, event for
//     event, up to where its user was removed;
//   - what was acked stands in the log and what was refused does not;
//   - nothing stands in the log that was not permitted at that place;
//   - members, mutes, bans, read pointers and unread counts are what the log says;
//   - how far somebody reads is told to the others of the room and to the reader's other device;
//   - every device was given its user's inbox, in order, once a connection, nothing lost over the
//     edge, and a fresh device exactly what was not acknowledged;
//   - every device sees online who is, of those with whom its user shares a room, and sees them go;
//   - nobody types any more.
import assert from 'node:assert/strict';

import { scaled } from '../support/cluster.mjs';
import { scenario } from '../support/scenario.mjs';
import { Evening } from './evening.mjs';
import { After } from './evening_after.mjs';
import { Guest } from './evening_guests.mjs';
import { Http, ModeratorHand, OperatorHand, ServiceHand } from './evening_hands.mjs';
import { GrpcVoice, Herald, heralds } from './evening_heralds.mjs';
import { AfterInboxes } from './evening_inboxes.mjs';
import { AfterPresence } from './evening_presence.mjs';
import { readToTheEnd } from './evening_receipts.mjs';
import { Staff } from './evening_staff.mjs';
import { storeFaults } from './evening_store.mjs';

const GUEST_ACTS = scaled(36, 10);
const MODERATOR_ACTS = scaled(50, 15);
const SERVICE_ACTS = scaled(80, 20);
const OPERATOR_ACTS = scaled(30, 10); // Each starts a process.
const HERALD_ACTS = scaled(60, 20);
const HERALD_BATCHES = scaled(6, 2); // Each starts a process.
const OUTAGE_ACTS = scaled(120, 30); // What happens while the edge is gone, where anything can.

// Presence is told from the beginning, and who goes is soon known to have gone.
const PRESENCE = { 'presence-settle': '0s', 'offline-delay': '500ms' };

const LIMIT_MS = 140_000; // On a busy machine; twice that is below ctest's own limit.

const MODERATORS_RULES = [
  ['isReadOnly', true, false],
  ['slowModeSeconds', 2, 0],
];
const SYSTEMS_RULES = [...MODERATORS_RULES, ['isArchived', true, false]];

// Everybody's acts, all at the same time.
function play(evening) {
  const http = new Http(evening.apis);
  evening.herald = new Herald(evening, 'herald', new GrpcVoice(evening));
  const guests = evening.guests.map((user) => new Guest(evening, user, http).stay(GUEST_ACTS));
  const moderators = evening.moderators.map((user) => {
    const rooms = evening.rooms.filter((room) => evening.moderatorOf(room) === user);
    const hand = new ModeratorHand(user, http);
    return new Staff(evening, user, { rooms, hand, rules: MODERATORS_RULES }).work(MODERATOR_ACTS);
  });
  const system = (name, hand) =>
    new Staff(evening, name, { rooms: evening.rooms, hand, rules: SYSTEMS_RULES });
  return [
    ...guests,
    ...moderators,
    system('service', new ServiceHand(evening)).work(SERVICE_ACTS),
    system('operator', new OperatorHand(evening.cluster)).work(OPERATOR_ACTS),
    ...heralds(evening, http, { acts: HERALD_ACTS, batches: HERALD_BATCHES }),
  ];
}

// The edge dies at some moment of the evening; its guests come back by themselves.
async function outage(evening, edge) {
  await evening.comesTo(0.3 + 0.3 * evening.randomFor('outage').below(100) * 0.01);
  await evening.killEdge(edge, edge.control ? OUTAGE_ACTS : 0);
}

// What services have pushed and who is online: [faults in words, what it was].
async function newsOf(evening, after) {
  const inboxes = new AfterInboxes(evening);
  const presence = new AfterPresence(evening, after, inboxes);
  await inboxes.visit();
  await inboxes.round();
  await presence.settle('after the evening');
  await presence.lastOnesGo(evening.guests.slice(-3));
  await inboxes.read();
  return [[...inboxes.differences(after.logs), ...presence.differences], inboxes.summary()];
}

// Faults in words; of many the first.
function report(faults) {
  const SHOWN = 12;
  const more = faults.length > SHOWN ? `\n… and ${faults.length - SHOWN} more` : '';
  assert.ok(faults.length === 0, `${faults.slice(0, SHOWN).join('\n')}${more}`);
}

for (const [processes, store] of [
  ['one', 'sqlite'],
  ['two', 'postgres'],
]) {
  const options = { processes, store, control: PRESENCE, limitMs: LIMIT_MS };
  scenario(`an evening of 40 users in 12 rooms: ${store}`, options, async (cluster) => {
    const edges = [cluster];
    if (processes === 'two') edges.push(await cluster.addEdge());
    const evening = new Evening(cluster, edges, GUEST_ACTS);
    await evening.open();
    const ended = Promise.all(play(evening)).finally(() => (evening.isOver = true));
    await Promise.all([ended, outage(evening, edges.at(-1))]);
    const after = new After(evening);
    await after.read();
    await readToTheEnd(evening, after).catch((error) => after.late.push(error.message));
    console.log(`  ${after.summary()}`);
    const faults = [
      ...after.late,
      ...after.differences,
      ...[...after.stories.values()].flatMap((story) => story.faults),
      ...evening.books.audit(after.logs),
      ...(await storeFaults(evening, after)),
    ];
    const [news, summary] = await newsOf(evening, after);
    console.log(`  ${summary}`);
    const devicesFaults = evening.everyDevice.flatMap((device) => device.faults);
    report([...evening.faults, ...devicesFaults, ...faults, ...news]);
    await after.silence();
  });
}
