// evening_inboxes.mjs: after an evening: what services have pushed, as the store has it, and
// whether every device was given it: in order, once a connection, nothing lost; and a fresh device
// exactly what was not acknowledged.
import { isDeepStrictEqual } from 'node:util';

import { GrpcClient } from '../support/grpc_client.mjs';
import { until } from '../support/until.mjs';
import { GrpcVoice, Herald, LinesVoice } from './evening_heralds.mjs';
import { asMessage, PushBooks } from './evening_pushes.mjs';

const PAGE = 200; // Of pushes that are asked again at once.
const VALUES = 20;
const LATE_MS = 30_000;

const range = (first, last) => Array.from({ length: last - first + 1 }, (_, i) => first + i);

export class AfterInboxes {
  constructor(evening) {
    this.evening = evening;
    this.operator = new GrpcClient(evening.cluster, 'confabctl');
    this.inboxes = new Map(); // user → what was stored, acknowledged or not
    this.late = [];
    this.faults = [];
  }

  // A device of each user's that was not there before, and one more reminder to everybody, behind
  // which nothing of the evening can come.
  async visit() {
    const { evening } = this;
    const { users, edges } = evening;
    const edgeOf = (i) => edges[i % edges.length];
    const fresh = users.map((user, i) => evening.addDevice(user, 'tablet', edgeOf(i)));
    await Promise.all(fresh.map((device) => device.connected()));
    users.forEach((user, i) => evening.tablets.set(user, fresh[i]));
    await new Herald(evening, 'fence', new LinesVoice(evening)).remindAll(users);
    await this.read();
    for (const device of fresh) this.freshOne(device);
  }

  // Asks the store what it has, and waits until every connected device has it.
  async read() {
    const { evening, inboxes } = this;
    await this.#confirm('evening', evening.grpc);
    await this.#confirm('confabctl', this.operator);
    for (const user of evening.users) inboxes.set(user, evening.pushes.inboxOf(user));
    const behind = () =>
      evening.everyDevice.filter(
        ({ user, told, isConnected }) => isConnected && told.newest < inboxes.get(user).length,
      );
    const told = ({ name, user, told: { newest } }) =>
      `${name}: ${newest} of ${inboxes.get(user).length}`;
    await until('all inboxes are told', () => behind().length === 0, LATE_MS, () =>
      behind().slice(0, 3).map(told).join('; '),
    ).catch((error) => this.late.push(error.message));
  }

  // Its connection is its first.
  freshOne({ name, user, told }) {
    const should = range(this.evening.cursors.get(user).acked + 1, this.inboxes.get(user).length);
    if (!isDeepStrictEqual(told.given, should))
      this.faults.push(`${name} is fresh and was given ${told.given}, not ${should}`);
  }

  // While all is quiet everybody is told what there is to be told: of many values the last one, and
  // what may be missed is not.
  async round() {
    const { evening } = this;
    const herald = new Herald(evening, 'last', new GrpcVoice(evening));
    const [userId, roomId] = [evening.guests[0], evening.rooms[0]];
    const lives = new Map(evening.everyDevice.map((device) => [device, device.life]));
    const pushes = [];
    for (const target of [{ userId }, { roomId }, { role: 'host' }, { everybody: {} }])
      pushes.push((await herald.countTo(target, VALUES)).at(-1));
    for (const target of [{ role: 'visitor' }, { everybody: {} }])
      pushes.push(await herald.call(target));
    for (const push of pushes) await this.#toldToAll(push, lives);
  }

  // `lives`: of the devices before it was pushed. Who has lost its connection may have missed it.
  async #toldToAll({ number, target, event, outcome }, lives) {
    const { evening } = this;
    const roleOf = (user) => evening.roleOf(user);
    const devices = PushBooks.receivers({ target }, evening.everyDevice, roleOf);
    const has = ({ payload }) => payload.number === number;
    const isThere = (device) => device.isConnected && device.life === lives.get(device);
    const without = () =>
      devices.filter((device) => isThere(device) && !device.told.lives.at(-1).some(has));
    const what = `${event} ${number} to ${JSON.stringify(target)}`;
    await until(`${what} is told`, () => without().length === 0, LATE_MS, () =>
      without().slice(0, 3).map(({ name }) => name).join(', '),
    ).catch((error) => this.late.push(error.message));
    const there = devices.filter(isThere).length;
    if (outcome?.connectionsExact && outcome.connections < there)
      this.faults.push(`${what}: ${there} are there, told were ${outcome.connections}`);
  }

  // Everything that is wrong with what anybody was given, in words. REQUIRES: read() since the last
  // push.
  differences(logs) {
    const { evening, inboxes, late, faults } = this;
    const { pushes } = evening;
    return [
      ...late,
      ...faults,
      ...evening.everyDevice.flatMap((device) => [
        ...device.told.inboxFaults(inboxes.get(device.user)),
        ...pushes.deviceFaults(device, evening.roleOf(device.user)),
      ]),
      ...pushes.roomFaults(logs),
      ...new Set(pushes.faults),
    ];
  }

  summary() {
    const { pushes, cursors, everyDevice } = this.evening;
    const given = everyDevice.flatMap(({ told }) => told.lives.flat());
    const acked = [...cursors.values()].reduce((sum, cursor) => sum + cursor.acked, 0);
    return (
      `${pushes.pushes.length} pushes, ${pushes.kept.length} of them kept, given to devices ` +
      `${given.length} times; ${acked} acknowledged`
    );
  }
  // Asked again with its key, by the service that pushed it, a push is told nobody; the answer says
  // where it stands.
  async #confirm(service, client) {
    const { pushes } = this.evening;
    const kept = pushes.kept.filter((push) => push.service === service);
    for (let i = 0; i < kept.length; i += PAGE) {
      const page = kept.slice(i, i + PAGE);
      const asked = { notifications: page.map(asMessage) };
      const { results } = await client.call('NotificationService/NotifyBatch', asked);
      results.forEach((result, at) => pushes.confirm(page[at], result));
    }
  }
}
