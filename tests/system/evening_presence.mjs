// evening_presence.mjs: after an evening: every connection's view of who is online is control's
// truth for the rooms that its user shares; who goes last is seen to go by exactly these.
import { isDeepStrictEqual } from 'node:util';

import { pause } from '../support/pause.mjs';
import { lookOf } from '../support/presence_view.mjs';
import { until } from '../support/until.mjs';
import { GrpcVoice, Herald } from './evening_heralds.mjs';

const LATE_MS = 30_000;
const ASK_AGAIN_MS = 100;
const PAGE = 1000;
const WORDS = {
  PRESENCE_STATUS_ONLINE: 'online',
  PRESENCE_STATUS_AWAY: 'away',
  PRESENCE_STATUS_DND: 'dnd',
};

const look = ({ status, text }) => lookOf(WORDS[status], text);

// Where a view differs from the truth, in words; undefined: nowhere.
function difference(view, truth) {
  const users = [...new Set([...view.keys(), ...truth.keys()])];
  const wrong = users.filter((user) => view.get(user) !== truth.get(user));
  const of = (map, user) => map.get(user) ?? 'offline';
  const say = (user) => `${user} ${of(view, user)}, not ${of(truth, user)}`;
  return wrong.length > 0 ? wrong.slice(0, 3).map(say).join('; ') : undefined;
}

export class AfterPresence {
  // `inboxes`: those of the evening, for what is pushed to who is away.
  constructor(evening, after, inboxes) {
    Object.assign(this, { evening, inboxes, stories: after.stories });
    this.truth = new Map(); // room → user → look
    this.settled = 0; // How often.
    this.late = [];
    this.faults = [];
  }

  // Waits until everybody's view is the truth, and the truth is who is connected.
  async settle(when) {
    const { evening } = this;
    let differences = [];
    const isSettled = async () => {
      await this.#ask();
      differences = [...this.#truthFaults(), ...this.#viewFaults()];
      if (differences.length === 0) return true;
      await pause(ASK_AGAIN_MS);
      return false;
    };
    await until(`everybody sees who is online ${when}`, isSettled, LATE_MS, () =>
      differences.slice(0, 4).join('\n'),
    ).catch((error) => this.late.push(error.message));
    await this.#askOtherwise(evening.rooms[this.settled++ % evening.rooms.length]);
  }

  // Some users go with all their devices: whoever shares a room with them sees it, and nobody else
  // is told. What is pushed to them meanwhile is what a fresh device of theirs is given.
  async lastOnesGo(users) {
    const { evening } = this;
    const there = evening.everyDevice.filter(({ user }) => !users.includes(user));
    const lives = new Map(there.map((device) => [device, device.life]));
    const before = new Map(there.map((device) => [device, device.presence.changes.length]));
    for (const user of users) {
      const [phone] = evening.devices.get(user);
      const fault = await evening.clear(phone, this.inboxes.inboxes.get(user).length);
      if (fault) this.faults.push(fault);
      for (const device of evening.devicesOf(user)) device.goAway();
    }
    const newsOf = (device, user) =>
      device.presence.changes.slice(before.get(device)).filter((e) => e.userId === user);
    // Who has lost its connection is told anew who is online.
    const sees = (device, user) => {
      if (device.life !== lives.get(device)) return true;
      const last = newsOf(device, user).at(-1);
      return last?.status === 'offline' && Date.parse(last.lastSeen) > 0;
    };
    const blind = () =>
      users.flatMap((user) =>
        there
          .filter((device) => this.#share(device.user, user) && !sees(device, user))
          .map(({ name }) => `${name} does not see that ${user} has gone`),
      );
    await until('all see who has gone', () => blind().length === 0, LATE_MS, () =>
      blind().slice(0, 4).join('; '),
    ).catch((error) => this.late.push(error.message));
    await this.settle('when some have gone');
    await this.#comeBack(users);
    // Whoever is wrongly told would have been before the others came back.
    for (const user of users)
      for (const device of there)
        if (!this.#share(device.user, user) && newsOf(device, user).length > 0)
          this.faults.push(`${device.name} shares no room with ${user}, and is told of it`);
  }

  async #comeBack(users) {
    const { evening, inboxes } = this;
    const herald = new Herald(evening, 'seeker', new GrpcVoice(evening));
    const fresh = [];
    for (const user of users) {
      const { outcome } = await herald.seek(user);
      if (outcome?.stored !== true || outcome.connections !== 0)
        this.faults.push(`${user} is away, and was sought: ${JSON.stringify(outcome)}`);
      await herald.remind(user);
      const device = evening.addDevice(user, 'watch', evening.edges.at(-1));
      evening.watches.push(device);
      fresh.push(device);
    }
    await Promise.all(fresh.map((device) => device.connected()));
    await inboxes.read();
    for (const device of fresh) inboxes.freshOne(device);
    await this.settle('when they are back');
  }

  get differences() {
    const faults = this.evening.everyDevice.flatMap(({ presence }) => presence.faults);
    return [...this.late, ...this.faults, ...faults];
  }

  async #ask() {
    const { rooms, grpc } = this.evening;
    const ask = (roomId) =>
      grpc.call('PresenceService/ListPresence', { roomId, pageSize: PAGE });
    const answers = await Promise.all(rooms.map(ask));
    rooms.forEach((room, i) => {
      const seen = answers[i].users.map((presence) => [presence.userId, look(presence)]);
      this.truth.set(room, new Map(seen));
    });
  }

  // By room: who is a member and has a device connected is online, and nobody else.
  #truthFaults() {
    const { evening, stories, truth } = this;
    const isThere = (user) => evening.devicesOf(user).some((device) => device.isConnected);
    return evening.rooms.flatMap((room) => {
      const has = [...truth.get(room).keys()].sort();
      const should = stories.get(room).members.filter(isThere).sort();
      if (isDeepStrictEqual(has, should)) return [];
      return [`${room}: online are ${has}, connected are ${should}`];
    });
  }

  #viewFaults() {
    const connected = this.evening.everyDevice.filter((device) => device.isConnected);
    return connected.flatMap(({ name, user, presence }) => {
      const shared = this.evening.rooms.filter((room) => this.stories.get(room).isMember(user));
      const should = new Map(shared.flatMap((room) => [...this.truth.get(room)]));
      should.delete(user);
      const wrong = difference(presence.online, should);
      return wrong ? [`${name} sees ${wrong}`] : [];
    });
  }

  #share(one, other) {
    const { evening, stories } = this;
    return evening.rooms.some(
      (room) => stories.get(room).isMember(one) && stories.get(room).isMember(other),
    );
  }

  // An operator and a member of the room are told the same of it.
  async #askOtherwise(room) {
    const { evening, truth } = this;
    const { users } = await evening.cluster.ctlJson('presence', 'list', room);
    const listed = new Map(users.map((presence) => [presence.userId, look(presence)]));
    const wrong = difference(listed, truth.get(room));
    if (wrong) this.faults.push(`presence list ${room}: ${wrong}`);
    const [phone] = evening.devices.get(evening.moderatorOf(room));
    const { online } = await phone.ask('getPresence', { roomId: room, limit: 100 });
    const should = [...truth.get(room).keys()];
    if (!isDeepStrictEqual(online, should))
      this.faults.push(`getPresence ${room}: ${online}, not ${should}`);
  }
}
