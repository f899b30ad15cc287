// notification_view.mjs: what services told one device, connection by connection, and how far its
// user has said to have dealt with the inbox.
import { isDeepStrictEqual } from 'node:util';

// How far a user's inbox is acknowledged; all devices of a user share it.
export class InboxCursor {
  constructor() {
    this.asked = 0; // The furthest that was asked, answered or not.
    this.acked = 0; // The furthest that was answered.
  }
}

export class NotificationView {
  constructor(name, cursor = new InboxCursor()) {
    this.name = name;
    this.cursor = cursor;
    this.lives = []; // Of each connection what came, in order.
  }

  // A new connection: what came by the one before is no promise of its own.
  begin() {
    this.lives.push([]);
  }

  take(notification) {
    this.lives.at(-1).push({ ...notification, askedBefore: this.cursor.asked });
  }

  // Of this connection, the place in the inbox up to which it has come; 0: it was given none.
  get newest() {
    return this.lives.at(-1)?.findLast(({ inboxSeq }) => inboxSeq)?.inboxSeq ?? 0;
  }

  // Places in the inbox that this connection was given.
  get given() {
    return (this.lives.at(-1) ?? []).flatMap(({ inboxSeq }) => inboxSeq ?? []);
  }

  // What of the inbox came out of its turn, twice, not at all though nobody had acknowledged it, or
  // other than stored; in words. `stored`: [{id, name, payload}], the first one has inboxSeq 1.
  inboxFaults(stored) {
    return this.lives.flatMap((life) => {
      const faults = [];
      let last = 0;
      for (const { inboxSeq, askedBefore, id, name, payload } of life) {
        if (inboxSeq === undefined) continue;
        if (inboxSeq <= last) faults.push(`${this.name}: inbox ${inboxSeq} comes behind ${last}`);
        else if (inboxSeq - 1 > Math.max(last, askedBefore))
          faults.push(`${this.name}: inbox ${inboxSeq} comes after ${last}, acked ${askedBefore}`);
        last = Math.max(last, inboxSeq);
        const [has, should] = [{ id, name, payload }, stored[inboxSeq - 1]];
        if (isDeepStrictEqual(has, should)) continue;
        const texts = [has, should].map((each) => JSON.stringify(each));
        faults.push(`${this.name}: inbox ${inboxSeq} is ${texts[0]}, stored is ${texts[1]}`);
      }
      return faults;
    });
  }
}
