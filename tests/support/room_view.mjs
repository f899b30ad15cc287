// room_view.mjs: what one client knows of a room, built only from the events it was given, and how
// that differs from the log as the store has it.
import { isDeepStrictEqual } from 'node:util';

const CHANGEABLE = ['content', 'body', 'mentions', 'editedSeq', 'deleted'];

export class RoomView {
  constructor() {
    this.events = []; // {name, ...payload} as they came.
    this.faults = [];
  }

  get last() {
    return this.events.at(-1)?.seq ?? 0;
  }

  add(event) {
    if (event.seq !== this.last + 1)
      this.faults.push(`got ${JSON.stringify(event)} after seq ${this.last}`);
    this.events.push(event);
  }

  // The first difference from the beginning of the log, in words; undefined if there is none. The
  // view may end before the log does: what a message says may have changed since.
  difference(log) {
    if (this.faults.length > 0) return this.faults[0];
    const changed = changedBehind(log, this.events.length);
    const mine = folded(this.events);
    const at = mine.findIndex((event, i) => {
      const stored = log[i];
      if (!changed.has(event.seq)) return !isDeepStrictEqual(event, stored);
      return !isDeepStrictEqual(unchangeable(event), unchangeable(stored));
    });
    if (at < 0) return undefined;
    const [has, stored] = [mine[at], log[at]].map((event) => JSON.stringify(event));
    return `seq ${at + 1}: it has\n  ${has}\nthe store\n  ${stored}`;
  }
}

// The events as the log shows them now: each message, and each of its edits, says what the newest
// change made of it.
export function folded(events) {
  const now = events.map((event) => ({ ...event }));
  const sayings = new Map(); // seq of a message → it and its edits
  for (const event of now) {
    if (event.name === 'newMessage') sayings.set(event.seq, [event]);
    if (event.messageSeq === undefined) continue;
    const said = sayings.get(event.messageSeq);
    if (event.name === 'messageEdited') {
      said[0].editedSeq = event.seq;
      said.push(event);
      for (const each of said) say(each, event);
    } else {
      said[0].deleted = true;
      for (const each of said) say(each, { content: '' });
    }
  }
  return now;
}

function say(event, { content, body, mentions }) {
  event.content = content;
  for (const [name, value] of Object.entries({ body, mentions })) {
    if (value === undefined) delete event[name];
    else event[name] = value;
  }
}

// Messages and edits that an event behind the first `count` has changed.
function changedBehind(log, count) {
  const later = new Set(log.slice(count).map((event) => event.messageSeq));
  return new Set(
    log
      .filter((event) => later.has(event.messageSeq ?? event.seq))
      .map((event) => event.seq),
  );
}

const unchangeable = (event) =>
  Object.fromEntries(Object.entries(event ?? {}).filter(([name]) => !CHANGEABLE.includes(name)));
