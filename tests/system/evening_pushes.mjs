// evening_pushes.mjs: what services had told in an evening: to whom, of which class, and what they
// were answered; held against what the store says and what devices were given.
import { isDeepStrictEqual } from 'node:util';

const CLASSES = { logged: 'LOGGED', latest: 'LATEST', droppable: 'DROPPABLE' };

// A push as NotificationService and `confabctl push lines` take it.
export const asMessage = ({ target, event, payload, delivery, ...more }) => ({
  ...target,
  event,
  json: JSON.stringify(payload),
  deliveryClass: `DELIVERY_CLASS_${CLASSES[delivery]}`,
  ...more.options,
  idempotencyKey: more.idempotencyKey,
});

// As /v1/notify takes it.
export const asBody = ({ target, event, payload, delivery, options, idempotencyKey }) => ({
  ...target,
  ...(target.everybody ? { everybody: true } : {}),
  event,
  payload,
  delivery,
  ...options,
  idempotencyKey,
});

export class PushBooks {
  constructor() {
    this.pushes = [];
    this.faults = [];
  }

  // A new push. `target`: {userId}, {role}, {roomId} or {everybody: {}}; `options`: key,
  // storeIfAbsent, ttlMs.
  write(service, target, event, delivery, options = {}) {
    const number = this.pushes.length;
    const payload = { number, words: 'dîner à huit 🦜', list: [number, null, { deep: 'ß' }] };
    const push = { number, service, target, event, delivery, options, payload };
    this.pushes.push({ ...push, idempotencyKey: `push-${number}` });
    return this.pushes.at(-1);
  }

  // It was told or stored: {notificationId, connections, connectionsExact, stored, seq, duplicate}.
  answer(push, outcome, isRepeat) {
    push.outcome = outcome;
    const { stored, duplicate } = outcome;
    if (stored !== (push.delivery === 'logged') && !push.options.storeIfAbsent)
      this.#fault(push, `stored: ${stored}`);
    if (duplicate && !isRepeat) this.#fault(push, 'is a duplicate of nothing');
  }

  refuse(push, error) {
    this.#fault(push, `refused: ${JSON.stringify(error)}`);
  }

  // Those of which the store has to know.
  get kept() {
    return this.pushes.filter(({ delivery, outcome }) => delivery === 'logged' || outcome?.stored);
  }

  // What the store says of a kept one, asked again with its key.
  confirm(push, { outcome, error }) {
    if (error) return this.#fault(push, `asked again: ${JSON.stringify(error)}`);
    const { duplicate, stored, seq, notificationId } = outcome;
    if (!duplicate || !stored) this.#fault(push, `was not stored: ${JSON.stringify(outcome)}`);
    const first = push.outcome;
    if (first && (first.seq !== seq || first.notificationId !== notificationId))
      this.#fault(push, `stands as ${notificationId} at ${seq}, not where it was said to`);
    push.stands = { seq, notificationId };
  }

  // The user's inbox as it was stored, from its first entry on, acknowledged or not. REQUIRES: all
  // that was kept is confirmed.
  inboxOf(user) {
    const inbox = [];
    for (const { stands, target, event, payload } of this.kept) {
      if (target.userId !== user) continue;
      if (inbox[stands.seq - 1]) this.faults.push(`${user}: two stand at ${stands.seq}`);
      inbox[stands.seq - 1] = { id: stands.notificationId, name: event, payload };
    }
    if (inbox.includes(undefined)) this.faults.push(`${user}: the inbox has a hole`);
    return inbox;
  }

  // What of these is not in the rooms' logs (room → events as proto3 JSON), and the reverse.
  roomFaults(logs) {
    const kept = this.kept.filter(({ target }) => target.roomId);
    const faults = kept.flatMap(({ stands, target, event, payload }) => {
      const entry = logs.get(target.roomId)[stands.seq - 1];
      const { notificationId, event: name, json } = entry?.notificationPosted?.notification ?? {};
      const should = [stands.notificationId, event, payload];
      if (isDeepStrictEqual([notificationId, name, JSON.parse(json ?? 'null')], should)) return [];
      return [`${target.roomId}: there stands ${JSON.stringify(entry)}, not ${should[0]}`];
    });
    const posted = [...logs.values()].flat().filter((event) => event.notificationPosted).length;
    if (posted !== kept.length) faults.push(`${posted} in logs, ${kept.length} were pushed there`);
    return faults;
  }

  // What a device was given that stands in no inbox: only what was pushed, only what was pushed to
  // it, nothing twice, and of the latest never an older one behind a newer one.
  deviceFaults(device, role) {
    return device.told.lives.flatMap((life) => {
      const ids = new Set();
      const newest = new Map(); // target, event and key → number
      return life.flatMap(({ id, inboxSeq, name, payload }) => {
        const push = this.pushes[payload.number];
        const what = `${device.name}: ${name} ${JSON.stringify(payload)}`;
        if (ids.has(id)) return [`${what} comes twice`];
        ids.add(id);
        if (name !== push?.event || !isDeepStrictEqual(payload, push.payload))
          return [`${what} was never pushed`];
        if (!isFor(push.target, device, role)) return [`${what} is for ${whom(push)}`];
        if ((inboxSeq !== undefined) !== (push.stands !== undefined))
          return [`${what}: inboxSeq is ${inboxSeq}, it stands at ${push.stands?.seq}`];
        if (push.delivery !== 'latest') return [];
        const key = `${whom(push)} ${name} ${push.options.key}`;
        const before = newest.get(key) ?? 0;
        newest.set(key, Math.max(before, push.number));
        return before > push.number ? [`${what} comes behind ${before}`] : [];
      });
    });
  }

  // Who of the devices is told of it live, if all are connected.
  static receivers(push, devices, roleOf) {
    const isIn = ({ roomId }, device) => roomId === undefined || device.place(roomId).isIn;
    return devices.filter(
      (device) => isFor(push.target, device, roleOf(device.user)) && isIn(push.target, device),
    );
  }

  #fault(push, what) {
    this.faults.push(`${push.event} ${push.number} to ${whom(push)} ${what}`);
  }
}

const whom = ({ target }) => JSON.stringify(target);

// Who has left a room may be told once more.
function isFor({ userId, role, roomId }, device, itsRole) {
  if (userId !== undefined) return userId === device.user;
  if (role !== undefined) return role === itsRole;
  return roomId === undefined || device.place(roomId).view.last > 0;
}
