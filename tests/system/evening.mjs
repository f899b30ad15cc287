// evening.mjs: the house of a scripted evening: its rooms and users, two devices each, and an edge
// that is killed and returns.
import { Device } from '../support/device.mjs';
import { GrpcClient } from '../support/grpc_client.mjs';
import { HttpApi } from '../support/http_client.mjs';
import { InboxCursor } from '../support/notification_view.mjs';
import { newSeed, randomOf } from '../support/random.mjs';
import { until } from '../support/until.mjs';
import { Books } from './evening_books.mjs';
import { PushBooks } from './evening_pushes.mjs';
import { watch } from './evening_watchers.mjs';

const named = (name, count) => Array.from({ length: count }, (_, i) => `${name}-${i + 1}`);
const PUBLIC = named('plaza', 4);
const PRIVATE = named('club', 8);

export class Evening {
  // `edges`: the cluster as clients of each edge see it; `guestActs`: of each guest, all evening.
  constructor(cluster, edges, guestActs) {
    this.cluster = cluster;
    this.edges = edges;
    this.seed = newSeed();
    this.rooms = [...PUBLIC, ...PRIVATE];
    this.moderators = named('mod', 3);
    this.guests = named('guest', 37);
    this.length = this.guests.length * guestActs; // In acts, about.
    this.users = [...this.moderators, ...this.guests];
    this.cursors = new Map(this.users.map((user) => [user, new InboxCursor()]));
    this.devices = new Map(); // user → [phone, laptop]
    this.tablets = new Map(); // user → what comes after the evening
    this.watches = []; // What comes still later.
    // room → who was in it before
    this.outside = new Map(this.rooms.map((room) => [room, new Set()]));
    this.watchers = new Map(); // who listens without being a user → its view of a room
    this.books = new Books();
    this.pushes = new PushBooks();
    this.herald = null; // A service that pushes; from when the evening begins.
    this.faults = [];
    this.acts = 0;
    this.isOver = false;
    this.isEdgeAway = false;
    this.grpc = new GrpcClient(cluster, 'evening');
  }

  // Random numbers of its own for each of the cast, so that one's luck is not another's.
  randomFor(name) {
    const salt = [...name].reduce((sum, letter) => Math.imul(sum, 31) + letter.charCodeAt(0), 7);
    const random = randomOf(this.seed ^ salt);
    const below = (count) => Math.floor(random() * count);
    return { below, chance: (part) => random() < part, of: (list) => list[below(list.length)] };
  }

  isPublic(room) {
    return PUBLIC.includes(room);
  }

  // The moderator of a room.
  moderatorOf(room) {
    return this.moderators[this.rooms.indexOf(room) % this.moderators.length];
  }

  // What the tokens of the user's devices say.
  roleOf(user) {
    return this.users.indexOf(user) % 4 === 0 ? 'host' : 'visitor';
  }

  // Who never acknowledges anything during the evening.
  keepsInbox(user) {
    return this.guests.indexOf(user) % 3 === 0;
  }

  // One half of the rooms is opened over gRPC, the other by confabctl.
  async open() {
    const random = this.randomFor('doors');
    const members = new Map();
    for (const room of this.rooms) members.set(room, []);
    for (const guest of this.guests)
      for (const room of this.rooms) if (random.chance(0.4)) members.get(room).push(guest);
    for (const [i, room] of this.rooms.entries())
      await (i % 2 === 0 ? this.#openByGrpc : this.#openByCtl).call(this, room, members.get(room));
    for (const user of this.users) this.devices.set(user, this.#devicesOf(user));
    this.apis = await Promise.all(this.edges.map((edge) => HttpApi.of(edge)));
    for (const room of this.rooms) watch(this, room);
    await Promise.all(this.allDevices.map((device) => device.connected()));
    for (const room of this.rooms)
      for (const user of [this.moderatorOf(room), ...members.get(room)]) this.comesIn(user, room);
    await this.settled();
  }

  // Those of the evening.
  get allDevices() {
    return [...this.devices.values()].flat();
  }

  get everyDevice() {
    return [...this.allDevices, ...this.tablets.values(), ...this.watches];
  }

  devicesOf(user) {
    return this.everyDevice.filter((device) => device.user === user);
  }

  // Somebody is a member now, or may become one: both devices join.
  comesIn(user, room) {
    for (const device of this.devices.get(user)) device.enter(room);
  }

  // That part of the evening is over.
  comesTo(part) {
    const isThere = () => this.acts >= part * this.length || this.isOver;
    return until(`the evening comes to ${part}`, isThere, 110_000);
  }

  // Acknowledges the inbox of the device's user; what is wrong with the answer, in words.
  async clear(device, inboxSeq) {
    const cursor = this.cursors.get(device.user);
    cursor.asked = Math.max(cursor.asked, inboxSeq);
    const answer = await device.ask('notification:ack', { inboxSeq });
    cursor.acked = Math.max(cursor.acked, answer.ackedSeq ?? 0);
    const { ok, ackedSeq } = answer;
    if (ok && ackedSeq >= inboxSeq && ackedSeq <= cursor.asked) return undefined;
    return `${device.name} acks ${inboxSeq} of ${cursor.asked}: ${JSON.stringify(answer)}`;
  }

  // Whether control thinks that the user is online; yes while there is none.
  async thinksOnline(userId) {
    const asked = this.grpc.call('PresenceService/GetPresence', { userIds: [userId] });
    const { users } = await asked.catch(() => ({ users: [{ presence: { isOnline: true } }] }));
    return users[0].presence.isOnline;
  }

  // Kills the edge while the cast goes on, lets `acts` more happen without it, and starts it again.
  async killEdge(edge, acts) {
    const goal = this.acts + acts;
    const lost = this.allDevices.filter((device) => device.edge === edge);
    const losses = new Map(lost.map((device) => [device, device.losses]));
    const knows = (device) => !device.isConnected || device.losses > losses.get(device);
    this.isEdgeAway = true;
    await this.cluster.kill(edge.edge);
    await until('its clients know', () => lost.every(knows), 30_000);
    await until('the evening goes on', () => this.acts >= goal || this.isOver, 60_000);
    await this.cluster.restart(edge.edge);
    this.isEdgeAway = false;
    await Promise.all(lost.map((device) => device.connected()));
  }

  // Nobody is on the way into a room.
  settled() {
    const entering = () =>
      this.allDevices.flatMap(({ name, places }) =>
        [...places]
          .filter(([, place]) => place.entering)
          .map(([room, { why, view }]) => `${name}, ${room} behind ${view.last}: ${why}`),
      );
    return until(
      'everybody has come in',
      () => entering().length === 0,
      60_000,
      () => entering().slice(0, 3).join('; '),
    );
  }

  // One more device of the user, which connects at once.
  addDevice(user, name, edge, options) {
    const token = this.cluster.token(user, { role: this.roleOf(user) });
    const all = { token, cursor: this.cursors.get(user), ...options };
    return Object.assign(new Device(edge, user, name, all), { edge });
  }

  #devicesOf(user) {
    const polling = this.users.indexOf(user) % 5 === 0 ? { transports: ['polling'] } : {};
    const phone = this.addDevice(user, 'phone', this.edges[0], polling);
    return [phone, this.addDevice(user, 'laptop', this.edges.at(-1))];
  }

  async #openByGrpc(room, guests) {
    const members = guests.map((userId) => ({ userId }));
    members.push({ userId: this.moderatorOf(room), role: 'ROLE_MODERATOR' });
    const visibility = `ROOM_VISIBILITY_${this.isPublic(room) ? 'PUBLIC' : 'PRIVATE'}`;
    await this.grpc.call('RoomService/CreateRoom', { roomId: room, visibility, members });
  }

  async #openByCtl(room, guests) {
    const kind = this.isPublic(room) ? ['--public'] : [];
    await this.cluster.ctl('room', 'create', room, '--members', guests.join(','), ...kind);
    const moderator = ['--role', 'moderator'];
    await this.cluster.ctl('member', 'add', room, this.moderatorOf(room), ...moderator);
  }
}
