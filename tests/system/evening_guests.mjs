// evening_guests.mjs: what guests do all evening: they talk, change their minds, read, type, leave
// and drop in, say how they are, clear their inboxes and go out for a while; each from both
// devices, one thing after the other.
import { pause } from '../support/pause.mjs';
import { lookOf } from '../support/presence_view.mjs';
import { until } from '../support/until.mjs';

const TIMES = {
  post: 45,
  edit: 12,
  remove: 6,
  read: 14,
  type: 8,
  look: 5,
  leave: 3,
  dropIn: 7,
  feel: 4,
  clear: 8,
};
const DECK = Object.entries(TIMES).flatMap(([act, times]) => Array(times).fill(act));

const ASK_AGAIN_MS = 100; // Control tells of presence every 250 ms.

export class Guest {
  constructor(evening, user, http) {
    this.evening = evening;
    this.user = user;
    this.http = http;
    this.devices = evening.devices.get(user);
    this.phone = this.devices[0];
    this.phone.isTypist = true; // So it is never told that its user types.
    this.random = evening.randomFor(user);
    this.said = []; // {room, messageId} of own messages that stand.
    this.count = 0;
  }

  // Goes out once, or never.
  async stay(acts) {
    const outAt = this.random.below(2 * acts);
    for (let i = 0; i < acts; ++i) {
      if (i === outAt) await this.goOut();
      await this[this.random.of(DECK)]();
      ++this.evening.acts;
    }
  }

  async post() {
    const [device, room] = this.#somewhere();
    if (!room) return this.dropIn();
    const id = `${this.user}.${++this.count}`;
    const content = `${id} in ${room}: ça va? 🦜`;
    const answer = await device.ask('sendMessage', {
      roomId: room,
      content,
      clientMsgId: id,
      ...this.#extras(device, room),
    });
    this.evening.books.post({ room, user: this.user, id, content }, answer);
    if (answer.ok) this.said.push({ room, messageId: answer.messageId });
  }

  async edit() {
    const mine = this.random.of(this.said);
    if (!mine) return this.post();
    const { room, messageId } = mine;
    const content = `${this.user} means ${++this.count}`;
    const mentions = this.random.chance(0.3) ? { mentions: [this.user] } : {};
    const asked = { roomId: room, messageId, content, ...mentions };
    const answer = await this.random.of(this.devices).ask('editMessage', asked);
    const change = { room, user: this.user, target: messageId, content };
    this.evening.books.change('messageEdited', change, answer);
  }

  async remove() {
    if (this.said.length === 0) return this.post();
    const [{ room, messageId }] = this.said.splice(this.random.below(this.said.length), 1);
    const device = this.random.of(this.devices);
    const answer = await device.ask('deleteMessage', { roomId: room, messageId });
    const change = { room, user: this.user, target: messageId };
    this.evening.books.change('messageDeleted', change, answer);
  }

  async read() {
    const [device, room] = this.#somewhere();
    if (!room) return this.dropIn();
    const seq = this.random.below(device.place(room).view.last + 1);
    const answer = await device.ask('markRead', { roomId: room, seq });
    this.evening.books.mark({ room, user: this.user, asked: seq }, answer);
  }

  async type() {
    const room = this.random.of(this.phone.rooms);
    if (!room) return this.dropIn();
    const isTyping = this.random.chance(0.7);
    const answer = await this.phone.ask('typing', { roomId: room, isTyping });
    this.evening.books.note('typing', { room, user: this.user }, answer);
  }

  // A page of history stands without a gap where it was asked for.
  async look() {
    const [device, room] = this.#somewhere();
    if (!room) return this.dropIn();
    const { view } = device.place(room);
    const side = this.random.of(['beforeSeq', 'afterSeq']);
    const seq = this.random.below(view.last + 1) + 1;
    const answer = await device.ask('getHistory', { roomId: room, [side]: seq, limit: 20 });
    this.evening.books.note('getHistory', { room, user: this.user }, answer);
    if (!answer.ok) return;
    const seqs = answer.events.map((event) => event.seq);
    const first = side === 'afterSeq' ? seq + 1 : seq - seqs.length;
    if (seqs.some((each, i) => each !== first + i))
      this.evening.faults.push(`${device.name}: ${room} ${side} ${seq} shows ${seqs}`);
  }

  async leave() {
    const room = this.random.of(this.phone.rooms);
    if (!room) return this.dropIn();
    const answer = await this.http.ask(this.user, 'POST', room, '/leave', {});
    this.evening.books.note('leave', { room, user: this.user }, answer);
    if (answer.ok) this.evening.outside.get(room).add(this.user);
  }

  // Into a room that is open to all, if it is not closed to this guest.
  async dropIn() {
    const open = this.evening.rooms.filter((room) => this.evening.isPublic(room));
    const room = this.random.of(open.filter((each) => !this.phone.rooms.includes(each)));
    if (!room) return;
    await Promise.all(this.devices.map((device) => device.enter(room)));
  }

  // Some say how they are: each of them is told anew behind every snapshot.
  async feel() {
    if (this.evening.guests.indexOf(this.user) % 6 !== 0) return this.post();
    const status = this.random.of(['online', 'away', 'dnd']);
    const text = this.random.chance(0.5) ? `mood ${++this.count}` : '';
    const answer = await this.random.of(this.devices).ask('setStatus', { status, text });
    if (!answer.ok) this.evening.faults.push(`${this.user}: ${lookOf(status, text)} was refused`);
  }

  // Has dealt with what it was pushed; not everybody ever does.
  async clear() {
    const { told } = this.random.of(this.devices);
    if (this.evening.keepsInbox(this.user) || told.newest === 0) return this.post();
    const inboxSeq = Math.max(1, told.newest - this.random.below(3));
    const fault = await this.evening.clear(this.random.of(this.devices), inboxSeq);
    if (fault) this.evening.faults.push(fault);
  }

  // Both devices go: their page is loaded anew, or they stay away until that is known. What is
  // pushed meanwhile waits.
  async goOut() {
    const { evening, user } = this;
    for (const device of this.devices) device.goAway();
    if (this.random.chance(0.5)) {
      const isKnown = async () =>
        evening.isEdgeAway || !(await evening.thinksOnline(user)) || pause(ASK_AGAIN_MS);
      await until(`${user} is thought to be away`, isKnown, 60_000);
    }
    await evening.herald.remind(user);
    await Promise.all(this.devices.map((device) => device.comeBack()));
  }

  #somewhere() {
    const device = this.random.of(this.devices);
    return [device, this.random.of(device.rooms)];
  }

  // Some answer a message, mention somebody, or bring a body along.
  #extras(device, room) {
    const extras = {};
    if (this.random.chance(0.2)) extras.mentions = [this.random.of(this.evening.users)];
    if (this.random.chance(0.1)) extras.body = { pick: [this.count, null, { deep: 'ß' }] };
    const seen = device.place(room).view.events.filter((event) => event.name === 'newMessage');
    if (this.random.chance(0.15)) extras.replyTo = this.random.of(seen)?.messageId;
    return extras;
  }
}
